"""The loop in virtual time."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulate.tiny_plant import SPEC, Counter

from realtime_rl.core.control import default_policy
from realtime_rl.core.control.chunk_merging import Chunk
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.experience.action_history import ActionHistory
from realtime_rl.core.experience.snapshot import Snapshot
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.observations import Observation
from realtime_rl.core.types import Action, Cause
from realtime_rl.simulate.loop import Delay, Interaction, Loop, simulate
from realtime_rl.simulate.tally import Tally, play

A, B, NOOP = (0.0,), (1.0,), (2.0,)


def always_a(tick: int, observation: Observation) -> Action:
    return A


def steps_of(delay: Delay, steps: int, plant: Counter | None = None) -> list[Timestep]:
    return [step for step, _ in simulate(plant or Counter(), always_a, delay, steps)]


@given(st.integers(1, 8), st.integers(0, 60))
def test_the_action_of_observation_k_acts_at_tick_k_plus_delay(delay: int, steps: int) -> None:
    seen: dict[int, float] = {}

    def policy(tick: int, observation: Observation) -> Action:
        seen[tick] = float(observation[-1])
        return (float(tick % 3),)

    plant = Counter()
    records = [step for step, _ in simulate(plant, policy, Delay(delay), steps)]
    assert [step.tick for step in records] == list(range(steps))
    assert seen == {tick: float(tick) for tick in range(steps)}
    for step in records:
        acted = step.tick >= delay
        assert step.cause is (Cause.POLICY if acted else Cause.DEFAULT)
        assert step.observation_tick == (step.tick - delay if acted else -1)
        assert step.action == ((float((step.tick - delay) % 3),) if acted else NOOP)
        assert plant.latched[step.tick] == step.action


def test_sequential_acts_once_a_delay_and_the_default_in_between() -> None:
    records = steps_of(Delay(4, "sequential"), 13)
    assert [step.tick for step in records if step.cause is Cause.POLICY] == [4, 8, 12]
    assert [step.observation_tick for step in records if step.cause is Cause.POLICY] == [0, 4, 8]
    assert {step.action for step in records if step.cause is Cause.DEFAULT} == {NOOP}


def test_with_a_delay_of_one_the_two_are_the_same() -> None:
    assert steps_of(Delay(1), 30) == steps_of(Delay(1, "sequential"), 30)


def test_the_default_policy_can_be_chosen() -> None:
    default = default_policy.make("repeat_last", SPEC.actions)
    records = [step for step, _ in simulate(
        Counter(), always_a, Delay(3, "sequential"), 8, default=default)]
    assert [step.action for step in records] == [NOOP] * 3 + [A] * 5


def test_without_a_policy_the_default_acts_alone() -> None:
    records = [step for step, _ in simulate(Counter(), None, Delay(1), 5)]
    assert {step.cause for step in records} == {Cause.DEFAULT}


def test_stacks_are_padded_at_an_episodes_start() -> None:
    seen: list[list[float]] = []

    def policy(tick: int, observation: Observation) -> Action:
        seen.append(observation.tolist())
        return A

    list(simulate(Counter(length=3), policy, Delay(1), 4, stack=3))
    assert seen == [[0, 0, 0], [0, 0, 1], [0, 1, 2], [3, 3, 3]]


def test_episodes_are_numbered_and_their_ends_recorded() -> None:
    records = steps_of(Delay(1), 25)
    assert [step.episode for step in records] == [0] * 10 + [1] * 10 + [2] * 5
    assert [step.tick for step in records if step.first] == [0, 10, 20]
    assert [step.tick for step in records if step.last] == [9, 19]
    assert [step.discount for step in records if step.last] == [0.0, 0.0]


def test_figures_of_a_run() -> None:
    figures = Tally()
    for step in steps_of(Delay(2, "sequential"), 25):
        figures.add(step)
    assert (figures.ticks, figures.startup_ticks, figures.default_ticks) == (25, 2, 11)
    assert figures.inaction_fraction == 11 / 23
    assert figures.returns == [4.0, 4.0]
    assert figures.reward == 10.0
    assert figures.interval().n == 2
    assert figures.interval(since_tick=15).n == 1


@pytest.mark.parametrize(("ticks", "interaction", "message"), [
    (0, "asynchronous", "delay 0 must be 1 tick or more"),
    (1, "parallel", "interaction 'parallel' is not one of 'asynchronous', 'sequential'"),
])
def test_what_cannot_be_is_refused(ticks: int, interaction: Interaction, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Delay(ticks, interaction)


@pytest.mark.parametrize("delay", [Delay(1), Delay(4), Delay(4, "sequential")])
def test_applied_actions_are_told_as_they_are_known_live(delay: Delay) -> None:
    applied = ActionHistory(3)
    told: dict[int, tuple[object, ...]] = {}

    def policy(tick: int, observation: Observation) -> Action:
        told[tick] = applied.get(tick)
        return (float(tick % 3),)

    steps = [step for step, _ in simulate(Counter(), policy, delay, 40, applied=applied)]
    for tick, history in told.items():
        episode = max(step.tick for step in steps if step.first and step.tick <= tick)
        assert history == tuple(steps[at].action if at >= episode else None
                                for at in range(tick - 3, tick))
    assert len(told) > 8


@pytest.mark.parametrize("delay", [Delay(1), Delay(3), Delay(3, "sequential")])
def test_a_tick_says_what_its_record_says(delay: Delay) -> None:
    loop, recorded = Loop(Counter(), always_a, delay), Tally()
    ticks = [loop.advance() for _ in range(25)]
    for tick, step in zip(ticks, steps_of(delay, 25), strict=True):
        recorded.add(step)
        for name in ("tick", "cause", "action", "reward", "discount", "first", "last"):
            assert getattr(tick, name) == getattr(step, name)
    seen: list[object] = []
    assert play(Loop(Counter(), always_a, delay), 25, seen.append) == recorded
    assert [tick.tick for tick in seen] == list(range(25))


def rows_of(tick: int, rows: int) -> Chunk:
    return Chunk(tuple((float((tick + 1 + row) % 3),) for row in range(rows)))


@given(st.integers(1, 8), st.integers(1, 6), st.integers(0, 4), st.integers(0, 70))
def test_a_chunk_every_so_many_ticks_leaves_no_tick_without(delay: int, every: int, lost: int,
                                                            steps: int) -> None:
    def policy(tick: int, observation: Observation) -> Chunk:
        return rows_of(tick, delay + every - 1 - min(lost, delay + every - 2))

    records = [step for step, _ in simulate(Counter(), policy, Delay(delay, every=every), steps)]
    rows = delay + every - 1 - min(lost, delay + every - 2)
    for step in records:
        newest = (step.tick - delay) // every * every
        age = step.tick - newest
        acts = step.tick >= delay and age <= rows
        assert step.cause is (Cause.POLICY if acts else Cause.DEFAULT)
        if acts:
            assert (step.observation_tick, step.row, step.merged) == (newest, age - 1, 1)
            assert step.action == (float(step.tick % 3),)


def test_a_chunk_of_one_row_is_a_single_action() -> None:
    def chunked(tick: int, observation: Observation) -> Chunk:
        return Chunk(((float(tick % 3),),), 4)

    def single(tick: int, observation: Observation) -> Action:
        return (float(tick % 3),)

    one, other = ([step for step, _ in simulate(Counter(), policy, Delay(4), 30)]
                  for policy in (chunked, single))
    assert [replace(step, row=-1, merged=0) for step in one] == other


def test_fewer_workers_cost_single_actions_their_ticks() -> None:
    records = [step for step, _ in simulate(Counter(), always_a, Delay(4, every=3), 13)]
    assert [step.tick for step in records if step.cause is Cause.POLICY] == [4, 7, 10]


def test_a_loop_goes_on_with_its_chunks() -> None:
    def policy(tick: int, observation: Observation) -> Chunk:
        return rows_of(tick, 12)

    def records(loop: Loop, ticks: int) -> list[Timestep]:
        return [loop.step()[0] for _ in range(ticks)]

    whole = Loop(Counter(), policy, Delay(3, every=4))
    wanted = records(whole, 30)
    part = Loop(Counter(), policy, Delay(3, every=4))
    found = records(part, 9)
    snapshot = Snapshot()
    part.save(snapshot)
    snapshot.values = json.loads(json.dumps(snapshot.values))
    rest = Loop(Counter(), policy, Delay(3, every=4))
    rest.load(snapshot)
    assert found + records(rest, 21) == wanted


def test_the_age_of_feedback_is_counted() -> None:
    figures = Tally()
    for step, _ in simulate(Counter(), lambda tick, seen: rows_of(tick, 9), Delay(3, every=4), 43):
        figures.add(step)
    assert figures.ages == [0, 0, 0, 10, 10, 10, 10]
    assert (figures.age_mean, figures.age_p95) == (4.5, 6)
    both = Tally()
    both.extend(figures)
    both.extend(figures)
    assert both.ages == [0, 0, 0, 20, 20, 20, 20]
    assert math.isnan(Tally().age_mean)
    assert Tally().age_p95 is None


@pytest.mark.parametrize(("interaction", "every", "message"), [
    ("asynchronous", 0, "every 0 must be 1 tick or more"), ("sequential", 2, "leave it out")])
def test_an_interval_that_cannot_be_is_refused(interaction: Interaction, every: int, message: str
                                               ) -> None:
    with pytest.raises(ConfigError, match=message):
        Delay(3, interaction, every)
