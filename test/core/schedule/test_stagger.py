"""Schedules: slots, promised delays, timers."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_rl.core.enumerations import Algorithm
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.schedule.stagger import (
    Schedule,
    promised_delay_ticks,
    spaced_start_ns,
    workers_of_process,
)

PERIOD = 16_000_000


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    active = draw(st.lists(st.integers(0, 99), min_size=1, max_size=20, unique=True))
    return Schedule(tuple(active), PERIOD, draw(st.integers(1, 9)), draw(st.integers(0, 500)),
                    draw(st.integers(1, 30)), cycle=draw(st.integers(1, 30)))


def slots(schedule: Schedule, begin: int, ticks: int) -> list[tuple[int, int]]:
    owned = ((tick, schedule.owner(tick)) for tick in range(begin, begin + ticks))
    return [(tick, owner) for tick, owner in owned if owner is not None]


@settings(max_examples=60)
@given(schedules(), st.integers(-100, 1000))
def test_every_tick_is_a_slot_when_there_are_workers_enough(schedule: Schedule,
                                                            begin: int) -> None:
    workers, delay = len(schedule.active), schedule.cycle
    # N of every N* ticks, wherever one begins to count; every tick when N >= N*
    assert len(slots(schedule, begin, delay)) == min(workers, delay)


@settings(max_examples=60)
@given(schedules(), st.integers(-100, 1000))
def test_slots_are_even(schedule: Schedule, begin: int) -> None:
    workers, delay = len(schedule.active), schedule.cycle
    ticks = [tick for tick, _ in slots(schedule, begin, 5 * max(workers, delay))]
    gaps = {after - before for before, after in pairwise(ticks)}
    assert gaps <= {max(1, delay // workers), max(1, -(-delay // workers))}


@settings(max_examples=60)
@given(schedules(), st.integers(-100, 1000))
def test_each_worker_has_a_delay_between_its_slots(schedule: Schedule, begin: int) -> None:
    cycle = max(len(schedule.active), schedule.cycle)
    dealt = slots(schedule, begin, 4 * cycle)
    for worker in schedule.active:
        ticks = [tick for tick, owner in dealt if owner == worker]
        assert len(ticks) == 4
        assert {after - before for before, after in pairwise(ticks)} == {cycle}


@given(schedules())
def test_a_schedule_begins_with_its_first_worker_in_dealing_order(schedule: Schedule) -> None:
    cycle = max(len(schedule.active), schedule.cycle)
    dealt = slots(schedule, schedule.effective_tick, cycle)
    assert dealt[0][0] == schedule.effective_tick
    assert tuple(owner for _, owner in dealt) == schedule.active


def test_two_workers_for_five_ticks() -> None:
    schedule = Schedule((7, 3), PERIOD, 1, 100, 4, cycle=5)
    assert [schedule.owner(tick) for tick in range(100, 110)] == [
        7, None, None, 3, None, 7, None, None, 3, None]


@given(schedules())
def test_timers_are_equally_spaced(schedule: Schedule) -> None:
    cycle = max(len(schedule.active), schedule.cycle)
    assert schedule.timer_period_ns == cycle * PERIOD
    offsets = [schedule.timer_offset_ns(worker) for worker in schedule.active]
    offsets.append(schedule.timer_period_ns)
    assert offsets[0] == 0
    exact = schedule.timer_period_ns / len(schedule.active)
    assert all(abs(after - before - exact) <= 1 for before, after in pairwise(offsets))
    assert exact >= PERIOD


@given(st.integers(0, 10**10), st.integers(0, 10**8), st.integers(1, 10**9))
def test_the_promised_delay_is_the_shortest_that_holds(duration: int, handover: int,
                                                       period: int) -> None:
    delay = promised_delay_ticks(duration, handover, period)
    assert delay >= 1
    assert delay * period >= duration + handover
    assert delay == 1 or (delay - 1) * period < duration + handover


@pytest.mark.parametrize(("duration_ms", "delay"), [(0, 1), (14, 1), (14.000001, 2), (30, 2),
                                                    (94, 6), (94.1, 7)])
def test_promised_delays_with_two_milliseconds_of_handover(duration_ms: float, delay: int) -> None:
    assert promised_delay_ticks(round(duration_ms * 1e6), 2_000_000, PERIOD) == delay


HOLDING = Schedule((0, 1), PERIOD, 1, 0, 3, 40_000_000)
"""T is 40 ms: a little less than the 48 ms that three ticks take."""


def test_an_action_is_meant_for_the_promised_tick() -> None:
    assert HOLDING.due_tick(10) == 13


@pytest.mark.parametrize(("end_ms", "release_ms"), [(5, 40), (40, 40), (41, 41), (200, 200)])
def test_an_action_is_held_for_the_schedules_duration(end_ms: int, release_ms: int) -> None:
    start = 7_000_000_000
    released = HOLDING.release_ns(start, start + end_ms * 1_000_000)
    assert released == start + release_ms * 1_000_000


@settings(max_examples=60)
@given(duration=st.integers(0, 10 * PERIOD), handover=st.integers(0, PERIOD // 2))
def test_a_held_action_leaves_between_its_tick_and_the_one_before(duration: int,
                                                                  handover: int) -> None:
    delay = promised_delay_ticks(duration, handover, PERIOD)
    schedule = Schedule((0,), PERIOD, 1, 0, delay, duration)
    released = schedule.release_ns(0, 0)
    assert (delay - 1) * PERIOD <= released <= delay * PERIOD
    assert released + handover <= delay * PERIOD or released == (delay - 1) * PERIOD


@pytest.mark.parametrize("schedule", [
    Schedule((0,), PERIOD, 0, 0, 3, 40_000_000),
    Schedule((0,), PERIOD, 1, 0, 3, 40_000_000, Algorithm.EXP_TIME)])
def test_nothing_is_held_by_exp_time_or_before_anything_was_measured(schedule: Schedule) -> None:
    assert schedule.due_tick(10) == -1
    assert schedule.release_ns(1000, 1005) == 1005


@pytest.mark.parametrize("active", [(), (1, 1)])
def test_active_workers_must_be_present_and_distinct(active: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="active workers"):
        Schedule(active, PERIOD)


@pytest.mark.parametrize("impossible", [
    {"promised_delay_ticks": 0}, {"period_ns": 0}, {"hold_ns": -1}])
def test_impossible_schedules_are_refused(impossible: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="impossible schedule"):
        Schedule(**{"active": (0,), "period_ns": PERIOD, **impossible})


@given(st.integers(1, 8), st.integers(1, 40))
def test_processes_share_the_workers_out(processes: int, workers: int) -> None:
    shares = [workers_of_process(process, processes, workers) for process in range(processes)]
    assert sorted(worker for share in shares for worker in share) == list(range(workers))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    for share in shares:
        assert all(after - before == processes for before, after in pairwise(share))


@given(st.integers(1, 8), st.integers(0, 10**9), st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 10**8)), min_size=1, max_size=60))
def test_learners_start_spaced_and_no_later_than_they_must(
    learners: int, duration_ns: int, updates: list[tuple[int, int]]
) -> None:
    """Whoever is ready, and however long it really takes: starts are a share of T apart."""
    free_from_ns, ready = 0, [0] * 8
    starts: list[int] = []
    for learner, took_ns in sorted(updates, key=lambda update: ready[update[0]]):
        before_ns = free_from_ns
        start_ns, free_from_ns = spaced_start_ns(
            ready[learner], free_from_ns, duration_ns, learners)
        assert start_ns in (ready[learner], before_ns) and start_ns >= ready[learner]
        starts.append(start_ns)
        ready[learner] = start_ns + took_ns
    apart = [after - before for before, after in pairwise(starts)]
    assert all(each >= duration_ns // learners for each in apart)


@given(st.integers(1, 8), st.integers(1, 10**6), st.integers(1, 40))
def test_equal_learners_start_one_after_another_and_lose_nothing(
    learners: int, part_ns: int, rounds: int
) -> None:
    duration_ns = part_ns * learners
    free_from_ns, ready = 0, [0] * learners
    starts = []
    for _ in range(rounds * learners):
        learner = ready.index(min(ready))
        start_ns, free_from_ns = spaced_start_ns(
            ready[learner], free_from_ns, duration_ns, learners)
        starts.append((learner, start_ns))
        ready[learner] = start_ns + duration_ns
    assert starts == [(index % learners, index * part_ns) for index in range(len(starts))]
