"""Slots that wait for each other: until there are enough, or the last tick has come or should."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.schedule.batch import Batch
from realtime_rl.core.schedule.stagger import Schedule
from realtime_rl.core.schedule.worker_pool import Slot

PERIOD_NS = 10_000_000
SCHEDULE = Schedule((0,), PERIOD_NS)


def slot(tick: int) -> Slot:
    return Slot(tick, 0, 0, 1, -1, tick * PERIOD_NS, tick * PERIOD_NS, SCHEDULE)


@given(st.integers(1, 6), st.sets(st.integers(0, 40)))
def test_none_waits_longer_than_for_the_last_tick_of_its_batch(size: int, taken: set[int]) -> None:
    batch: Batch[int] = Batch(size)
    ran: list[tuple[int, list[int]]] = []
    for tick in range(50):
        if tick in taken:
            batch.add(slot(tick), tick)
        if batch.is_due(tick, tick * PERIOD_NS):
            ran.append((tick, batch.take()))
    assert [tick for _, ticks in ran for tick in ticks] == sorted(taken)
    for tick, ticks in ran:
        assert 1 <= len(ticks) <= size
        assert tick - ticks[0] == (size - 1 if len(ticks) < size else ticks[-1] - ticks[0])


def test_where_ticks_stop_it_is_run_after_as_many_periods() -> None:
    batch: Batch[str] = Batch(3)
    assert batch.due_ns() is None
    assert not batch.is_due(0, 10**12)
    batch.add(slot(5), "a")
    due_ns = batch.due_ns()
    assert due_ns == (5 + 3) * PERIOD_NS
    assert not batch.is_due(5, due_ns - 1)
    assert batch.is_due(5, due_ns)
    assert batch.take() == ["a"]
    assert batch.due_ns() is None


def test_a_plant_that_begins_anew_ends_it() -> None:
    batch: Batch[str] = Batch(4)
    batch.add(slot(100), "a")
    assert batch.is_due(0, 100 * PERIOD_NS)
