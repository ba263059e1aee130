"""Columns give back the records that they were made of."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from core.messages.test_wire import KINDS, records_of
from handmade import inference, step
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_rl.core.messages.columns import Texts
from realtime_rl.core.messages.records import Inference, Timestep
from realtime_rl.core.messages.table import Table
from realtime_rl.core.types import Cause


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_a_table_is_the_sequence_of_its_records(kind: type, data: st.DataObject) -> None:
    records: list[Any] = data.draw(st.lists(records_of(kind), max_size=9))
    cut = data.draw(st.integers(0, len(records)))
    table = Table.of(kind, records)
    assert repr(table) == repr(records)
    assert len(table) == len(records)
    assert repr(table[cut:]) == repr(records[cut:])
    assert repr(table[::-2]) == repr(records[::-2])
    assert [repr(table[place]) for place in range(-len(records), len(records))] == [
        *map(repr, [*records, *records])]
    assert repr(Table.joined(kind, [table[:cut], Table.of(kind, []), table[cut:]])) == repr(records)
    rows = np.array(data.draw(st.lists(st.integers(0, max(0, len(records) - 1)),
                                       max_size=9 if records else 0)), np.intp)
    assert repr(table.take(rows)) == repr([records[row] for row in rows])
    chosen = np.array(data.draw(st.lists(st.booleans(), min_size=len(records),
                                         max_size=len(records))), np.bool_)
    assert repr(table.where(chosen)) == repr(
        [record for record, each in zip(records, chosen, strict=True) if each])


def test_beyond_its_end_there_is_nothing() -> None:
    with pytest.raises(IndexError):
        Table.of(Timestep, [step(0)])[1]
    assert not Table.of(Timestep, [])


def test_numbers_are_given_wide_and_stored_narrow() -> None:
    table = Table.of(Timestep, [step(tick) for tick in range(100)])
    assert table.ints("tick").dtype == np.int64
    assert (table.ints("tick") * 2**53).max() == 99 * 2**53
    many = Table.of(Timestep, [step(0)] * 1000)
    assert sum(column.values.nbytes for column in many._columns.values()
               if hasattr(column, "values")) < 40 * 1000


def test_nobody_changes_what_a_table_holds() -> None:
    table = Table.of(Timestep, [step(0), step(1)])
    for column in (table.flags("missed"), table[1:].flags("missed")):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 1


def test_texts_come_in_the_order_of_their_appearance() -> None:
    table = Table.of(Inference, [inference(tick, node=name) for tick, name in enumerate("bacab")])
    assert [*table.texts("node")] == ["b", "a", "c"]
    assert [*table[::-1].texts("node")] == ["b", "a", "c"]
    assert [*table.texts("node", np.array([False, True, True, False, False]))] == ["a", "c"]
    assert table.is_text("node", "a").tolist() == [False, True, False, True, False]
    assert not table.is_text("node", "x").any()


def test_members_and_what_is_not_known_come_back() -> None:
    found = Table.of(Timestep, [step(0, Cause.STOP, reward=math.nan)])[0]
    assert found.cause is Cause.STOP
    assert math.isnan(found.reward)
    assert type(found.tick) is int


def test_texts_that_no_row_has_any_more_are_forgotten() -> None:
    kept = Texts.of(["a"])
    for number in range(1000):
        kept = Texts.joined([kept, Texts.of([f"text {number}"])])[-3:]
    assert kept.tolist() == ["text 997", "text 998", "text 999"]
    assert len(kept.texts) < 100
