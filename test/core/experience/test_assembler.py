"""Transitions of the delayed semi-MDP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.experience.assembler import Assembler, SemiMdpTransition
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.observations import Observation
from realtime_rl.core.types import Cause

GAMMA = 0.9


def step(tick: int, *, cause: Cause = Cause.DEFAULT, answers: int = -1, reward: float = 0.0,
         action: float = 0.0, first: bool = False, last: bool = False, discount: float = 1.0,
         episode: int = 0) -> Timestep:
    return Timestep(
        stamp_ns=tick, tick=tick, period_ns=1, lateness_s=0.0, missed=False, episode=episode,
        reward=reward, discount=discount, first=first, last=last, cause=cause, worker=0,
        version=0, observation_tick=answers, action=(action,))


def policy(tick: int, answers: int, reward: float = 0.0, *, last: bool = False,
           discount: float = 1.0) -> Timestep:
    return step(tick, cause=Cause.POLICY, answers=answers, reward=reward, action=float(tick),
                last=last, discount=discount)


def image(tick: int) -> Observation:
    return np.full((1, 1, 1), tick, np.int64)


def run(steps: list[Timestep], gamma: float = GAMMA, stack: int = 1,
        lost: tuple[int, ...] = (), operator_delay: int | None = None) -> list[SemiMdpTransition]:
    return feed(Assembler(stack=stack, gamma=gamma, operator_delay=operator_delay), steps, lost)


def feed(assembler: Assembler, steps: list[Timestep], lost: tuple[int, ...] = ()
         ) -> list[SemiMdpTransition]:
    found: list[SemiMdpTransition] = []
    for each in steps:
        if each.tick not in lost:
            found += assembler.observe(each.tick, image(each.tick), each.first)
        found += assembler.step(each)
    return found


def ticks(transitions: list[SemiMdpTransition]) -> list[tuple[int, int]]:
    """Ticks of each transition's observation and next observation."""
    return [(int(each.observation[-1][0, 0, 0]), int(each.next_observation[-1][0, 0, 0]))
            for each in transitions]


def test_rewards_belong_to_the_action_until_the_next_one_acts() -> None:
    found = run([
        step(0, first=True), step(1, reward=99.0), policy(2, 0, 1.0), step(3, reward=2.0),
        step(4, cause=Cause.NONE, reward=4.0), policy(5, 3, 8.0), policy(6, 4)])
    assert ticks(found) == [(0, 3), (3, 4)]
    assert found[0].action == (2.0,)
    assert found[0].reward == pytest.approx(1.0 + GAMMA * 2.0 + GAMMA**2 * 4.0)
    assert found[0].discount == pytest.approx(GAMMA**3)
    assert found[0].steps == 3
    assert not found[0].terminal
    assert found[1].reward == 8.0
    assert found[1].steps == 1


def operator(tick: int, reward: float = 0.0, action: float | None = None) -> Timestep:
    return step(tick, cause=Cause.OPERATOR, reward=reward,
                action=float(tick) if action is None else action)


def test_a_person_acts_on_what_the_policy_in_his_place_would_have_seen() -> None:
    found = run([step(0, first=True), step(1), policy(2, 0, 1.0), policy(3, 1, 2.0),
                 operator(4, 3.0), operator(5, 4.0), policy(6, 4)], operator_delay=2)
    assert ticks(found) == [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert [each.action for each in found] == [(2.0,), (3.0,), (4.0,), (5.0,)]
    assert [each.reward for each in found] == [1.0, 2.0, 3.0, 4.0]


def test_before_the_delay_is_known_nothing_is_learned_from_a_person() -> None:
    """Nor do his rewards count for the policy's action before."""
    assembler = Assembler(stack=1, gamma=GAMMA)
    found = feed(assembler, [step(0, first=True), policy(1, 0), operator(2, 9.0), operator(3)])
    assert (found, assembler.dropped) == ([], 3)
    assembler.operator_delay = 2
    assert ticks(feed(assembler, [operator(4), operator(5), operator(6)])) == [(2, 3), (3, 4)]


@pytest.mark.parametrize("by", [operator, policy])
def test_where_the_delay_rises_a_tick_has_no_action_of_its_own(
    by: Callable[..., Timestep]
) -> None:
    """The policy has a tick without an action there, and the default policy acts."""
    assembler = Assembler(stack=1, gamma=GAMMA, operator_delay=2)

    def at(tick: int, delay: int) -> Timestep:
        return policy(tick, tick - delay, 1.0) if by is policy else operator(tick, 1.0)

    found = feed(assembler, [step(0, first=True), step(1), at(2, 2), at(3, 2)])
    assembler.operator_delay = 3
    found += feed(assembler, [at(4, 3), at(5, 3), at(6, 3)])
    assert ticks(found) == [(0, 1), (1, 2), (2, 3)]
    assert [(each.action, each.steps) for each in found] == [((2.0,), 1), ((3.0,), 2), ((5.0,), 1)]


def test_where_the_delay_falls_no_observation_is_answered_twice() -> None:
    assembler = Assembler(stack=1, gamma=GAMMA, operator_delay=3)
    found = feed(assembler, [step(0, first=True), step(1), step(2), operator(3), operator(4)])
    assembler.operator_delay = 2
    found += feed(assembler, [operator(5), operator(6)])
    assert ticks(found) == [(0, 1), (1, 3), (3, 4)]


def test_a_terminal_end_closes_with_nothing_after_it() -> None:
    found = run([step(0, first=True), policy(1, 0, 1.0), step(2, reward=3.0, last=True,
                                                               discount=0.0)])
    assert len(found) == 1
    assert found[0].terminal
    assert found[0].discount == 0.0
    assert found[0].reward == pytest.approx(1.0 + GAMMA * 3.0)


def test_a_truncated_episode_bootstraps_from_its_last_observation() -> None:
    found = run([step(0, first=True), policy(1, 0, 1.0), step(2, reward=3.0, last=True)])
    assert ticks(found) == [(0, 2)]
    assert found[0].discount == pytest.approx(GAMMA**2)
    assert not found[0].terminal


def test_a_reset_without_an_end_cuts_the_episode() -> None:
    found = run([step(0, first=True), policy(1, 0, 1.0), step(2, first=True, reward=0.0)])
    assert ticks(found) == [(0, 1)]
    assert found[0].discount == pytest.approx(GAMMA)


def test_actions_of_an_earlier_episode_are_not_learned_from() -> None:
    found = run([
        step(0, first=True), policy(1, 0), policy(2, 0 + 1, last=True, discount=0.0),
        replace(policy(3, 2), first=True), policy(4, 2, 7.0), step(5), policy(6, 3, 1.0),
        policy(7, 4)])
    assert ticks(found)[2:] == [(3, 4)]
    assert [each.reward for each in found] == [0.0, 0.0, 1.0]


def test_a_stop_only_adds_rewards() -> None:
    found = run([step(0, first=True), policy(1, 0, 1.0),
                 step(2, cause=Cause.STOP, answers=1, reward=1.0), policy(3, 2)])
    assert [each.steps for each in found] == [2]


def test_a_command_latched_twice_is_one_action() -> None:
    found = run([step(0, first=True), policy(1, 0, 1.0), policy(2, 0, 1.0), policy(3, 2)])
    assert [(each.steps, each.action) for each in found] == [(2, (1.0,))]


def test_what_a_gap_spans_is_dropped() -> None:
    steps = [step(0, first=True), *(policy(tick, tick - 1, 1.0) for tick in range(1, 10))]
    found = run([each for each in steps if each.tick != 4])
    assert ticks(found) == [(0, 1), (1, 2), (5, 6), (6, 7), (7, 8)]


def test_a_lost_observation_drops_what_needs_it() -> None:
    steps = [step(0, first=True), *(policy(tick, tick - 1, 1.0) for tick in range(1, 8))]
    assert ticks(run(steps, lost=(3,))) == [(0, 1), (1, 2), (4, 5), (5, 6)]
    assert ticks(run(steps, stack=2, lost=(3,))) == [(0, 1), (1, 2), (5, 6)]


def test_dropped_actions_are_counted() -> None:
    assembler = Assembler(stack=1, gamma=GAMMA)
    for each in (step(0, first=True), policy(1, 0), policy(4, 3), policy(6, 4)):
        assembler.observe(each.tick, image(each.tick), each.first)
        assembler.step(each)
    assert assembler.dropped == 3


@pytest.mark.parametrize("observation_first", [True, False])
def test_a_plant_that_starts_anew_is_not_mixed_with_the_old_run(observation_first: bool) -> None:
    assembler = Assembler(stack=1, gamma=GAMMA)
    found: list[SemiMdpTransition] = []
    steps = [step(0, first=True), *(policy(tick, tick - 1, 1.0) for tick in range(1, 6))]
    for offset in (0, 100):
        for each in steps:
            if observation_first:
                found += assembler.observe(each.tick, image(offset + each.tick), each.first)
                found += assembler.step(each)
            else:
                found += assembler.step(each)
                found += assembler.observe(each.tick, image(offset + each.tick), each.first)
    assert ticks(found) == [(0, 1), (1, 2), (2, 3), (3, 4),
                            (100, 101), (101, 102), (102, 103), (103, 104)]


def test_memory_is_bounded_when_a_stream_stops() -> None:
    assembler = Assembler(stack=1, gamma=GAMMA, capacity=8)
    for tick in range(100):
        assembler.step(policy(tick, tick - 1))
    assert assembler.observe(99, image(99), False) == []
    assert assembler.dropped <= 8


def test_gamma_outside_its_range_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"gamma 1\.5"):
        Assembler(stack=1, gamma=1.5)


@dataclass(frozen=True)
class Run:
    """A run of a plant under a delay, with every kind of tick in it."""

    steps: list[Timestep]
    delay: int

    def transitions(self, gamma: float = GAMMA) -> list[SemiMdpTransition]:
        return run(self.steps, gamma, operator_delay=self.delay)


@st.composite
def runs(draw: st.DrawFn) -> Run:
    delay = draw(st.integers(1, 4))
    steps: list[Timestep] = []
    first, episode = True, -1
    for tick in range(draw(st.integers(1, 60))):
        episode += first
        cause = draw(st.sampled_from([Cause.POLICY, Cause.POLICY, *Cause]))
        answers = tick - delay if cause is Cause.POLICY else -1
        if answers < 0 and cause is Cause.POLICY:
            cause = Cause.DEFAULT
        last = not first and draw(st.booleans()) and draw(st.booleans())
        discount = draw(st.sampled_from([0.0, 1.0])) if last else 1.0
        reward = 0.0 if first else float(draw(st.integers(-3, 3)))
        steps.append(step(tick, cause=cause, answers=answers, reward=reward, first=first,
                          last=last, discount=discount, episode=episode, action=float(tick)))
        first = last
    return Run(steps, delay)


def episode_of(steps: list[Timestep], tick: int) -> int:
    return steps[tick].episode


@given(runs())
def test_no_transition_spans_an_episode(run_: Run) -> None:
    for (start, end), each in zip(ticks(found := run_.transitions()), found, strict=True):
        assert episode_of(run_.steps, start) == episode_of(run_.steps, end)
        applied = int(each.action[0])
        assert episode_of(run_.steps, applied) == episode_of(run_.steps, start)
        assert episode_of(run_.steps, applied + each.steps - 1) == episode_of(run_.steps, start)


@given(runs())
def test_rewards_are_conserved(run_: Run) -> None:
    """Undiscounted, ended episodes give every reward from their first learned action on."""
    ended = {each.episode for each in run_.steps if each.last}
    applied: dict[int, int] = {}
    found = [each for each in run_.transitions(gamma=1.0)
             if episode_of(run_.steps, int(each.action[0])) in ended]
    for each in found:
        episode = episode_of(run_.steps, int(each.action[0]))
        applied[episode] = min(applied.get(episode, 10**9), int(each.action[0]))
    wanted = sum(each.reward for each in run_.steps
                 if each.tick >= applied.get(each.episode, 10**9))
    assert sum(each.reward for each in found) == wanted


@given(runs())
def test_discounts_and_rewards_are_exact(run_: Run) -> None:
    for each in run_.transitions():
        applied = int(each.action[0])
        span = run_.steps[applied:applied + each.steps]
        assert each.reward == pytest.approx(
            sum(GAMMA**index * one.reward for index, one in enumerate(span)))
        assert each.discount == (0.0 if each.terminal else GAMMA**each.steps)
        assert each.terminal == (span[-1].last and span[-1].discount == 0.0)


@given(runs())
def test_who_acts_does_not_matter_where_the_delay_is_the_same(run_: Run) -> None:
    """The policy's actions as a person's, and the other way round."""
    other = {Cause.POLICY: Cause.OPERATOR, Cause.OPERATOR: Cause.POLICY}
    swapped = [replace(each, cause=other.get(each.cause, each.cause),
                       observation_tick=each.tick - run_.delay) for each in run_.steps]
    found = run(swapped, operator_delay=run_.delay)
    assert ticks(found) == ticks(run_.transitions())
    assert [replace(each, observation=(), next_observation=()) for each in found] == [
        replace(each, observation=(), next_observation=()) for each in run_.transitions()]


@given(runs(), st.randoms(use_true_random=False))
def test_the_two_streams_may_interleave_in_any_way(run_: Run, random: object) -> None:
    wanted = run_.transitions()
    assembler = Assembler(stack=1, gamma=GAMMA, operator_delay=run_.delay)
    observations = list(run_.steps)
    steps = list(run_.steps)
    found: list[SemiMdpTransition] = []
    while observations or steps:
        if observations and (not steps or random.random() < 0.5):  # type: ignore[attr-defined]
            each = observations.pop(0)
            found += assembler.observe(each.tick, image(each.tick), each.first)
        else:
            found += assembler.step(steps.pop(0))
    assert ticks(found) == ticks(wanted)
    assert [each.reward for each in found] == [each.reward for each in wanted]


def test_transitions_tell_what_was_applied_before_their_observations() -> None:
    """Delay 3: the action of observation k acts at k + 3; tick t applies the action (t,)."""
    assembler = Assembler(stack=1, gamma=GAMMA, history=2)
    found = []
    for tick in range(12):
        found += assembler.observe(tick, image(tick), tick in (0, 8))
        found += assembler.step(
            step(tick, action=float(tick), first=tick in (0, 8)) if tick in (0, 1, 2, 8, 9, 10)
            else policy(tick, tick - 3, last=tick == 7))
    histories = [(each.history, each.next_history) for each in found]
    assert histories[0] == ((None, None), (None, (0.0,)))          # of observations 0 and 1
    assert histories[1] == ((None, (0.0,)), ((0.0,), (1.0,)))
    assert histories[3] == (((1.0,), (2.0,)), ((2.0,), (3.0,)))    # of observations 3 and 4
    assert histories[4] == (((2.0,), (3.0,)), ((5.0,), (6.0,)))    # cut short after tick 7
    assert len(found) == 5


def test_no_history_unless_it_is_asked_for() -> None:
    found = run([step(0, first=True), policy(1, 0), policy(2, 1), policy(3, 2)])
    assert found
    assert all(each.history == each.next_history == () for each in found)


def test_each_applied_row_of_a_chunk_is_an_action() -> None:
    rows = [(2, 0, 1), (3, 0, 2), (5, 3, 1), (6, 3, 2)]
    found = run([
        step(0, first=True), step(1),
        *(replace(policy(tick, seen, 1.0), row=row, merged=1) for tick, seen, row in rows[:2]),
        step(4, reward=2.0),
        *(replace(policy(tick, seen, 1.0, last=tick == 6, discount=0.0 if tick == 6 else 1.0),
                  row=row, merged=1) for tick, seen, row in rows[2:])])
    assert ticks(found) == [(0, 0), (0, 3), (3, 3), (3, 3)]
    assert [(each.row, each.next_row) for each in found] == [(1, 2), (2, 1), (1, 2), (2, -1)]
    assert [each.steps for each in found] == [1, 2, 1, 1]
    assert [each.reward for each in found] == pytest.approx([1.0, 1.0 + GAMMA * 2.0, 1.0, 1.0])
    assert [each.terminal for each in found] == [False, False, False, True]


def test_a_row_that_is_latched_again_is_no_other_action() -> None:
    again = [replace(policy(tick, 0), row=1, merged=1) for tick in (2, 3)]
    found = run([step(0, first=True), step(1), *again,
                 replace(policy(4, 0), row=3, merged=1), replace(policy(5, 0), row=4, merged=1)])
    assert [(each.row, each.steps) for each in found] == [(1, 2), (3, 1)]
