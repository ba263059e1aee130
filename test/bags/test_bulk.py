"""Messages that are decoded together give what each gives by itself."""

from __future__ import annotations

import random
import struct
from typing import Any

import pytest
from core.messages.test_wire import KINDS, records_of
from handmade import inference, schedule, stamp, step, verdict
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_rl.bags import bulk, messages
from realtime_rl.bags.bulk import Records
from realtime_rl.core.messages import wire
from realtime_rl.core.messages.wire import NamedScalars

NASTY = (float("nan"), float("inf"), -float("inf"), 1e300, 2.0**53 + 2, -2.0, 0.5, -0.0, 4096.0)


def one_by_one(kind: type, cdrs: list[bytes]) -> tuple[list[str], int, tuple[int, str] | None]:
    """The records as text (NaN equals NaN), how many are refused, and the first of these."""
    found, errors = [], []
    for place, cdr in enumerate(cdrs):
        try:
            found.append(repr(wire.decode(kind, messages.scalars_from_cdr(cdr))))
        except wire.WireError as error:
            errors.append((place, str(error)))
    return found, len(errors), errors[0] if errors else None


def together(kind: type, cdrs: list[bytes]) -> tuple[list[str], int, tuple[int, str] | None]:
    records: Records[Any] = Records(kind)
    for place, cdr in enumerate(cdrs):
        records.take(cdr, place)
    return [*map(repr, records.table())], records.refused, records.first_error


def spoiled(scalars: NamedScalars, rng: random.Random) -> bytes:
    """A message as somebody else may send it: other values, bytes, order, names, or an end."""
    names, values = list(scalars.names), list(scalars.values)
    choice = rng.randrange(9)
    if choice == 0:
        values[rng.randrange(len(values))] = rng.choice(NASTY)
    elif choice == 1:
        names, values = [*names, "battery"], [*values, 0.5]
    elif choice == 2:
        names.reverse()
        values.reverse()
    elif choice == 3:
        names, values = names[1:], values[1:]
    elif choice == 7:  # as older bags have it
        older = [place for place, name in enumerate(names) if name not in ("row", "merged", "rows")]
        names, values = [names[place] for place in older], [values[place] for place in older]
    cdr = bytearray(messages.scalars_to_cdr(NamedScalars(
        scalars.stamp_ns, scalars.frame_id, tuple(names), tuple(values))))
    if choice == 4:
        cdr[rng.randrange(len(cdr))] ^= 1 << rng.randrange(8)
    elif choice == 5:
        del cdr[rng.randrange(len(cdr)):]
    elif choice == 6:
        cdr += rng.randbytes(rng.randrange(12))
    return bytes(cdr)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data(), seed=st.integers(0, 2**20))
@settings(max_examples=15, deadline=None)
def test_as_one_by_one(kind: type, data: st.DataObject, seed: int) -> None:
    rng = random.Random(seed)
    drawn = [wire.encode(record) for record in
             data.draw(st.lists(records_of(kind), min_size=1, max_size=3))]
    cdrs = [spoiled(rng.choice(drawn), rng) for _ in range(30)]
    assert together(kind, cdrs) == one_by_one(kind, cdrs)


@pytest.mark.parametrize("most", [1, 64])
def test_over_blocks_and_with_more_forms_than_are_kept(monkeypatch: pytest.MonkeyPatch,
                                                       most: int) -> None:
    monkeypatch.setattr(bulk, "_BLOCK", 7)
    monkeypatch.setattr(bulk, "_MOST_FORMS", most)
    rng = random.Random(0)
    for kind, drawn in (
            (type(step(0)), [step(tick, action=(0.5,) * (tick % 3)) for tick in range(60)]),
            (type(inference(0)), [inference(tick, node=f"inference_{tick % 5}")
                                  for tick in range(60)]),
            (type(schedule()), [schedule(tick, active=tuple(range(tick % 4)))
                                for tick in range(60)])):
        cdrs = [spoiled(wire.encode(record), rng) for record in drawn]
        assert together(kind, cdrs) == one_by_one(kind, cdrs)


def test_what_lies_between_the_fields_says_nothing() -> None:
    """ROS leaves there whatever was in the buffer, and some after the message."""
    clean = [messages.scalars_to_cdr(wire.encode(verdict(tick))) for tick in range(2, 9)]
    layout = messages.scalars_layout(clean[0])
    assert layout is not None
    numbers = slice(layout.values_at, len(clean[0]) - 8)
    rng, dirty = random.Random(0), []
    for cdr in clean:
        data = bytearray(rng.randbytes(len(cdr)))
        for place, significant in enumerate(layout.significant):
            if significant or place in range(4, 12) or place in range(*numbers.indices(len(cdr))):
                data[place] = cdr[place]
        dirty.append(bytes(data) + rng.randbytes(8))
    records: Records[Any] = Records(type(verdict(2)))
    learned: list[bytes] = []
    for place, cdr in enumerate(dirty):
        records.take(cdr, place)
    decode = messages.scalars_from_cdr

    def counted(cdr: bytes) -> NamedScalars:
        learned.append(cdr)
        return decode(cdr)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(messages, "scalars_from_cdr", counted)
        found = [*map(repr, records.table())]
    assert found == [repr(verdict(tick)) for tick in range(2, 9)]
    assert len(learned) == 1


def test_a_stamp_that_is_none_is_refused() -> None:
    good = messages.scalars_to_cdr(wire.encode(step(0)))
    for sec, nanosec in ((-1, 0), (0, 10**9), (0, 2**32 - 1)):
        bad = good[:4] + struct.pack("<iI", sec, nanosec) + good[12:]
        found, refused, first = together(type(step(0)), [good, bad, good])
        assert (len(found), refused) == (2, 1)
        assert first == (1, f"not a stamp: {sec} s and {nanosec} ns")
    assert stamp(0) == step(0).stamp_ns
