"""Replay and n-step transitions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from learning.tiny_transitions import shown, transition

from realtime_rl.core.experience.assembler import SemiMdpTransition
from realtime_rl.core.settings.dqn_config import REPLAYS
from realtime_rl.learning.errors import LearningError
from realtime_rl.learning.n_step import NStep
from realtime_rl.learning.replay import Replay


def chain(rewards: list[float], discount: float, terminal: bool) -> list[SemiMdpTransition]:
    """Transitions of one episode that follow each other; rewards also number them."""
    frames = [np.array([float(index)]) for index in range(len(rewards) + 1)]
    return [transition(frames[index], 0.0, reward, next_observation=frames[index + 1],
                       discount=discount, terminal=terminal and index == len(rewards) - 1)
            for index, reward in enumerate(rewards)]


def test_arrays_of_a_batch() -> None:
    replay = Replay(10, seed=0)
    images = [np.full((1, 2, 3), value, np.uint8) for value in range(4)]
    replay.add(SemiMdpTransition((images[0], images[1]), (2.0,), 0.5, 0.81,
                                 (images[2], images[3]), 2, False))
    batch = replay.sample(5)
    assert batch.observation.shape == (5, 2, 2, 3)
    assert batch.observation.dtype == np.uint8
    assert batch.observation[4, :, 0, 0].tolist() == [0, 1]
    assert batch.next_observation[0, :, 0, 0].tolist() == [2, 3]
    assert batch.action.tolist() == [2] * 5
    assert batch.reward.dtype == batch.discount.dtype == np.float32
    assert batch.discount[0] == pytest.approx(0.81)


def test_memory_is_bounded_and_the_oldest_goes() -> None:
    replay = Replay(3, seed=0)
    for reward in range(10):
        replay.add(transition(shown(0), 0.0, float(reward)))
    assert len(replay) == 3
    assert set(replay.sample(200).reward.tolist()) == {7.0, 8.0, 9.0}


def test_the_same_seed_draws_the_same() -> None:
    one, two = Replay(100, seed=4), Replay(100, seed=4)
    for reward in range(100):
        for replay in (one, two):
            replay.add(transition(shown(0), 0.0, float(reward)))
    assert one.sample(32).reward.tolist() == two.sample(32).reward.tolist()


@pytest.mark.parametrize("kind", REPLAYS)
@given(st.integers(1, 6), st.integers(1, 30))
def test_no_kind_keeps_more_than_its_capacity(kind: str, capacity: int, count: int) -> None:
    replay = Replay(capacity, 0, kind)
    for reward in range(count):
        replay.add(transition(shown(0), 0.0, float(reward)))
    assert len(replay) == min(capacity, count)
    batch = replay.sample(64)
    assert set(batch.reward.tolist()) <= set(map(float, range(count)))
    assert batch.weight.max() == 1.0
    if kind != "reservoir":
        assert batch.reward.min() >= max(0, count - capacity)


def test_a_reservoir_keeps_every_transition_with_the_same_chance() -> None:
    counts = np.zeros(40)
    for seed in range(600):
        replay = Replay(10, seed, "reservoir")
        for reward in range(40):
            replay.add(transition(shown(0), 0.0, float(reward)))
        counts[sorted({int(each) for each in replay.sample(200).reward})] += 1
    # 600 draws with chance 1/4: 150 +- 10.6; ten kept are all drawn by 200 nearly always
    assert counts.sum() == pytest.approx(6000, rel=0.001)
    assert 105 < counts.min() <= counts.max() < 195


def test_frames_that_transitions_share_are_not_copied() -> None:
    steps = chain([float(reward) for reward in range(50)], 0.9, terminal=False)
    replay = Replay(50, seed=0)
    for each in steps:
        replay.add(each)
    kept = {id(frame) for each in replay._kept
            for frame in (*each.observation, *each.next_observation)}
    assert len(kept) == 51


def test_large_errors_are_drawn_in_proportion_and_weighted_back() -> None:
    replay = Replay(4, 0, "priority", exponent=1.0)
    for reward in range(4):
        replay.add(transition(shown(0), 0.0, float(reward)))
    replay.set_errors(np.arange(4), np.array([0.0, 1.0, -2.0, 5.0], np.float32))
    batch = replay.sample(8000, correction=1.0)
    counts = np.bincount(batch.slot, minlength=4)
    assert counts[1:] == pytest.approx([1000, 2000, 5000], abs=2)
    assert counts[0] <= 1
    weights = {int(index): float(weight) for index, weight in
               zip(batch.slot, batch.weight, strict=True)}
    assert weights[1] / weights[3] == pytest.approx(5.0, rel=1e-4)
    half = replay.sample(100, correction=0.5)
    ratio = half.weight[half.slot == 1][0] / half.weight[half.slot == 3][0]
    assert ratio == pytest.approx(5.0**0.5, rel=1e-4)
    assert set(replay.sample(100, correction=0.0).weight) == {1.0}


def test_a_new_transition_gets_the_largest_priority_and_replaces_the_oldest() -> None:
    replay = Replay(2, 0, "priority", exponent=1.0)
    for reward in range(2):
        replay.add(transition(shown(0), 0.0, float(reward)))
    replay.set_errors(np.array([0, 1]), np.array([1.0, 30.0], np.float32))
    replay.add(transition(shown(0), 0.0, 2.0))
    rewards = replay.sample(1000).reward
    assert set(rewards.tolist()) == {1.0, 2.0}
    assert np.count_nonzero(rewards == 2.0) == pytest.approx(500, abs=2)


def test_an_exponent_of_zero_draws_uniformly() -> None:
    replay = Replay(2, 0, "priority", exponent=0.0)
    for reward in range(2):
        replay.add(transition(shown(0), 0.0, float(reward)))
    replay.set_errors(np.array([0, 1]), np.array([0.001, 30.0], np.float32))
    assert np.bincount(replay.sample(100).slot).tolist() == [50, 50]


def test_an_empty_replay_says_so() -> None:
    with pytest.raises(LearningError, match="the replay is empty"):
        Replay(3, seed=0).sample(1)


def test_one_step_passes_through() -> None:
    steps = chain([1.0, 2.0, 3.0], 0.9, terminal=True)
    n_step = NStep(1)
    assert [found for each in steps for found in n_step.add(each)] == steps


def test_rewards_of_several_actions_are_summed() -> None:
    n_step = NStep(3)
    found = [joined for each in chain([1.0, 2.0, 4.0, 8.0], 0.5, terminal=True)
             for joined in n_step.add(each)]
    assert [each.reward for each in found] == [1 + 1 + 1, 2 + 2 + 2, 4 + 4, 8]
    assert [each.discount for each in found] == [0.125, 0, 0, 0]
    assert [each.steps for each in found] == [3, 3, 2, 1]
    assert [each.terminal for each in found] == [False, True, True, True]
    assert found[0].next_observation[0].tolist() == [3.0]


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=20), st.integers(1, 8))
def test_every_transition_starts_one_and_nothing_crosses_a_break(
    rewards: list[int], n: int
) -> None:
    n_step = NStep(n)
    episodes = [chain([float(value) for value in rewards], 1.0, terminal) for terminal in
                (False, True)]
    found = [joined for episode in episodes for each in episode for joined in n_step.add(each)]
    wanted = [sum(rewards[index:index + n]) for index in range(len(rewards))]
    assert [each.reward for each in found] == [*wanted, *wanted]
    assert all(each.discount == 1.0 for each in found[:len(rewards)])


def test_joined_transitions_and_batches_keep_their_histories() -> None:
    steps = [replace(each, history=((float(index),),), next_history=((float(index + 1),),))
             for index, each in enumerate(chain([1.0, 2.0, 4.0], 0.5, terminal=True))]
    n_step = NStep(2)
    found = [joined for each in steps for joined in n_step.add(each)]
    assert [(each.history, each.next_history) for each in found] == [
        (((0.0,),), ((2.0,),)), (((1.0,),), ((3.0,),)), (((2.0,),), ((3.0,),))]
    replay = Replay(1, seed=0)
    replay.add(found[0])
    batch = replay.sample(2)
    assert (batch.history, batch.next_history) == ([((0.0,),)] * 2, [((2.0,),)] * 2)
