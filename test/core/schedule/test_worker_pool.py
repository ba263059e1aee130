"""The workers of a process, driven tick by tick: no clock, no thread, no sleep."""

from __future__ import annotations

import heapq
import math
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_rl.core.enumerations import Algorithm, Dealing, Miss, SlotSource
from realtime_rl.core.schedule.stagger import (
    HOLDING,
    Schedule,
    promised_delay_ticks,
    workers_of_process,
)
from realtime_rl.core.schedule.worker_pool import Finished, Slot, WorkerPool

PERIOD = 16_000_000
Duration = Callable[[int], int]


def schedule(workers: int, delay: int, **details: object) -> Schedule:
    """Generation 1 from tick 0 on, reckoning with just what `delay` allows."""
    return Schedule(**{
        "active": tuple(range(workers)), "period_ns": PERIOD, "generation": 1,
        "promised_delay_ticks": delay, "cycle": delay, "hold_ns": delay * PERIOD,
        **details})


@dataclass
class Run:
    """What came of some ticks."""

    taken: list[Slot] = field(default_factory=list)
    missed: list[Slot] = field(default_factory=list)
    left: list[tuple[int, Finished[int]]] = field(default_factory=list)
    ends: dict[int, int] = field(default_factory=dict)

    def applied(self) -> dict[int, int]:
        """Observation by the tick that its action reaches, an action lasting for one tick."""
        return {max(f.slot.due_tick, -(-time // PERIOD)): f.tick for time, f in self.left}


def run(pools: list[WorkerPool[int]], ticks: int, duration: Duration, *,
        jitter: Duration = lambda tick: 0,
        changes: Mapping[int, Schedule] | None = None) -> Run:
    """Drive pools through `ticks`; a computation is done half-way, the accelerator later."""
    out, count = Run(), ticks
    events = [(tick * PERIOD + jitter(tick), tick, tick, None) for tick in range(ticks)]
    heapq.heapify(events)

    def begin(pool: WorkerPool[int], slot: Slot, now: int) -> None:
        nonlocal count
        if slot.worker < 0:
            out.missed.append(slot)
            return
        out.taken.append(slot)
        out.ends[slot.tick] = now + duration(slot.tick)
        heapq.heappush(events, (now + duration(slot.tick) // 2, count := count + 1, slot.tick,
                                (pool, slot)))

    while (next_due := due_first(pools)) or events:
        if next_due and (not events or next_due[0] <= events[0][0]):
            due, index = next_due
            out.left += [(due, finished) for finished in pools[index].due(due)]
            for slot in pools[index].on_idle(due):
                begin(pools[index], slot, due)
            continue
        now, _, tick, done = heapq.heappop(events)
        if done is not None:
            pool, slot = done
            pool.on_result(slot, now, duration(slot.tick), slot.tick)
            continue
        for pool in pools:
            if changes and tick in changes:
                pool.set_schedule(changes[tick])
            for slot in pool.on_observation(tick, tick * PERIOD, now):
                begin(pool, slot, now)
    return out


def due_first(pools: list[WorkerPool[int]]) -> tuple[int, int] | None:
    """When the first of them is due, and which that is."""
    return min(((due, index) for index, pool in enumerate(pools)
                if (due := pool.next_due_ns()) is not None), default=None)


def one_pool(first: Schedule, hosted: int = 64) -> list[WorkerPool[int]]:
    return [WorkerPool(tuple(range(hosted)), first)]


def check_sanity(out: Run, schedules: list[Schedule]) -> None:
    """No worker overlaps itself, no slot is dealt twice, everything that was begun leaves."""
    assert max(Counter(slot.tick for slot in out.taken + out.missed).values(), default=1) == 1
    idle_from: dict[int, int] = {}
    for slot in sorted(out.taken, key=lambda s: s.start_ns):
        assert slot.start_ns >= idle_from.get(slot.worker, 0)
        idle_from[slot.worker] = out.ends[slot.tick]
        assert any(slot.worker in s.active for s in schedules)
    assert sorted(f.tick for _, f in out.left) == [slot.tick for slot in out.taken]
    for time, finished in out.left:
        assert time == finished.release_ns >= finished.end_ns == out.ends[finished.tick]
        assert finished.result == finished.tick


@settings(max_examples=80, deadline=None)
@given(workers=st.integers(1, 12), delay=st.integers(1, 12), seed=st.integers(0, 2**32),
       dealing=st.sampled_from(Dealing), algorithm=st.sampled_from((*HOLDING, Algorithm.EXP_TIME)),
       processes=st.integers(1, 3), cv=st.sampled_from([0.05, 0.3, 1.0]))
def test_whatever_inference_takes_the_pool_stays_sane(
        *, workers: int, delay: int, seed: int, dealing: Dealing, algorithm: Algorithm,
        processes: int, cv: float) -> None:
    rng = random.Random(seed)
    durations = [round(delay * PERIOD * 0.7 * rng.lognormvariate(0, cv)) for _ in range(80)]
    jitters = [rng.randrange(3_000_000) for _ in range(80)]
    plan = schedule(workers, delay, dealing=dealing, algorithm=algorithm)
    pools = [WorkerPool(workers_of_process(process, processes, workers), plan)
             for process in range(processes)]
    out = run(pools, 80, durations.__getitem__, jitter=jitters.__getitem__)
    check_sanity(out, [plan])
    slots = [tick for tick in range(80) if plan.owner(tick) is not None]
    assert sorted(slot.tick for slot in out.taken + out.missed) == slots
    if dealing is Dealing.FIXED:
        assert all(slot.worker == plan.owner(slot.tick) for slot in out.taken)
    if algorithm is Algorithm.EXP_TIME:
        assert all(time == out.ends[f.tick] for time, f in out.left)
        assert all(slot.due_tick == -1 for slot in out.taken)


@settings(max_examples=60, deadline=None)
@given(workers=st.integers(1, 12), delay=st.integers(1, 12), seed=st.integers(0, 2**32),
       dealing=st.sampled_from(Dealing))
def test_held_actions_leave_in_order_one_a_slot(workers: int, delay: int, seed: int,
                                                dealing: Dealing) -> None:
    rng = random.Random(seed)
    handover = 2_000_000
    longest = delay * PERIOD - handover
    durations = [rng.randrange(1, longest + 1) for _ in range(60)]
    jitters = [rng.randrange(1_000_000) for _ in range(60)]
    plan = schedule(workers, delay, hold_ns=longest, dealing=dealing)
    out = run(one_pool(plan), 60, durations.__getitem__, jitter=jitters.__getitem__)
    check_sanity(out, [plan])
    order = [finished.tick for _, finished in out.left]
    assert order == sorted(order)
    for time, finished in out.left:
        assert finished.tick == finished.slot.due_tick - delay
        # it leaves a hand-over before its tick, and not before the tick ahead of that
        assert (delay - 1) * PERIOD <= time - finished.tick * PERIOD <= delay * PERIOD


@pytest.mark.parametrize("dealing", Dealing)
@pytest.mark.parametrize("delay", [1, 2, 7, 72])
def test_as_many_workers_as_the_delay_miss_no_slot(delay: int, dealing: Dealing) -> None:
    plan = schedule(delay, delay, dealing=dealing)
    out = run(one_pool(plan, 72), 300, lambda tick: delay * PERIOD)
    assert not out.missed
    assert out.applied() == {tick + delay: tick for tick in range(300)}
    assert {slot.worker for slot in out.taken} == set(range(delay))


def test_one_worker_less_misses_one_slot_in_a_round() -> None:
    plan = Schedule(tuple(range(6)), PERIOD, 1, 0, 6, 6 * PERIOD)
    pool: WorkerPool[int] = WorkerPool(tuple(range(5)), plan)  # worker 5's process is dead
    out = run([pool], 300, lambda tick: 6 * PERIOD)
    assert len(out.taken) == 250
    assert not out.missed  # the slots are another process' to report


def test_one_worker_leaves_five_ticks_of_six_to_the_default_policy() -> None:
    out = run(one_pool(schedule(1, 6)), 600, lambda tick: 6 * PERIOD)
    assert not out.missed
    assert set(out.applied()) == set(range(6, 606, 6))


@settings(max_examples=40, deadline=None)
@given(delay=st.integers(1, 10), late=st.integers(1, 60), dealing=st.sampled_from(Dealing))
def test_an_overrun_costs_a_slot_for_each_round_it_lasts(delay: int, late: int,
                                                         dealing: Dealing) -> None:
    out = run(one_pool(schedule(delay, delay, dealing=dealing)), 200,
              lambda tick: (delay + late * (tick == 50)) * PERIOD)
    assert len(out.missed) == -(-late // delay)
    assert all(50 + delay <= slot.tick < 50 + delay + late for slot in out.missed)
    assert dict(out.applied())[50 + delay + late] in (50, 50 + late)


def test_pooled_workers_stand_in_for_each_other() -> None:
    """Where the turn's own worker overruns, any idle one takes the slot."""
    def duration(tick: int) -> int:
        return (5 if tick == 4 else 1) * PERIOD

    pooled = run(one_pool(schedule(3, 3)), 40, duration)
    fixed = run(one_pool(schedule(3, 3, dealing=Dealing.FIXED)), 40, duration)
    assert not pooled.missed
    assert [slot.tick for slot in fixed.missed] == [7]


@st.composite
def generations(draw: st.DrawFn) -> tuple[list[Schedule], dict[int, Schedule]]:
    """A first schedule and up to three changes, each told before or after it is to hold."""
    hosted = 12
    effective, plans, changes = 0, [], {}
    for generation in range(1, draw(st.integers(2, 4)) + 1):
        active = draw(st.permutations(range(hosted)))[:draw(st.integers(1, hosted))]
        plans.append(schedule(1, draw(st.integers(1, 12)), active=tuple(active),
                              generation=generation, effective_tick=effective,
                              dealing=draw(st.sampled_from(Dealing))))
        if generation > 1:
            told = max(1, *changes, effective + draw(st.integers(-20, 5))) if changes else max(
                1, effective + draw(st.integers(-20, 5)))
            changes[told + (told in changes)] = plans[-1]
        effective += draw(st.integers(1, 40))
    return plans, changes


@settings(max_examples=80, deadline=None)
@given(generations(), st.integers(1, 12))
def test_a_change_of_generation_costs_at_most_a_slot_a_worker(
        drawn: tuple[list[Schedule], dict[int, Schedule]], ticks_of_inference: int) -> None:
    plans, changes = drawn
    shortest = min(plan.promised_delay_ticks for plan in plans)
    duration = min(ticks_of_inference, shortest) * PERIOD
    out = run(one_pool(plans[0], 12), 250, lambda tick: duration, changes=changes)
    check_sanity(out, plans)
    missed = Counter(slot.generation for slot in out.missed)
    for plan in plans[1:]:
        assert missed[plan.generation] <= len(plan.active)
    assert missed[1] == 0
    told = {plan.generation: tick for tick, plan in changes.items()}
    for slot in out.taken + out.missed:
        # told in time, a schedule holds from its effective tick on; told late, at once
        holds = [plan for plan in plans
                 if slot.tick >= max(plan.effective_tick, told.get(plan.generation, 0))]
        assert slot.generation == holds[-1].generation
        assert slot.due_tick == slot.tick + holds[-1].promised_delay_ticks


@settings(max_examples=60, deadline=None)
@given(delay=st.integers(1, 8), spare=st.integers(0, 3), tick=st.integers(12, 40),
       data=st.data(), before=st.sampled_from(Dealing))
def test_a_change_to_fixed_dealing_costs_nothing_where_enough_are_free(
        *, delay: int, spare: int, tick: int, data: st.DataObject, before: Dealing) -> None:
    """Whoever is free takes the first turn of one that is not, and keeps it."""
    workers = delay + spare
    order = tuple(data.draw(st.permutations(range(workers))))
    fixed = schedule(workers, delay, generation=2, effective_tick=tick, active=order,
                     dealing=Dealing.FIXED)
    out = run(one_pool(schedule(workers, delay, dealing=before)), 100,
              lambda tick: delay * PERIOD, changes={tick: fixed})
    check_sanity(out, [fixed])
    assert not out.missed
    turns = {slot.tick: slot.worker for slot in out.taken if slot.tick >= tick}
    assert set(turns.values()) == set(range(workers))
    assert all(turns[later] == turns[later - workers] for later in turns if later >= tick + workers)


@settings(max_examples=60, deadline=None)
@given(delay=st.integers(1, 8), spare=st.integers(0, 3), tick=st.integers(12, 40),
       data=st.data(), before=st.sampled_from(Dealing))
def test_a_change_to_timers_costs_nothing_where_enough_are_free(
        *, delay: int, spare: int, tick: int, data: st.DataObject, before: Dealing) -> None:
    workers = delay + spare
    timed = schedule(workers, delay, generation=2, effective_tick=tick,
                     active=tuple(data.draw(st.permutations(range(workers)))),
                     slot_source=SlotSource.TIMER)
    [pool] = one_pool(schedule(workers, delay, dealing=before))
    pool.set_schedule(timed)
    for now in range(100):
        if pool.schedule_at(now).by_timers:
            worker = timed.active[(now - tick) % workers]
            slot, miss = pool.on_timer(worker, now, 0, now * PERIOD + 1)
            assert miss is Miss.NONE
        else:
            [slot] = pool.on_observation(now, 0, now * PERIOD)
            assert slot.worker >= 0
        pool.on_result(slot, slot.start_ns, delay * PERIOD, now)


BEFORE = (Algorithm.MAX_TIME, Algorithm.EXP_TIME, Algorithm.SEQUENTIAL, Algorithm.SINGLE_QUEUE)


@settings(max_examples=60, deadline=None)
@given(workers=st.integers(2, 8), delay=st.integers(2, 8), tick=st.integers(12, 40),
       before=st.sampled_from(BEFORE), processes=st.integers(1, 2),
       slot_source=st.sampled_from(SlotSource))
def test_workers_that_were_staggered_start_together_once_they_are_not_to_be(
        *, workers: int, delay: int, tick: int, before: Algorithm, processes: int,
        slot_source: SlotSource) -> None:
    plain = schedule(workers, delay, generation=2, effective_tick=tick, slot_source=slot_source,
                     algorithm=Algorithm.UNSTAGGERED)
    assert not plain.by_timers
    pools = [WorkerPool(workers_of_process(process, processes, workers),
                        schedule(workers, delay, algorithm=before))
             for process in range(processes)]
    out = run(pools, 100, lambda _: delay * PERIOD - 1, changes={tick: plain})
    begun = Counter(slot.tick for slot in out.taken if slot.generation == 2)
    assert set(begun.values()) == {workers}
    assert min(begun) == tick + delay


def test_workers_that_start_together_go_on_as_they_are() -> None:
    """Another delay is no reason to wait; a worker that joins them is."""
    plain = schedule(3, 2, active=(0, 1), algorithm=Algorithm.UNSTAGGERED)
    slower = replace(plain, generation=2, promised_delay_ticks=4, effective_tick=9)
    more = replace(slower, generation=3, active=(0, 1, 2), effective_tick=20)
    fewer = replace(slower, generation=4, effective_tick=40)
    assert slower.begins_at(plain) == 9
    assert more.begins_at(slower) == 24
    assert fewer.begins_at(more) == 40
    assert plain.begins_at(replace(plain, generation=0)) == 2  # they began as they were there


def test_a_plant_that_begins_anew_is_not_kept_waiting_for_workers_to_start_together() -> None:
    [pool] = one_pool(schedule(2, 30))
    pool.set_schedule(schedule(2, 30, generation=2, effective_tick=5,
                               algorithm=Algorithm.UNSTAGGERED))
    assert pool.on_observation(6, 0, 6 * PERIOD) == []
    assert pool.next_due_ns() is None
    assert len(pool.on_observation(0, 0, 7 * PERIOD)) == 2


def test_the_newest_generation_wins_when_it_holds_sooner() -> None:
    pool = one_pool(schedule(2, 2))[0]
    pool.set_schedule(schedule(2, 3, generation=2, effective_tick=50))
    pool.set_schedule(schedule(2, 4, generation=3, effective_tick=40))
    assert [pool.schedule_at(tick).generation for tick in (39, 40, 50, 60)] == [1, 3, 3, 3]


def test_a_generation_that_waits_may_be_refreshed() -> None:
    pool = one_pool(schedule(2, 2))[0]
    coming = schedule(2, 3, generation=2, effective_tick=50)
    pool.set_schedule(coming)
    pool.set_schedule(replace(coming, hold_ns=5))
    assert pool.schedule_at(49).generation == 1
    assert pool.schedule_at(50).hold_ns == 5


def test_a_refreshed_duration_holds_from_the_next_slot_on() -> None:
    first = schedule(2, 2, hold_ns=20_000_000)
    out = run(one_pool(first), 10, lambda tick: 10_000_000,
              changes={5: replace(first, hold_ns=30_000_000)})
    held = {f.tick: time - f.slot.arrived_ns for time, f in out.left}
    assert [held[tick] for tick in range(3, 7)] == [20_000_000] * 2 + [30_000_000] * 2


@pytest.mark.parametrize(("before", "after"), [(3, 6), (6, 3)])
def test_an_action_leaves_by_the_schedule_that_dealt_its_slot(before: int, after: int) -> None:
    out = run(one_pool(schedule(6, before)), 60, lambda tick: 2 * PERIOD,
              changes={20: schedule(6, after, generation=2, effective_tick=30)})
    for time, finished in out.left:
        delay = before if finished.tick < 30 else after
        assert time == (finished.tick + delay) * PERIOD
        assert finished.slot.due_tick == finished.tick + delay


def test_before_anything_was_measured_workers_start_as_they_can() -> None:
    plan = Schedule((0, 1), PERIOD, dealing=Dealing.FIXED)
    out = run(one_pool(plan), 12, lambda tick: 3 * PERIOD)
    assert [slot.tick for slot in out.taken] == [0, 1, 3, 4, 6, 7, 9, 10]
    assert [slot.tick for slot in out.missed] == [2, 5, 8, 11]
    assert all(time == out.ends[finished.tick] for time, finished in out.left)
    assert {slot.due_tick for slot in out.taken} == {-1}


def test_ticks_that_were_jumped_over_are_missed_slots() -> None:
    pool = one_pool(schedule(2, 4))[0]
    assert [slot.tick for slot in pool.on_observation(10, 0, 0)] == [10]
    slots = pool.on_observation(15, 0, 5 * PERIOD)
    assert [(slot.tick, slot.worker) for slot in slots] == [(12, -1), (14, -1)]


@given(period_ns=st.integers(100_000, 10**10), jumped=st.integers(1, 10**9))
def test_what_was_jumped_over_is_told_for_half_a_second_and_no_longer(
        period_ns: int, jumped: int) -> None:
    [pool] = one_pool(schedule(4, 4, period_ns=period_ns))
    pool.on_observation(0, 0, 0)
    slots = [slot.tick for slot in pool.on_observation(jumped, 0, PERIOD)]
    told = max(64, math.ceil(0.5e9 / period_ns))
    assert slots == list(range(max(1, jumped - told), jumped + 1))


def test_an_observation_that_comes_again_is_no_slot() -> None:
    pool = one_pool(schedule(2, 2))[0]
    assert len(pool.on_observation(3, 0, 0)) == 1
    assert pool.on_observation(3, 0, 10) == []


def test_a_plant_that_begins_anew_is_followed_at_once() -> None:
    pool = one_pool(schedule(2, 2))[0]
    pool.on_observation(500, 0, 0)
    pool.set_schedule(schedule(2, 3, generation=2, effective_tick=520))
    [slot] = pool.on_observation(0, 0, 100 * PERIOD)
    assert (slot.tick, slot.generation, slot.due_tick) == (0, 2, 3)
    assert pool.schedule_at(1).generation == 2


def test_only_active_workers_take_slots() -> None:
    plan = schedule(3, 3, active=(4, 1, 7))
    out = run(one_pool(plan), 30, lambda tick: PERIOD)
    assert {slot.worker for slot in out.taken} == {4, 1, 7}


def test_the_worker_that_rested_longest_is_taken() -> None:
    out = run(one_pool(schedule(3, 3)), 12, lambda tick: PERIOD)
    assert [slot.worker for slot in out.taken] == [0, 1, 2] * 4


def test_busy_counts_computations_and_what_counts_as_one() -> None:
    pool = one_pool(schedule(2, 2))[0]
    assert pool.busy(0) == 0
    [first] = pool.on_observation(0, 0, 0)
    assert pool.busy(0) == 1
    [second] = pool.on_observation(1, 0, PERIOD)
    assert pool.busy(PERIOD) == 2
    pool.on_result(first, PERIOD + 1, 0, 0)
    pool.on_result(second, PERIOD + 1, 10, 1)
    assert pool.busy(PERIOD + 1) == 1  # the second one's accelerator is emulated
    assert pool.busy(PERIOD + 10) == 0


def test_a_computation_in_flight_is_looked_at_when_its_action_is_to_leave() -> None:
    [pool] = one_pool(schedule(2, 2))
    [slot] = pool.on_observation(0, 0, 100)
    assert pool.next_due_ns() == slot.planned_ns > 100
    assert pool.due(slot.planned_ns) == []
    assert pool.next_due_ns() is None  # it is late: nobody waits for it in a circle
    pool.on_result(slot, slot.planned_ns + 5, 0, 0)
    assert pool.next_due_ns() == slot.planned_ns + 5


def test_a_result_that_is_there_leaves_when_planned() -> None:
    [pool] = one_pool(schedule(2, 2))
    [slot] = pool.on_observation(0, 0, 100)
    pool.on_result(slot, 200, 0, 0)
    assert pool.next_due_ns() == slot.planned_ns
    assert [finished.slot for finished in pool.due(slot.planned_ns)] == [slot]


def test_results_wait_until_they_are_due() -> None:
    pool = one_pool(schedule(2, 2))[0]
    assert pool.next_due_ns() is None
    [slot] = pool.on_observation(0, 0, 100)
    pool.on_result(slot, 200, 0, 0)
    due = pool.next_due_ns()
    assert due == 100 + 2 * PERIOD
    assert pool.due(due - 1) == []
    [finished] = pool.due(due)
    assert (finished.end_ns, finished.release_ns, finished.slot) == (200, due, slot)
    assert pool.next_due_ns() is None


def test_an_emulated_accelerator_keeps_its_worker_busy() -> None:
    pool = one_pool(schedule(1, 1, algorithm=Algorithm.EXP_TIME))[0]
    [slot] = pool.on_observation(0, 0, 0)
    pool.on_result(slot, 10, 3 * PERIOD, 0)
    workers = [pool.on_observation(tick, 0, tick * PERIOD)[0].worker for tick in (1, 2, 3)]
    assert workers == [-1, -1, 0]
    assert pool.next_due_ns() == 3 * PERIOD


def test_a_timer_takes_the_newest_observation_once() -> None:
    pool = one_pool(schedule(2, 2))[0]
    slot, miss = pool.on_timer(1, 5, 77, 100)
    assert (slot.tick, slot.stamp_ns, slot.worker, slot.due_tick, miss) == (5, 77, 1, 7, Miss.NONE)
    assert (slot.arrived_ns, slot.start_ns) == (100, 100)
    slot, miss = pool.on_timer(0, 5, 77, 110)
    assert (slot.worker, miss) == (-1, Miss.REPEATED)


def test_a_timer_of_a_busy_worker_leaves_the_observation_to_the_next() -> None:
    pool = one_pool(schedule(2, 2))[0]
    pool.on_timer(1, 5, 0, 100)
    slot, miss = pool.on_timer(1, 6, 0, 200)
    assert (slot.worker, miss) == (-1, Miss.BUSY)
    slot, miss = pool.on_timer(0, 6, 0, 210)
    assert (slot.worker, miss) == (0, Miss.NONE)


def test_a_timer_follows_schedules_and_plants_that_begin_anew() -> None:
    pool = one_pool(schedule(2, 2))[0]
    pool.on_timer(0, 500, 0, 0)
    pool.set_schedule(schedule(2, 3, generation=2, effective_tick=502))
    assert pool.on_timer(1, 501, 0, PERIOD)[0].generation == 1
    assert pool.on_timer(1, 502, 0, 2 * PERIOD)[0].generation == 2
    pool.set_schedule(schedule(3, 3, generation=3, effective_tick=600))
    slot, miss = pool.on_timer(2, 0, 0, 10 * PERIOD)
    assert (slot.tick, slot.generation, miss) == (0, 3, Miss.NONE)


def test_a_late_schedule_of_a_restarted_process_joins_the_others_in_phase() -> None:
    """A process that is told of the schedule afterwards deals the same slots as the others."""
    plan = schedule(4, 4, active=(2, 3, 0, 1), effective_tick=100)
    pool: WorkerPool[int] = WorkerPool((1, 3), Schedule((0, 1, 2, 3), PERIOD))
    pool.set_schedule(plan)
    ticks = [tick for tick in range(200, 220) if pool.on_observation(tick, 0, tick * PERIOD)]
    assert ticks == [tick for tick in range(200, 220) if plan.owner(tick) in (1, 3)]


def test_held_delays_are_the_promised_ones() -> None:
    """D, T and the period agree with each other as the coordinator computes them."""
    duration = 94_000_000
    delay = promised_delay_ticks(duration, 2_000_000, PERIOD)
    plan = schedule(delay, delay, hold_ns=duration)
    out = run(one_pool(plan), 50, lambda tick: duration)
    assert delay == 6
    assert out.applied() == {tick + 6: tick for tick in range(50)}


@pytest.mark.parametrize("dealing", list(Dealing))
def test_the_slots_of_a_worker_that_hangs_go_to_the_others(dealing: Dealing) -> None:
    pool: WorkerPool[int] = WorkerPool((0, 1), schedule(2, 2, dealing=dealing, hold_ns=0))
    hanging, = pool.on_observation(0, 0, 0)
    pool.write_off(hanging)
    assert pool.hung == 1
    for tick in range(1, 9):
        now = tick * PERIOD
        taken, = pool.on_observation(tick, now, now)
        assert taken.worker == 1 - hanging.worker
        pool.on_result(taken, now + 1, 0, tick)
    assert hanging.tick not in [finished.tick for finished in pool.due(10**12)]
    pool.back(hanging, 9 * PERIOD)
    assert pool.hung == 0
    assert {pool.on_observation(tick, 0, tick * PERIOD)[0].worker for tick in (9, 10)} == {0, 1}
    assert pool.due(10**12) == []  # what it gave too late is nowhere


def test_where_all_hang_slots_are_missed() -> None:
    pool: WorkerPool[int] = WorkerPool((0, 1), schedule(2, 2))
    for tick in (0, 1):
        pool.write_off(pool.on_observation(tick, 0, tick * PERIOD)[0])
    assert pool.hung == 2
    assert pool.on_observation(2, 0, 2 * PERIOD)[0].worker == -1
    assert pool.next_due_ns() is None


def test_an_observation_that_is_lost_is_a_slot_missed() -> None:
    pool: WorkerPool[int] = WorkerPool((0,), schedule(2, 2))  # every second tick is its own
    assert [slot.worker for slot in pool.on_observation(0, 0, 0)] == [0]
    assert pool.on_lost(1, PERIOD, PERIOD) == []
    (missed,) = pool.on_lost(2, 2 * PERIOD, 2 * PERIOD)
    assert (missed.tick, missed.worker, missed.stamp_ns) == (2, -1, 2 * PERIOD)
    assert pool.on_lost(2, 2 * PERIOD, 2 * PERIOD) == []
    assert [slot.tick for slot in pool.on_lost(6, 6 * PERIOD, 6 * PERIOD)] == [4, 6]
    assert pool.on_observation(7, 7 * PERIOD, 7 * PERIOD) == []


def test_a_baseline_without_slots_misses_none() -> None:
    pool: WorkerPool[int] = WorkerPool((0,), schedule(1, 1, algorithm=Algorithm.UNSTAGGERED))
    assert pool.on_lost(1, PERIOD, PERIOD) == []


def test_a_chunk_leaves_when_it_is_ready() -> None:
    for held, leaves in ((True, 3 * PERIOD), (False, 5)):
        pool: WorkerPool[str] = WorkerPool((0, 1, 2), schedule(3, 3))
        slot, = pool.on_observation(0, 1, 0)
        pool.on_result(slot, 5, 0, "rows", held=held)
        assert pool.next_due_ns() == leaves
        assert [each.result for each in pool.due(leaves)] == ["rows"]
