"""Learners on shared weights, in one process: as learning processes use them."""

from __future__ import annotations

import math
import os
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from learning.tiny_transitions import BUTTONS, TINY, VECTOR, presses, shown, transition

from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.learning import networks
from realtime_rl.learning.dqn import DqnLearner
from realtime_rl.learning.errors import NonFiniteLossError
from realtime_rl.learning.shared_arrays import SharedArrays
from realtime_rl.learning.shared_training import Turns, layout, learner_on

LAYOUT = layout(TINY, VECTOR, networks.parameter_count(
    networks.build("mlp", VECTOR, 1, BUTTONS, 0)), 2)


def trio(config: DqnConfig = TINY, reward: float = 1.0) -> list[DqnLearner]:
    """Two learners and the one that filled their replay; each attached as a process would be."""
    shared = SharedArrays(LAYOUT)
    acting, replay = learner_on(shared, config, VECTOR, BUTTONS, 2, begin=True)
    for each in presses(100):
        paid = replace(each, reward=reward * each.reward)
        replay.keep(paid)
        acting.add(paid)
    return [acting, *(learner_on(SharedArrays(LAYOUT, os.dup(shared.fd)), config, VECTOR, BUTTONS,
                                 number)[0] for number in range(2))]


def weights(learner: DqnLearner) -> torch.Tensor:
    return networks.flat(learner.network)


def test_they_begin_where_a_learner_alone_begins() -> None:
    alone = DqnLearner(TINY, VECTOR, BUTTONS)
    assert all(torch.equal(weights(each), weights(alone)) for each in trio())


def test_updates_of_each_reach_the_shared_weights() -> None:
    acting, one, two = trio()
    begin = weights(acting)
    one.update()
    after_one = weights(acting)
    two.updates = 1
    two.update()
    after_two = weights(acting)
    assert not torch.equal(begin, after_one)
    assert not torch.equal(after_one, after_two)
    assert all(torch.equal(weights(each), after_two) for each in (one, two))


def test_each_has_gradients_and_draws_of_its_own() -> None:
    _, one, two = trio(replace(TINY, noisy=False))
    one.update()
    two.updates = 1
    assert all(each.grad is None for each in two.network.parameters())
    two.update()
    pairs = zip(one.network.parameters(), two.network.parameters(), strict=True)
    assert not any(torch.equal(first.grad, second.grad) for first, second in pairs)


def test_gradients_of_each_are_clipped() -> None:
    config = replace(TINY, clip_norm=0.01, huber=False)
    learners = trio(config, reward=1000.0)[1:]
    for number, learner in enumerate(learners):
        learner.updates = number
        learner.update()
        norm = math.sqrt(sum(float(each.grad.square().sum())
                             for each in learner.network.parameters()))
        assert norm == pytest.approx(0.01, rel=1e-3)


def test_the_target_is_one_and_copied_by_whoever_has_the_turn() -> None:
    acting, one, two = trio(replace(TINY, target_interval=5))
    for number in range(1, 5):
        one.updates = number
        one.update()
    begin = networks.flat(two._target)
    assert not torch.equal(begin, weights(acting))
    two.updates = 5
    before = weights(acting)
    two.update()
    assert torch.equal(networks.flat(one._target), before)


def test_a_loss_that_is_not_finite_stays_out_of_the_shared_weights() -> None:
    acting, one, _ = trio()
    acting._replay.add(transition(shown(0), 0.0, math.nan))
    one.updates = 1
    with pytest.raises(NonFiniteLossError):
        for _ in range(1000):
            before = weights(acting)
            one.update()
    assert torch.equal(weights(acting), before)


def test_no_more_updates_than_allowed_are_dealt_and_each_once() -> None:
    shared = SharedArrays(LAYOUT)
    turns = [Turns(shared), Turns(SharedArrays(LAYOUT, os.dup(shared.fd)))]
    assert turns[0].claim(0) is None
    turns[0].allow(5, 2)
    claims = [turns[index % 2].claim(index) for index in range(7)]
    assert [each and each.number for each in claims] == [0, 1, 2, 3, 4, None, None]
    turns[1].allow(6, 2)
    assert turns[0].claim(9).number == 5


@given(st.integers(1, 10**9), st.integers(1, 10**9), st.integers(1, 2))
def test_starts_are_an_equal_part_of_the_mean_duration_apart(one: int, two: int, alive: int
                                                             ) -> None:
    turns = Turns(SharedArrays(LAYOUT))
    turns.allow(10, alive)
    turns.made(0, 0.5, one)
    turns.made(1, 0.25, two)
    first, second = turns.claim(1000), turns.claim(1000)
    assert first.start_ns == 1000
    assert second.start_ns == 1000 + (one + two) // 2 // alive
    assert (turns.updates, turns.loss_sum) == (2, 0.75)


def test_a_failure_ends_the_turns_of_all_and_is_told_once() -> None:
    shared = SharedArrays(LAYOUT)
    one, two = Turns(shared), Turns(SharedArrays(LAYOUT, os.dup(shared.fd)))
    one.allow(10, 2)
    assert one.failed is None
    assert two.fail(1)
    assert not one.fail(0)
    assert one.failed == 1
    assert one.claim(0) is None
