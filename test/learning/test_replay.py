"""Replay and n-step transitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from learning.tiny_transitions import shown, transition

from realtime_rl.core.assembler import SemiMdpTransition
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
