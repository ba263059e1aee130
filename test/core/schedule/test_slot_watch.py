"""How long slots compute: counted while somebody looks, so that a pause makes nobody hang."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.schedule.slot_watch import LOOK_NS, SlotWatch, limit_ns
from realtime_rl.core.schedule.stagger import Schedule
from realtime_rl.core.schedule.worker_pool import Slot

SECOND = 1_000_000_000
LIMIT = 2 * SECOND


def slot(worker: int, tick: int = 0) -> Slot:
    return Slot(tick, 0, worker, 0, -1, 0, 0, Schedule((0, 1), 16_000_000))


def looked(watch: SlotWatch, begin_ns: int, end_ns: int) -> dict[int, int]:
    """Look from `begin_ns` to `end_ns`; return when which worker was found overdue."""
    return {found.worker: now_ns for now_ns in range(begin_ns, end_ns + 1, LOOK_NS // 2)
            for found in watch.overdue(now_ns)}


def test_a_slot_is_overdue_once_after_its_limit() -> None:
    watch, watched = SlotWatch(), slot(0)
    watch.begin(watched, 0, LIMIT)
    found = looked(watch, 0, 5 * SECOND)
    assert list(found) == [0]
    assert LIMIT < found[0] <= LIMIT + LOOK_NS
    assert not watch.end(watched)


def test_a_limit_counts_from_when_its_slot_began() -> None:
    watch, watched = SlotWatch(), slot(0)
    assert watch.overdue(0) == []
    watch.begin(watched, 90_000_000, 50_000_000)
    assert watch.overdue(130_000_000) == []
    assert watch.overdue(141_000_000) == [watched]


def test_one_that_ends_in_time_is_not_overdue_and_another_is_its_own() -> None:
    watch, watched = SlotWatch(), slot(0)
    watch.begin(watched, 0, LIMIT)
    assert looked(watch, 0, SECOND) == {}
    assert watch.end(watched)
    assert not watch.end(watched)
    watch.begin(slot(0, 1), SECOND, LIMIT)
    assert not watch.end(watched)
    assert list(looked(watch, SECOND, 2 * SECOND)) == []


def test_each_has_its_own_limit() -> None:
    watch = SlotWatch()
    watch.begin(slot(0), 0, SECOND)
    watch.begin(slot(1), 0, 3 * SECOND)
    found = looked(watch, 0, 4 * SECOND)
    assert list(found) == [0, 1]
    assert found[0] < 2 * SECOND < found[1]


@given(st.integers(0, 10**13), st.integers(0, LIMIT - 2 * LOOK_NS))
def test_a_pause_of_any_length_makes_nobody_hang(pause_ns: int, before_ns: int) -> None:
    """Stopped (SIGSTOP), or asleep with the machine: all that was in flight is as old as that."""
    watch = SlotWatch()
    watch.begin(slot(0), 0, LIMIT)
    assert looked(watch, 0, before_ns) == {}
    assert watch.overdue(before_ns + pause_ns) == []


def test_a_clock_that_goes_back_counts_nothing() -> None:
    watch = SlotWatch()
    watch.begin(slot(0), 10 * SECOND, LIMIT)
    assert watch.overdue(0) == []


@given(st.integers(1, 10**12), st.integers(0, 10**12), st.integers(1, 4096))
def test_a_limit_that_is_asked_for_holds(asked_ns: int, alone_ns: int, workers: int) -> None:
    assert limit_ns(asked_ns, alone_ns, workers) == asked_ns


@given(st.integers(0, 10**11), st.integers(1, 4096))
def test_without_one_all_workers_may_compute_on_one_core(alone_ns: int, workers: int) -> None:
    limit = limit_ns(0, alone_ns, workers)
    assert limit >= 2 * SECOND
    assert limit >= 2 * workers * alone_ns
