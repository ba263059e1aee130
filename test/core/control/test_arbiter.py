"""The actuator's judgement, case by case and through whole lives of a simulated plant."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from alike import same
from arbiter_world import (
    DRAIN,
    FORGOTTEN,
    KNOBS,
    LIMITS,
    MARGIN,
    MAX_DELAY,
    MS,
    PERIOD,
    SEEDS,
    SPACE,
    Knobs,
    World,
    lives,
    message,
    stamp,
    timestep,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_rl.core.control import default_policy
from realtime_rl.core.control.arbiter import Arbiter
from realtime_rl.core.control.arbiter_limits import usable_margin_ns
from realtime_rl.core.control.decision import Decision
from realtime_rl.core.control.latch import CommandLatch
from realtime_rl.core.enumerations import Fate, Reason
from realtime_rl.core.messages.records import ActionMessage, Command, Verdict
from realtime_rl.core.types import Action, Cause


def check_the_law(world: World) -> None:
    """Every action one fate, every tick one cause, and they agree."""
    arrivals = Counter(now / 1e9 for now, _ in world.delivered)
    assert Counter(v.arrival_s for v in world.verdicts
                   if v.fate is not Fate.DEFAULTED) == arrivals
    applied = Counter((v.tick, v.stamp_ns, v.worker, v.version, v.observation_tick, v.delay_ticks)
                      for v in world.verdicts if v.fate is Fate.APPLIED)
    acted: Counter[tuple[int, ...]] = Counter()
    for life in lives(world):
        stamps = {step.tick: step.stamp_ns for step in life}
        policy = [step for step in life if step.cause is Cause.POLICY]
        acted.update((s.tick, stamps[s.observation_tick], s.worker, s.version, s.observation_tick,
                      s.tick - s.observation_tick) for s in policy)
        answered = [step.observation_tick for step in policy]
        assert answered == sorted(set(answered))  # never back in time, none twice
    assert applied == acted
    assert [v.tick for v in world.verdicts if v.fate is Fate.DEFAULTED] == [
        s.tick for s in world.steps if s.cause is Cause.DEFAULT]


def random_actions(world: World, ticks: int, how_many: int, begin: int = 0, life: int = 0) -> None:
    """Actions as workers and fools send them, at random times."""
    rng = world.rng
    for _ in range(how_many):
        tick = rng.randrange(-1, ticks + 5)
        late = rng.choice([0, 1, 2, 5, 40]) + rng.random()
        due = rng.choice([-1, -1, tick + 1, tick + 2, tick + 6, tick + 10_000])
        action: Action = rng.choice([(0.0,), (1.0,), (2.0,), (0.0,), (1.0,), (2.0,),
                                     (math.nan,), (9.0,), (0.5,), ()])
        what = message(tick, due, action, worker=rng.randrange(4), life=life)
        if late >= 40 and rng.random() < 0.5:
            what = replace(what, stamp_ns=what.stamp_ns + 1)
        time = max(0, begin + int((tick + late) * PERIOD)) + rng.randrange(1000)
        world.act(time, what)
        if rng.random() < 0.1:
            world.act(time + rng.randrange(PERIOD), what)


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, knobs=KNOBS, default=st.sampled_from(["noop", "repeat_last", "random"]))
def test_every_action_has_one_fate_and_every_tick_one_cause(seed: int, knobs: Knobs,
                                                            default: str) -> None:
    world = World(seed, knobs, default)
    world.plant(60 + DRAIN)
    random_actions(world, 60, 60)
    check_the_law(world.run())


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, knobs=KNOBS)
def test_people_are_accounted_for_as_well(seed: int, knobs: Knobs) -> None:
    world = World(seed, knobs)
    world.plant(100 + DRAIN)
    random_actions(world, 100, 150)
    for _ in range(world.rng.randrange(4)):
        begin = world.rng.randrange(100 * PERIOD)
        world.stop(begin, begin + world.rng.randrange(30 * PERIOD))
    for _ in range(world.rng.randrange(40)):
        world.operate(world.rng.randrange(100 * PERIOD), (world.rng.randrange(3) * 1.0,),
                      world.rng.random() < 0.8)
    check_the_law(world.run())


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, knobs=KNOBS, first=st.integers(1, 50), gap=st.integers(0, 100))
def test_a_plant_that_begins_anew_is_survived(seed: int, knobs: Knobs, first: int,
                                              gap: int) -> None:
    world = World(seed, knobs)
    again = (first + gap) * PERIOD + world.rng.randrange(PERIOD) + 100 * MS
    world.plant(first)
    world.plant(50 + DRAIN, again, life=1)
    random_actions(world, first, 40)
    random_actions(world, 50, 50, again, life=1)
    check_the_law(world.run())
    assert [step.tick for step in lives(world)[1]] == list(range(50 + DRAIN))
    if max(knobs.plant_late, knobs.command_slow, knobs.timestep_slow) <= 1:
        assert all(step.cause is not Cause.NONE for step in lives(world)[1][1:])


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS)
def test_in_a_perfect_world_a_tick_latches_the_newest_of_its_interval(seed: int) -> None:
    """An oracle for actions that go out at once: the last admissible one before each tick."""
    world = World(seed)
    world.plant(60)
    expected: dict[int, int] = {}
    newest = -1
    for tick in range(1, 60):
        for time in sorted(world.rng.randrange(1, PERIOD) for _ in range(world.rng.randrange(3))):
            observation = world.rng.randrange(max(0, tick - 5), tick)
            world.act((tick - 1) * PERIOD + time, message(observation, worker=tick % 4))
            if observation > newest:
                newest = expected[tick] = observation
    world.run()
    check_the_law(world)
    assert world.steps[0].cause is Cause.NONE
    assert {s.tick: s.observation_tick for s in world.steps if s.cause is Cause.POLICY} == expected
    assert [s.tick for s in world.steps if s.cause is Cause.DEFAULT] == [
        tick for tick in range(1, 60) if tick not in expected]


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, delay=st.integers(1, 8), plant_late=st.sampled_from([0.0, 8.0]),
       slow=st.sampled_from([0.0, 1.0]))
def test_a_held_stream_is_applied_at_exactly_the_promised_delay(
        seed: int, delay: int, plant_late: float, slow: float) -> None:
    """As long as nothing is later than the deadline, whoever comes first, action or timestep."""
    world = World(seed, Knobs(plant_late, slow, slow))
    world.plant(60)
    for tick in range(60 - delay):
        # since its hold is reckoned from when the observation arrived, to the deadline
        begin = (tick + delay - 1) * PERIOD
        world.act(begin + world.rng.randrange(2 * MS, PERIOD - MARGIN),
                  message(tick, tick + delay, worker=tick % delay))
    world.run()
    check_the_law(world)
    assert [(s.tick, s.observation_tick) for s in world.steps[delay:]] == [
        (tick, tick - delay) for tick in range(delay, 60)]


def test_stop_and_operator_hold_for_every_tick_they_last() -> None:
    world = World()
    world.plant(200)
    random_actions(world, 115, 200)
    world.stop(40 * PERIOD - 1, 60 * PERIOD + 1)
    for tick in range(90, 100):
        world.operate(tick * PERIOD - 1, (1.0,))
    world.operate(110 * PERIOD - 1, (2.0,), engaged=False)
    causes = world.run().causes()
    check_the_law(world)
    assert {index for index, cause in enumerate(causes) if cause is Cause.STOP} == {
        *range(40, 61)}
    expiry = (99 * PERIOD - 1 + LIMITS.operator_timeout_ns) // PERIOD
    operated = [index for index, cause in enumerate(causes) if cause is Cause.OPERATOR]
    assert operated == list(range(90, expiry + 1))
    actions = {step.tick: step.action for step in world.steps}
    assert all(actions[tick] == SPACE.noop for tick in range(40, 61))
    assert all(actions[tick] == (1.0,) for tick in range(90, 110))
    assert all(actions[tick] == (2.0,) for tick in range(111, expiry + 1))


class NewestWins(CommandLatch):
    """A robot that obeys whatever came last, as those do that are not ours."""

    def offer(self, command: Command) -> bool:
        self._pending.clear()
        return super().offer(command)


PERIODS = st.integers(500_000, 1_000_000_000)
MARGINS = st.integers(0, 1_000_000_000)


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, period=PERIODS, margin=MARGINS,
       answer=st.tuples(st.integers(1, 6), st.floats(0.05, 0.7)),
       latch=st.sampled_from([CommandLatch, NewestWins]))
def test_the_default_policy_silences_no_action_at_any_rate_and_margin(
        seed: int, period: int, margin: int, answer: tuple[int, float],
        latch: type[CommandLatch]) -> None:
    """An action a tick, which arrives in time: none of them may be lost."""
    delay, phase = answer
    slow = Knobs(command_slow=0.1 * period / MS, timestep_slow=0.24 * period / MS)
    world = World(seed, slow, period=period, margin=margin, latches=lambda: latch(SPACE))
    world.plant(60)
    for tick in range(59 - delay):
        jitter = world.rng.uniform(-0.04, 0.04)
        arrival = int((tick + delay - 1 + phase + jitter) * period)
        world.act(arrival, message(tick, due=tick + delay, worker=tick % 4))
    causes = world.run().causes()
    check_the_law(world)
    assert causes[delay:59] == [Cause.POLICY] * (59 - delay)


class Remembers(CommandLatch):
    """Tells whether a default was latched although a policy's action lay there."""

    silenced = 0

    def latch(self) -> Command:
        waiting = any(isinstance(each, Command) and each.cause is Cause.POLICY
                      for each in self._pending)
        chosen = super().latch()
        self.silenced += waiting and chosen.cause is Cause.DEFAULT
        return chosen


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, knobs=KNOBS, period=PERIODS, margin=MARGINS)
def test_no_default_is_latched_where_an_action_lies(seed: int, knobs: Knobs, period: int,
                                                    margin: int) -> None:
    """However late plant, timesteps and commands are."""
    world = World(seed, knobs, period=period, margin=margin, latches=lambda: Remembers(SPACE))
    world.plant(80 + max(FORGOTTEN, 10**9 // period))
    for tick in range(60):
        world.act(int((tick + world.rng.uniform(0.1, 3.0)) * period), message(tick))
    check_the_law(world.run())
    latch = world.latch
    assert isinstance(latch, Remembers)
    assert latch.silenced == 0


@dataclass
class Bench:
    """An arbiter whose plant is played by hand, on the grid and without delays."""

    default: str = "noop"
    start_ns: int = 0

    def __post_init__(self) -> None:
        self.arbiter = Arbiter(SPACE, default_policy.make(self.default, SPACE), LIMITS,
                               self.start_ns)

    def tick(self, tick: int, latched: Command | None = None, *, life: int = 0,
             now: int | None = None) -> Decision:
        command = latched or Command(Cause.NONE, SPACE.noop)
        return self.arbiter.on_timestep(timestep(tick, command, life=life),
                                        tick * PERIOD if now is None else now)

    def ticks(self, ticks: range) -> Bench:
        for tick in ticks:
            self.tick(tick)
        return self

    def act(self, what: ActionMessage, now: int) -> Decision:
        return self.arbiter.on_action(what, now)


def fates(decision: Decision) -> list[tuple[Fate, Reason, int]]:
    return [(v.fate, v.reason, v.observation_tick) for v in decision.verdicts]


def test_nothing_is_due_before_the_plant_was_heard_of() -> None:
    assert Bench().arbiter.next_deadline_ns() is None


def test_an_admissible_action_is_forwarded_at_once() -> None:
    bench = Bench().ticks(range(6))
    decision = bench.act(message(4, action=(1.0,), worker=3), 5 * PERIOD + 1)
    assert decision == Decision([Command(Cause.POLICY, (1.0,), 3, 7, 4)], [])


def test_an_action_is_applied_when_the_plant_says_so() -> None:
    bench = Bench(start_ns=1000).ticks(range(6))
    [command] = bench.act(message(4), 5 * PERIOD + 1000).commands
    assert bench.tick(6, command).verdicts == [Verdict(
        stamp(4), Fate.APPLIED, Reason.NONE, 6, 4, 2, 1, 7, 2, 5 * PERIOD / 1e9,
        (PERIOD + 1000) / 1e9)]
    assert bench.tick(7).verdicts == []


@pytest.mark.parametrize("cause", [Cause.STOP, Cause.DEFAULT, Cause.NONE])
def test_what_a_robot_latched_and_did_not_carry_out_is_superseded(cause: Cause) -> None:
    bench = Bench().ticks(range(6))
    [command] = bench.act(message(4), 5 * PERIOD + 1).commands
    refused = bench.tick(6, replace(command, cause=cause))
    assert (Fate.SUPERSEDED, Reason.NONE, 4) in fates(refused)
    assert all(fate is not Fate.APPLIED for fate, _, _ in fates(refused))


def test_an_action_that_a_newer_one_replaced_is_superseded() -> None:
    bench = Bench().ticks(range(6))
    bench.act(message(3), 5 * PERIOD + 1)
    [newer] = bench.act(message(4, worker=2), 5 * PERIOD + 2).commands
    decision = bench.tick(6, newer)
    assert fates(decision) == [(Fate.SUPERSEDED, Reason.NONE, 3), (Fate.APPLIED, Reason.NONE, 4)]
    superseded = decision.verdicts[0]
    assert (superseded.tick, superseded.delay_ticks, superseded.stamp_ns) == (-1, -1, stamp(3))


@pytest.mark.parametrize(("what", "reason"), [
    (message(4, action=()), Reason.MALFORMED), (message(4, action=(0.5,)), Reason.MALFORMED),
    (message(4, action=(math.nan,)), Reason.NON_FINITE),
    (message(4, action=(4.0,)), Reason.OUT_OF_RANGE),
    (message(7), Reason.FUTURE), (message(-1), Reason.FUTURE),
    (message(6, life=-1), Reason.STALE), (replace(message(6), stamp_ns=stamp(5)), Reason.STALE),
    (message(4, life=1), Reason.STALE),
    (replace(message(4), stamp_ns=0), Reason.STALE),
    (message(2, action=(1.0,)), Reason.DUPLICATE), (message(1), Reason.LATE),
    (message(4, due=4 + MAX_DELAY + 2), Reason.STALE)])
def test_why_actions_are_rejected(what: ActionMessage, reason: Reason) -> None:
    bench = Bench().ticks(range(6))
    bench.act(message(2), 5 * PERIOD + 1)
    decision = bench.act(what, 5 * PERIOD + 2)
    assert decision.commands == []
    age_s = ((5 - what.tick) * PERIOD + 2) / 1e9 if what.tick >= 0 else math.nan
    assert same(decision.verdicts, [Verdict(
        what.stamp_ns, Fate.REJECTED, reason, -1, what.tick, -1, 1, 7, 2, (5 * PERIOD + 2) / 1e9,
        age_s)])


def test_the_age_of_an_action_leaves_out_what_the_plant_or_a_message_was_late() -> None:
    arbiter = Bench().ticks(range(6)).arbiter
    late = timestep(6, Command(Cause.NONE, SPACE.noop), lateness_s=0.004)
    arbiter.on_timestep(late, 6 * PERIOD + 9 * MS)
    [verdict] = arbiter.on_action(message(6, action=()), 6 * PERIOD + 10 * MS).verdicts
    assert verdict.age_s == pytest.approx(0.010)


def test_a_rejected_action_leaves_no_trace() -> None:
    bench = Bench().ticks(range(6))
    bench.act(message(4, action=(math.nan,)), 5 * PERIOD)
    bench.act(message(7), 5 * PERIOD)
    assert len(bench.act(message(2), 5 * PERIOD).commands) == 1
    assert len(bench.act(message(4), 5 * PERIOD).commands) == 1


def test_an_action_may_outrun_its_own_timestep() -> None:
    bench = Bench().ticks(range(6))
    assert len(bench.act(message(6), 6 * PERIOD).commands) == 1
    bench.tick(6)
    assert fates(bench.act(message(6), 6 * PERIOD)) == [(Fate.REJECTED, Reason.DUPLICATE, 6)]


def test_the_first_action_may_outrun_the_first_timestep() -> None:
    bench = Bench()
    assert fates(bench.act(message(1), 0)) == [(Fate.REJECTED, Reason.FUTURE, 1)]
    assert len(bench.act(message(0), 0).commands) == 1


def test_a_message_that_is_no_action_is_malformed() -> None:
    decision = Bench(start_ns=PERIOD).arbiter.on_malformed(3 * PERIOD)
    assert same(decision, Decision([], [Verdict(
        0, Fate.REJECTED, Reason.MALFORMED, -1, -1, -1, -1, -1, -1, 2 * PERIOD / 1e9)]))


def test_actions_on_observations_older_than_the_limit_are_stale() -> None:
    newest = 50
    for heard in (range(newest + 1), [*range(newest - MAX_DELAY + 1), newest]):
        bench = Bench()
        for tick in heard:
            bench.tick(tick)
        now = newest * PERIOD + 1
        old = bench.act(message(newest - MAX_DELAY - 1), now)
        assert fates(old) == [(Fate.REJECTED, Reason.STALE, newest - MAX_DELAY - 1)]
        assert len(bench.act(message(newest - MAX_DELAY), now).commands) == 1


def test_an_early_action_waits_for_its_tick() -> None:
    bench = Bench().ticks(range(6))
    assert bench.act(message(5, due=9), 5 * PERIOD) == Decision()
    assert bench.tick(6).commands == []
    assert bench.tick(7).commands == []
    assert [c.observation_tick for c in bench.tick(8).commands] == [5]
    assert bench.tick(9).commands == []


def test_an_action_may_be_meant_for_as_late_as_it_would_be_admissible() -> None:
    bench = Bench().ticks(range(6))
    assert bench.act(message(4, due=4 + MAX_DELAY + 1), 5 * PERIOD) == Decision()


def test_an_action_is_early_until_the_tick_before_its_own_was_heard_of() -> None:
    """A tick that is late must not get the action of the next one."""
    bench = Bench().ticks(range(6))
    late = 6 * PERIOD + 8 * MS
    assert bench.act(message(5, due=7), 6 * PERIOD + MS) == Decision()
    assert len(bench.tick(6, now=late).commands) == 1


def test_an_early_action_goes_out_at_the_deadline_of_its_tick_at_the_latest() -> None:
    bench = Bench().ticks(range(6))
    bench.act(message(5, due=7), 5 * PERIOD)
    assert [c.cause for c in bench.arbiter.on_deadline(6 * PERIOD - MARGIN).commands] == [
        Cause.DEFAULT]
    assert [c.cause for c in bench.arbiter.on_deadline(7 * PERIOD - MARGIN).commands] == [
        Cause.POLICY]


def test_after_the_deadline_of_its_tick_an_action_is_not_early() -> None:
    bench = Bench().ticks(range(6))
    bench.arbiter.on_deadline(6 * PERIOD - MARGIN)
    bench.arbiter.on_deadline(7 * PERIOD - MARGIN)
    assert len(bench.act(message(5, due=7), 7 * PERIOD - MARGIN + 1).commands) == 1
    assert bench.act(message(4, due=8), 7 * PERIOD - MARGIN + 2).commands == []


def test_early_actions_of_one_tick_go_out_in_order() -> None:
    bench = Bench().ticks(range(6))
    for tick in (5, 3, 4):
        bench.act(message(tick, due=8), 5 * PERIOD)
    bench.tick(6)
    assert [c.observation_tick for c in bench.tick(7).commands] == [3, 4, 5]


def test_an_early_action_that_a_newer_one_overtook_is_late() -> None:
    """As when a shorter delay was promised meanwhile."""
    bench = Bench().ticks(range(6))
    bench.act(message(3, due=9), 5 * PERIOD)
    [newer] = bench.act(message(5, due=6), 5 * PERIOD).commands
    bench.tick(6, newer)
    bench.tick(7)
    assert fates(bench.tick(8)) == [(Fate.REJECTED, Reason.LATE, 3)]


def test_the_default_policy_steps_in_a_margin_before_the_tick() -> None:
    bench = Bench().ticks(range(6))
    assert bench.arbiter.next_deadline_ns() == 6 * PERIOD - MARGIN
    decision = bench.arbiter.on_deadline(6 * PERIOD - MARGIN)
    assert decision == Decision([Command(Cause.DEFAULT, SPACE.noop)], [])
    assert bench.arbiter.next_deadline_ns() == 7 * PERIOD - MARGIN
    [verdict] = bench.tick(6, decision.commands[0]).verdicts
    assert same(verdict, Verdict(0, Fate.DEFAULTED, Reason.NONE, 6, -1, -1, -1, -1, -1, math.nan))


def test_after_a_pause_only_the_present_is_asked_about() -> None:
    bench = Bench().ticks(range(6))
    now = 200 * PERIOD + PERIOD // 2
    assert [c.cause for c in bench.arbiter.on_deadline(now).commands] == [Cause.DEFAULT]
    assert bench.arbiter.next_deadline_ns() == 201 * PERIOD - MARGIN


def test_the_default_policy_keeps_out_where_a_command_is_under_way() -> None:
    bench = Bench().ticks(range(6))
    bench.act(message(4), 5 * PERIOD + 1)
    assert bench.arbiter.on_deadline(6 * PERIOD - MARGIN) == Decision()


def test_an_action_after_the_default_and_before_the_tick_replaces_it() -> None:
    bench = Bench().ticks(range(6))
    bench.arbiter.on_deadline(6 * PERIOD - MARGIN)
    [command] = bench.act(message(4), 6 * PERIOD - 1).commands
    assert fates(bench.tick(6, command)) == [(Fate.APPLIED, Reason.NONE, 4)]


def test_a_command_that_came_after_its_tick_serves_the_next() -> None:
    bench = Bench().ticks(range(6))
    [default] = bench.arbiter.on_deadline(6 * PERIOD - MARGIN).commands
    [command] = bench.act(message(4), 6 * PERIOD - 1).commands
    bench.tick(6, default)
    assert bench.arbiter.on_deadline(7 * PERIOD - MARGIN) == Decision()
    assert fates(bench.tick(7, command)) == [(Fate.APPLIED, Reason.NONE, 4)]
    assert [c.cause for c in bench.arbiter.on_deadline(8 * PERIOD - MARGIN).commands] == [
        Cause.DEFAULT]


def test_a_command_that_was_lost_costs_a_tick_not_two() -> None:
    bench = Bench().ticks(range(6))
    bench.act(message(4), 5 * PERIOD + 1)
    bench.tick(6)  # latched nothing: the action may still be under way
    assert bench.arbiter.on_deadline(7 * PERIOD - MARGIN).commands == []
    bench.tick(7)
    assert [c.cause for c in bench.arbiter.on_deadline(8 * PERIOD - MARGIN).commands] == [
        Cause.DEFAULT]


def test_a_stop_that_missed_its_tick_serves_the_next_and_a_default_does_not() -> None:
    bench = Bench().ticks(range(6))
    bench.arbiter.set_stop(True, 5 * PERIOD + 1)
    bench.tick(6)  # latched nothing
    bench.arbiter.set_stop(False, 6 * PERIOD + 1)
    assert bench.arbiter.on_deadline(7 * PERIOD - MARGIN) == Decision()
    bench = Bench().ticks(range(6))
    bench.arbiter.on_deadline(6 * PERIOD - MARGIN)
    bench.tick(6)  # latched nothing
    assert [c.cause for c in bench.arbiter.on_deadline(7 * PERIOD - MARGIN).commands] == [
        Cause.DEFAULT]


def test_a_tick_that_was_not_heard_of_may_have_left_the_action_to_the_next() -> None:
    """A default would silence it; after one tick more it was latched, or lost."""
    bench = Bench().ticks(range(6))
    bench.act(message(4), 5 * PERIOD + 1)
    assert bench.arbiter.on_deadline(6 * PERIOD - MARGIN).commands == []
    assert bench.arbiter.on_deadline(7 * PERIOD - MARGIN).commands == []
    assert [c.cause for c in bench.arbiter.on_deadline(8 * PERIOD - MARGIN).commands] == [
        Cause.DEFAULT]


def test_a_late_tick_that_took_the_next_ones_default_gets_that_one_another() -> None:
    bench = Bench().ticks(range(6))
    bench.arbiter.on_deadline(6 * PERIOD - MARGIN)
    [taken] = bench.arbiter.on_deadline(7 * PERIOD - MARGIN).commands
    bench.tick(6, taken, now=7 * PERIOD - MS)
    assert bench.arbiter.next_deadline_ns() == 7 * PERIOD - MARGIN
    assert [c.cause for c in bench.arbiter.on_deadline(7 * PERIOD - MS).commands] == [Cause.DEFAULT]


def test_an_action_between_two_defaults_is_not_called_superseded_too_soon() -> None:
    bench = Bench().ticks(range(6))
    [default] = bench.arbiter.on_deadline(6 * PERIOD - MARGIN).commands
    [command] = bench.act(message(4), 6 * PERIOD - 1).commands
    bench.arbiter.on_deadline(7 * PERIOD - MARGIN)
    # which of the two defaults tick 6 latched cannot be seen
    assert fates(bench.tick(6, default, now=7 * PERIOD - MS)) == [(Fate.DEFAULTED, Reason.NONE, -1)]
    assert fates(bench.tick(7, command)) == [(Fate.APPLIED, Reason.NONE, 4)]


def test_the_default_policy_knows_the_last_applied_action() -> None:
    bench = Bench("repeat_last").ticks(range(6))
    [command] = bench.act(message(4, action=(1.0,)), 5 * PERIOD).commands
    bench.act(message(5, action=(2.0,), due=20), 5 * PERIOD)
    bench.tick(6, command)
    [default] = bench.arbiter.on_deadline(7 * PERIOD - MARGIN).commands
    assert default.action == (1.0,)


@pytest.mark.parametrize("alive", [True, False])
def test_a_command_that_the_plant_never_latched_is_forgotten(alive: bool) -> None:
    bench = Bench().ticks(range(6))
    bench.act(message(4), 5 * PERIOD + 1)
    verdicts = []
    for tick in range(6, 6 + FORGOTTEN + 2):
        verdicts += bench.arbiter.on_deadline(tick * PERIOD - MARGIN).verdicts
        if alive:
            verdicts += bench.tick(tick).verdicts
        assert bool(verdicts) == (tick > 6 + FORGOTTEN)
    assert [(v.fate, v.observation_tick) for v in verdicts] == [(Fate.SUPERSEDED, 4)]


def test_a_stop_is_held_from_at_once_until_it_is_released() -> None:
    bench = Bench().ticks(range(6))
    bench.act(message(4, due=20), 5 * PERIOD)
    decision = bench.arbiter.set_stop(True, 5 * PERIOD + 1)
    assert bench.arbiter.stopped
    assert decision.commands == [Command(Cause.STOP, SPACE.noop)]
    assert fates(decision) == [(Fate.SUPERSEDED, Reason.NONE, 4)]
    assert fates(bench.act(message(5), 5 * PERIOD + 2)) == [(Fate.SUPERSEDED, Reason.NONE, 5)]
    for tick in (6, 7, 8):
        [command] = bench.arbiter.on_deadline(tick * PERIOD - MARGIN).commands
        assert (command.cause, command.action) == (Cause.STOP, SPACE.noop)
        assert bench.tick(tick, command).verdicts == []
    assert bench.arbiter.set_stop(False, 8 * PERIOD) == Decision()
    assert not bench.arbiter.stopped
    assert len(bench.act(message(8), 8 * PERIOD + 1).commands) == 1


def test_an_operator_takes_over_until_a_while_after_the_last_input() -> None:
    bench = Bench().ticks(range(6))
    assert bench.arbiter.on_operator((1.0,), False, 5 * PERIOD) == Decision()
    assert bench.arbiter.on_operator((1.0,), True, 5 * PERIOD).commands == [
        Command(Cause.OPERATOR, (1.0,))]
    end = 5 * PERIOD + LIMITS.operator_timeout_ns
    bench.tick(6)
    assert fates(bench.act(message(4), end - 1)) == [(Fate.SUPERSEDED, Reason.NONE, 4)]
    assert fates(bench.act(message(5), end)) == [(Fate.REJECTED, Reason.STALE, 5)]
    assert len(bench.act(message(6), end).commands) == 1


OVERRIDES: dict[str, Callable[[Arbiter, bool, int], Decision]] = {
    "stop": lambda arbiter, on, now: arbiter.set_stop(on, now),
    "operator": lambda arbiter, on, now: arbiter.on_operator((1.0,), on, now)}


@pytest.mark.parametrize("override", OVERRIDES)
def test_a_release_replays_nothing_from_before(override: str) -> None:
    bench = Bench("repeat_last").ticks(range(6))
    [command] = bench.act(message(4, action=(2.0,)), 5 * PERIOD).commands
    begin = 5 * PERIOD + 1
    OVERRIDES[override](bench.arbiter, True, begin)
    bench.tick(6, command)  # it was under way when the override began
    for tick in (7, 8):
        bench.tick(tick, bench.arbiter.on_deadline(tick * PERIOD - MARGIN).commands[0])
    OVERRIDES[override](bench.arbiter, False, 8 * PERIOD)
    bench.ticks(range(9, 40))  # an operator's timeout is over by then
    now = 40 * PERIOD - MARGIN
    assert fates(bench.act(message(5, action=(2.0,), worker=2), now - 1)) == [
        (Fate.REJECTED, Reason.STALE, 5)]
    [default] = bench.arbiter.on_deadline(now).commands
    assert (default.cause, default.action) == (Cause.DEFAULT, SPACE.noop)
    assert len(bench.act(message(9), now + 1).commands) == 1


def test_who_starts_stopped_is_stopped() -> None:
    arbiter = Arbiter(SPACE, default_policy.make("noop", SPACE), LIMITS, 0, stopped=True)
    arbiter.on_timestep(timestep(0, Command(Cause.NONE, SPACE.noop)), 0)
    assert fates(arbiter.on_action(message(0), 1)) == [(Fate.SUPERSEDED, Reason.NONE, 0)]
    assert [c.cause for c in arbiter.on_deadline(PERIOD - MARGIN).commands] == [Cause.STOP]
    arbiter.set_stop(False, PERIOD)
    assert len(arbiter.on_action(message(0, worker=2), PERIOD + 1).commands) == 0
    arbiter.on_timestep(timestep(1, Command(Cause.NONE, SPACE.noop)), PERIOD)
    assert len(arbiter.on_action(message(1), PERIOD + 1).commands) == 1


def test_a_plant_that_begins_anew_is_not_steered_by_its_last_action() -> None:
    bench = Bench("repeat_last").ticks(range(6))
    [command] = bench.act(message(4, action=(2.0,)), 5 * PERIOD).commands
    bench.tick(6, command)
    bench.tick(0, life=1, now=1000 * PERIOD)
    [default] = bench.arbiter.on_deadline(1001 * PERIOD - MARGIN).commands
    assert default.action == SPACE.noop


@pytest.mark.parametrize("worker", [-1, 7, 99])
def test_a_worker_that_there_is_not_does_not_act(worker: int) -> None:
    arbiter = Arbiter(SPACE, default_policy.make("noop", SPACE), replace(LIMITS, workers=7), 0)
    arbiter.on_timestep(timestep(0, Command(Cause.NONE, SPACE.noop)), 0)
    assert fates(arbiter.on_action(message(0, worker=worker), 1)) == [
        (Fate.REJECTED, Reason.UNKNOWN_WORKER, 0)]
    assert len(arbiter.on_action(message(0, worker=6), 2).commands) == 1


def test_nobody_answers_a_tick_before_it_began() -> None:
    bench = Bench().ticks(range(6))
    assert fates(bench.act(message(6), 6 * PERIOD - PERIOD // 4 - 1)) == [
        (Fate.REJECTED, Reason.FUTURE, 6)]
    assert len(bench.act(message(6), 6 * PERIOD - PERIOD // 4).commands) == 1


@given(period=st.integers(500_000, 1_000_000_000), margin=st.integers(0, 2_000_000_000))
def test_a_margin_leaves_time_to_hear_of_the_tick_before(period: int, margin: int) -> None:
    used = usable_margin_ns(margin, period)
    assert used <= margin
    assert period - used >= min(2 * MS, period * 3 // 4)
    assert used == margin or used >= period // 4  # no more is taken off than that needs


def test_three_quarters_of_a_long_period_are_usable() -> None:
    assert usable_margin_ns(2000 * MS, 1000 * MS) == 750 * MS
    assert usable_margin_ns(2000 * MS, 4 * MS) == 2 * MS
    assert usable_margin_ns(2000 * MS, 2 * MS) == MS // 2


def test_a_stop_goes_before_an_operator() -> None:
    bench = Bench().ticks(range(6))
    bench.arbiter.set_stop(True, 5 * PERIOD)
    assert [c.cause for c in bench.arbiter.on_operator((1.0,), True, 5 * PERIOD).commands] == [
        Cause.STOP]
    assert [c.cause for c in bench.arbiter.set_stop(False, 5 * PERIOD + 1).commands] == [
        Cause.OPERATOR]


def test_what_an_operator_lets_go_of_is_let_go_of() -> None:
    bench = Bench().ticks(range(6))
    bench.arbiter.on_operator((1.0,), True, 5 * PERIOD)
    assert bench.arbiter.on_operator(SPACE.noop, False, 5 * PERIOD + 1) == Decision()
    [command] = bench.arbiter.on_deadline(6 * PERIOD - MARGIN).commands
    assert (command.cause, command.action) == (Cause.OPERATOR, SPACE.noop)


def test_nothing_grows_while_a_person_plays_without_a_plant() -> None:
    arbiter = Bench().arbiter
    for number in range(20_000):
        arbiter.on_operator((1.0,), True, number * MS)
    arbiter.on_timestep(timestep(0, Command(Cause.NONE, SPACE.noop)), 20_000 * MS)
    assert len(arbiter._in_flight._sent) <= 8192


def test_nothing_grows_where_timesteps_are_lost() -> None:
    """Each action outruns the record of its tick, which never comes."""
    bench = Bench()
    bench.tick(0)
    for tick in range(1, 3000, 2):
        assert len(bench.act(message(tick), tick * PERIOD).commands) == 1
        bench.tick(tick + 1)
    assert len(bench.arbiter._received) <= 2 * MAX_DELAY + 1


def test_what_answered_a_former_life_of_the_plant_is_void() -> None:
    bench = Bench()
    bench.tick(0)
    bench.act(message(0), 0)
    bench.ticks(range(1, 30))
    bench.act(message(28), 29 * PERIOD)
    bench.act(message(29, due=40), 29 * PERIOD)
    again = 1000 * PERIOD
    decision = bench.tick(0, life=1, now=again)
    assert fates(decision) == [(Fate.SUPERSEDED, Reason.NONE, tick) for tick in (0, 28, 29)]
    assert bench.arbiter.next_deadline_ns() == again + PERIOD - MARGIN
    assert fates(bench.act(message(0, life=0), again + 1)) == [(Fate.REJECTED, Reason.STALE, 0)]
    assert fates(bench.act(message(27, life=0), again + 1)) == [(Fate.REJECTED, Reason.FUTURE, 27)]
    [command] = bench.act(message(0, life=1), again + 1).commands
    assert fates(bench.tick(1, command, life=1, now=again + PERIOD)) == [
        (Fate.APPLIED, Reason.NONE, 0)]
    for tick in range(2, 45):  # action 29 was meant for tick 40, of the former life
        assert bench.tick(tick, life=1, now=again + tick * PERIOD) == Decision()


def test_deadlines_follow_the_grid_not_the_delays_of_timesteps() -> None:
    bench = Bench()
    bench.tick(0, now=2 * MS)
    bench.tick(1, now=PERIOD + 9 * MS)
    assert bench.arbiter.next_deadline_ns() == 2 * PERIOD + 2 * MS - MARGIN
    late = replace(timestep(2, Command(Cause.NONE, SPACE.noop)), lateness_s=0.007)
    bench.arbiter.on_timestep(late, 2 * PERIOD + 8 * MS)
    assert bench.arbiter.next_deadline_ns() == 3 * PERIOD + MS - MARGIN
