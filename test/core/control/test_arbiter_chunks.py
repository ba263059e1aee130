"""The actuator's judgement of chunks, through whole lives of a simulated plant."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import pytest
from arbiter_world import DRAIN, KNOBS, LIMITS, MS, PERIOD, SEEDS, SPACE, World, lives, stamp
from hypothesis import given, settings

from realtime_rl.core.control import default_policy
from realtime_rl.core.control.arbiter import Arbiter
from realtime_rl.core.control.chunk_book import Chunking
from realtime_rl.core.control.chunk_merging import Merge
from realtime_rl.core.enumerations import Fate, MergeRule, Reason
from realtime_rl.core.messages.records import ActionMessage
from realtime_rl.core.types import ActionSpace, Cause

DELAY = 4


def chunk(tick: int, rows: int = 10, due: int | None = None, *, worker: int = 1, offset: int = 1,
          life: int = 0, bad: float | None = None) -> ActionMessage:
    """Row of tick `n` says `n % 3`."""
    first = tick + offset
    values = [((first + row) % 3 * 1.0,) for row in range(rows)]
    if bad is not None:
        values[-1] = (bad,)
    return ActionMessage(stamp(tick, life), tick, tick + DELAY if due is None else due, worker, 7,
                         2, values[0], tuple(values), max(first, 0))


def check_the_law(world: World, *, calm: bool = False) -> None:
    """Every chunk one fate, every tick one cause, and they agree.

    `calm`: the plant keeps its grid and messages are in time; else it may latch a row at another
    tick than it was sent for, and says so.
    """
    arrivals = Counter(now / 1e9 for now, _ in world.delivered)
    assert Counter(v.arrival_s for v in world.verdicts
                   if v.fate is not Fate.DEFAULTED) == arrivals
    told = {v.stamp_ns: v for v in world.verdicts if v.fate is Fate.APPLIED}
    came = {now / 1e9: message for now, message in world.delivered}
    acted: dict[int, list[int]] = {}
    for life in lives(world):
        stamps = {step.tick: step.stamp_ns for step in life}
        for step in life:
            if step.cause is Cause.POLICY:
                seen = stamps[step.observation_tick]
                acted.setdefault(seen, []).append(step.tick)
                message = came[told[seen].arrival_s]
                assert step.action == message.rows[step.row]
                if calm:
                    assert step.tick == message.first_tick + step.row
                    assert step.tick >= max(message.due_tick, message.first_tick)
    assert {seen: (min(ticks), len(ticks)) for seen, ticks in acted.items()} == {
        seen: (v.tick, v.rows) for seen, v in told.items()}
    assert sum(v.fate is Fate.APPLIED for v in world.verdicts) == len(told)
    assert [v.tick for v in world.verdicts if v.fate is Fate.DEFAULTED] == [
        s.tick for s in world.steps if s.cause is Cause.DEFAULT]


def random_chunks(world: World, ticks: int, how_many: int, begin: int = 0, life: int = 0) -> None:
    rng = world.rng
    for _ in range(how_many):
        tick = rng.randrange(0, ticks + 5)
        late = rng.choice([0, 1, 3, 5, 40]) + rng.random()
        due = rng.choice([-1, tick + 1, tick + 2, tick + 6, tick + 10_000])
        what = chunk(tick, rng.choice([1, 3, 10, 30]), due, worker=rng.randrange(4),
                     offset=rng.randrange(2), life=life,
                     bad=rng.choice([None] * 6 + [math.nan, 9.0]))
        time = max(0, begin + int((tick + late) * PERIOD)) + rng.randrange(1000)
        world.act(time, what)
        if rng.random() < 0.1:
            world.act(time + rng.randrange(PERIOD), what)


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, knobs=KNOBS)
def test_every_chunk_has_one_fate_and_every_tick_one_cause(seed: int, knobs: object) -> None:
    world = World(seed, knobs)
    world.plant(60 + DRAIN)
    random_chunks(world, 60, 60)
    check_the_law(world.run())


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS)
def test_where_messages_are_in_time_each_row_acts_at_its_own_tick(seed: int) -> None:
    world = World(seed)
    world.plant(60 + DRAIN)
    random_chunks(world, 60, 40)
    check_the_law(world.run(), calm=True)


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, knobs=KNOBS)
def test_people_and_plants_that_begin_anew_are_accounted_for(seed: int, knobs: object) -> None:
    world = World(seed, knobs)
    again = world.rng.randrange(20, 80) * PERIOD + 100 * MS
    world.plant(world.rng.randrange(10, 50))
    world.plant(100 + DRAIN, max(again, 50 * PERIOD + 200 * MS), life=1)
    random_chunks(world, 50, 50)
    random_chunks(world, 100, 100, max(again, 50 * PERIOD + 200 * MS), life=1)
    for _ in range(world.rng.randrange(4)):
        begin = world.rng.randrange(100 * PERIOD)
        world.stop(begin, begin + world.rng.randrange(30 * PERIOD))
    for _ in range(world.rng.randrange(40)):
        world.operate(world.rng.randrange(100 * PERIOD), (world.rng.randrange(3) * 1.0,),
                      world.rng.random() < 0.8)
    check_the_law(world.run())


def staggered(world: World, every: int, rows: int, ticks: int = 60, *, lost: tuple[int, ...] = ()
              ) -> None:
    """A chunk of each `every`-th observation, ready 3.4 ticks later."""
    for tick in range(0, ticks, every):
        if tick not in lost:
            world.act(tick * PERIOD + int(3.4 * PERIOD), chunk(tick, rows))


@pytest.mark.parametrize("every", [1, 2, 3, 4, 7])
def test_one_chunk_every_so_many_ticks_leaves_no_tick_without(every: int) -> None:
    world = World()
    world.plant(60 + DRAIN)
    staggered(world, every, DELAY + every - 1)
    check_the_law(world.run(), calm=True)
    assert world.causes()[:DELAY] == [Cause.NONE] + (DELAY - 1) * [Cause.DEFAULT]
    assert set(world.causes()[DELAY:60]) == {Cause.POLICY}
    ages = {step.tick - step.observation_tick for step in world.steps[DELAY:60]}
    assert ages == set(range(DELAY, DELAY + every))


def test_rows_one_too_few_leave_one_tick_in_each_interval() -> None:
    world = World()
    world.plant(60 + DRAIN)
    staggered(world, 5, DELAY + 3)
    world.run()
    assert [step.tick % 5 for step in world.steps[DELAY:60]
            if step.cause is not Cause.POLICY] == [3] * 11


def test_a_lost_chunk_is_bridged_by_the_one_before() -> None:
    world = World()
    world.plant(60 + DRAIN)
    staggered(world, 5, DELAY + 9, lost=(20,))
    check_the_law(world.run(), calm=True)
    assert set(world.causes()[DELAY:60]) == {Cause.POLICY}
    assert {s.observation_tick for s in world.steps[24:29]} == {15}


def test_nothing_is_older_than_allowed() -> None:
    world = World()
    limits = replace(LIMITS, chunking=Chunking(max_age_ticks=6))
    world.arbiter = Arbiter(SPACE, default_policy.make("noop", SPACE), limits, 0)
    world.plant(60 + DRAIN)
    staggered(world, 10, 30)
    check_the_law(world.run(), calm=True)
    assert {s.tick - s.observation_tick for s in world.steps
            if s.cause is Cause.POLICY} == {4, 5, 6}
    assert sum(s.cause is Cause.DEFAULT for s in world.steps[4:54]) == 5 * 7


def test_a_chunk_that_comes_after_its_rows_is_late() -> None:
    world = World()
    world.plant(40)
    world.act(12 * PERIOD + 100, chunk(2, 10))
    world.act(13 * PERIOD + 100, chunk(3, 10))
    world.act(14 * PERIOD + 100, chunk(9, 3, due=14))
    check_the_law(world.run())
    assert [(v.observation_tick, v.reason) for v in world.verdicts if v.fate is Fate.REJECTED] == [
        (2, Reason.LATE), (3, Reason.LATE), (9, Reason.LATE)]


def test_a_chunk_that_comes_late_begins_with_the_next_ticks_row() -> None:
    world = World()
    world.plant(40)
    world.act(7 * PERIOD + 100, chunk(0, 10))
    check_the_law(world.run(), calm=True)
    assert [(s.tick, s.row) for s in world.steps if s.cause is Cause.POLICY] == [
        (8, 7), (9, 8), (10, 9)]


def test_an_older_chunk_is_late_once_a_newer_one_acted() -> None:
    world = World()
    world.plant(40)
    world.act(9 * PERIOD + 100, chunk(6))
    world.act(10 * PERIOD + 100, chunk(3, 30))
    world.run()
    assert [v.reason for v in world.verdicts if v.observation_tick == 3] == [Reason.LATE]


def test_two_generations_each_keep_their_promise() -> None:
    world = World()
    world.plant(60 + DRAIN)
    for tick in range(20):
        world.act(tick * PERIOD + int(3.4 * PERIOD), chunk(tick))
    for tick in range(20, 40):
        world.act(tick * PERIOD + int(1.4 * PERIOD), replace(
            chunk(tick, due=tick + 2), generation=3))
    check_the_law(world.run(), calm=True)
    # what the first promised is not needed any more once the second's is there
    ages = [step.tick - step.observation_tick for step in world.steps[4:40]]
    assert ages == 18 * [4] + 18 * [2]


def test_a_stop_voids_what_was_computed_before_it() -> None:
    world = World()
    world.plant(60 + DRAIN)
    staggered(world, 1, 20)
    world.stop(int(20.5 * PERIOD), int(30.5 * PERIOD))
    check_the_law(world.run(), calm=True)
    assert set(world.causes()[22:31]) == {Cause.STOP}
    assert min(s.observation_tick for s in world.steps[31:60]
               if s.cause is Cause.POLICY) > 20


def test_in_step_a_tick_costs_one_command() -> None:
    for every in (1, 4):
        world = World()
        world.plant(60 + DRAIN)
        staggered(world, every, 20)
        sent: list[int] = []
        plain = world.carry_out
        world.carry_out = lambda decision, plain=plain, sent=sent: (
            sent.append(len(decision.commands)), plain(decision))[1]
        world.run()
        assert sum(sent) <= len(world.steps) + 4


def test_an_ensemble_says_how_many_took_part() -> None:
    space = ActionSpace(("x",), (0.0,), (-9.0,), (9.0,))
    limits = replace(LIMITS, chunking=Chunking(Merge(MergeRule.ENSEMBLE, 0.0)))
    arbiter = Arbiter(space, default_policy.make("noop", space), limits, 0)
    world = World()
    world.arbiter = arbiter
    world.latches = lambda: type(world.latch)(space)
    world.plant(12)
    for tick in range(8):
        rows = tuple((tick * 1.0,) for _ in range(6))
        world.act(tick * PERIOD + int(1.4 * PERIOD), ActionMessage(
            stamp(tick), tick, tick + 2, 1, 7, 2, rows[0], rows, tick + 1))
    world.run()
    found = [(s.merged, round(s.action[0], 9)) for s in world.steps[2:9]]
    assert found == [(1, 0.0), (2, 0.5), (3, 1.0), (4, 1.5), (5, 2.0), (5, 3.0), (5, 4.0)]
