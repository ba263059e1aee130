"""Chunks against a naive reading: whose row acts at each tick, and every chunk's one fate."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_rl.core.control.chunk_book import ChunkBook, Chunking
from realtime_rl.core.control.chunk_merging import Merge
from realtime_rl.core.control.in_flight import Received
from realtime_rl.core.enumerations import Fate, MergeRule
from realtime_rl.core.messages.records import ActionMessage, Command, Timestep
from realtime_rl.core.types import ActionSpace, Cause

SPACE = ActionSpace(("x",), (0.0,), (-1e6,), (1e6,))
PERIOD = 10_000_000


def chunk(tick: int, due: int, rows: int, offset: int = 1) -> ActionMessage:
    """Row `i` of the chunk of observation `k` says `1000 k + i`."""
    values = tuple((1000.0 * tick + row,) for row in range(rows))
    return ActionMessage(tick * PERIOD, tick, due, 0, 3, 1, values[0], values, tick + offset)


CHUNKS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 8), st.integers(1, 14), st.integers(0, 10),
              st.integers(0, 1)),
    max_size=20, unique_by=lambda each: each[0])
"""Observation, promised delay, rows, how long after its observation it arrives, first offset."""


def arrivals(drawn: list[tuple[int, int, int, int, int]]) -> dict[int, list[ActionMessage]]:
    found: dict[int, list[ActionMessage]] = {}
    for tick, delay, rows, late, offset in sorted(drawn):
        found.setdefault(tick + late, []).append(chunk(tick, tick + delay, rows, offset))
    return found


def step_of(tick: int, command: Command | None) -> Timestep:
    return Timestep.latching(command or Command(Cause.DEFAULT, SPACE.noop), stamp_ns=tick * PERIOD,
                             tick=tick, period_ns=PERIOD)


def note(book: ChunkBook, step: Timestep) -> None:
    if step.cause is Cause.POLICY:
        book.latched(step.tick, step.observation_tick)


@settings(max_examples=300, deadline=None)
@given(CHUNKS, st.sampled_from([3, 6, 100]))
def test_each_tick_has_the_newest_due_row_and_each_chunk_one_fate(
        drawn: list[tuple[int, int, int, int, int]], most: int) -> None:
    book = ChunkBook(SPACE, Chunking(max_age_ticks=most))
    coming, there, steps, verdicts = arrivals(drawn), [], [], []
    for tick in range(60):
        for message in coming.get(tick, ()):
            there.append(message)
            book.add(Received(message, 0.0))
        command = book.take(tick)
        able = [m for m in there if max(m.due_tick, m.first_tick) <= tick <= m.last_tick
                and tick - m.tick <= most]
        newest = max(able, key=lambda m: m.tick, default=None)
        if newest is None:
            assert command is None
        else:
            row = tick - newest.first_tick
            assert command == Command(Cause.POLICY, newest.rows[row], 0, 3, newest.tick, row, 1)
        steps.append(step_of(tick, command))
        note(book, steps[-1])
        verdicts += book.fates(tick, lambda _: False)
    assert len(book) == 0
    assert sorted(v.observation_tick for v in verdicts) == sorted(m.tick for m in there)
    for verdict in verdicts:
        ticks = [s.tick for s in steps if s.observation_tick == verdict.observation_tick]
        assert verdict.fate is (Fate.APPLIED if ticks else Fate.SUPERSEDED)
        assert (verdict.tick, verdict.rows) == ((ticks[0], len(ticks)) if ticks else (-1, 0))


@settings(max_examples=200, deadline=None)
@given(CHUNKS, st.sampled_from([MergeRule.ENSEMBLE, MergeRule.BLEND]))
def test_merged_rows_are_of_the_chunks_that_cover_the_tick(
        drawn: list[tuple[int, int, int, int, int]], rule: MergeRule) -> None:
    merge = Merge(rule, decay=0.3, blend_rows=3)
    book = ChunkBook(SPACE, Chunking(merge))
    coming, there, begun, told = arrivals(drawn), [], {}, []
    for tick in range(60):
        for message in coming.get(tick, ()):
            if message.tick > book.newest:  # as the arbiter takes no older ones
                there.append(message)
                book.add(Received(message, 0.0))
        if tick % 7 == 3:
            written = json.loads(json.dumps(book.values()))
            book = ChunkBook(SPACE, Chunking(merge))
            book.restore(written)
        command = book.take(tick)
        able = sorted((m for m in there if max(m.due_tick, m.first_tick) <= tick <= m.last_tick),
                      key=lambda m: -m.tick)
        assert (command is None) == (not able)
        if command is not None:
            begun.setdefault(able[0].tick, tick)
            executed = tick - begun[able[0].tick]
            action, merged = merge.merged([m.rows[tick - m.first_tick] for m in able], executed,
                                          SPACE)
            assert (command.action, command.merged) == (action, merged)
            assert command.observation_tick == able[0].tick
        note(book, step_of(tick, command))
        told += [v.observation_tick for v in book.fates(tick, lambda _: False)]
    assert sorted(told) == sorted(m.tick for m in there)


def test_a_row_on_its_way_keeps_the_fate_open() -> None:
    book = ChunkBook(SPACE)
    book.add(Received(chunk(0, 1, 2), 0.0))
    command = book.take(1)
    assert command is not None
    note(book, step_of(1, command))
    book.void()
    assert book.take(2) is None
    assert book.fates(1, lambda observed: observed == 0) == []
    late = replace(step_of(2, command))
    note(book, late)
    verdict, = book.fates(2, lambda _: False)
    assert (verdict.fate, verdict.tick, verdict.rows) == (Fate.APPLIED, 1, 2)


def test_a_stopped_robots_row_was_not_applied() -> None:
    book = ChunkBook(SPACE)
    book.add(Received(chunk(0, 1, 1), 0.0))
    command = book.take(1)
    assert command is not None
    note(book, replace(step_of(1, command), cause=Cause.STOP))
    assert [v.fate for v in book.fates(1, lambda _: False)] == [Fate.SUPERSEDED]


def test_a_newer_chunk_is_expected_after_as_many_ticks_as_the_last_one() -> None:
    book = ChunkBook(SPACE)
    book.add(Received(chunk(0, 4, 20), 0.0))
    book.add(Received(chunk(5, 9, 20), 0.0))
    for tick in range(4, 9):
        book.take(tick)
        assert not book.expects_newer(tick + 1)  # one came so far: nothing is known
    for tick in range(9, 14):
        assert not book.expects_newer(tick)
        book.take(tick)
    assert book.expects_newer(14)
    assert book.clear()[0].fate is Fate.SUPERSEDED
    assert not book.expects_newer(14)


def test_a_longer_chunk_goes_on_where_a_newer_one_ends() -> None:
    book = ChunkBook(SPACE)
    for message in (chunk(0, 1, 10), chunk(1, 2, 2)):
        book.add(Received(message, 0.0))
    found = []
    for tick in range(1, 11):
        command = book.take(tick)
        assert command is not None
        found.append(command.observation_tick)
        note(book, step_of(tick, command))
        told = book.fates(tick, lambda _: False)
        assert [v.observation_tick for v in told] == {3: [1], 10: [0]}.get(tick, [])
    assert found == [0, 1, 1] + 7 * [0]
