"""The Q-learner."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from learning.tiny_transitions import BUTTONS, TINY, VECTOR, WHEELS, presses, shown, transition

from realtime_rl.core.config import build, parameters
from realtime_rl.core.dqn_config import DqnConfig
from realtime_rl.learning.dqn import DqnLearner
from realtime_rl.learning.errors import LearningError


def learner_of(config: DqnConfig = TINY) -> DqnLearner:
    return DqnLearner(config, VECTOR, BUTTONS)


@pytest.mark.parametrize("config", [
    TINY, replace(TINY, double=False, huber=False), replace(TINY, n_step=3)])
def test_it_learns_what_pays(config: DqnConfig) -> None:
    learner = learner_of(config)
    for each in presses(300):
        learner.add(each)
    for _ in range(300):
        learner.update()
    assert [learner.greedy(shown(button)) for button in range(3)] == [(0.0,), (1.0,), (2.0,)]


def test_values_are_discounted_by_what_the_transition_says() -> None:
    """One state that pays 1 for ever at discount 0.5 is worth 2."""
    learner = learner_of()
    for _ in range(100):
        learner.add(transition(shown(0), 0.0, 1.0, discount=0.5))
    for _ in range(500):
        learner.update()
    value = learner.network(torch.from_numpy(shown(0)[None]))[0, 0]
    assert float(value.detach()) == pytest.approx(2.0, abs=0.1)


def test_the_same_seed_gives_the_same_weights() -> None:
    learners = [learner_of(), learner_of(), learner_of(replace(TINY, seed=1))]
    for learner in learners:
        for each in presses(50):
            learner.add(each)
        for _ in range(10):
            learner.update()
    one, two, other = (learner.network.state_dict()["body.1.weight"] for learner in learners)
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_epsilon_falls_with_the_transitions() -> None:
    learner = learner_of()
    assert learner.epsilon == 1.0
    for each in presses(50):
        learner.add(each)
    assert learner.epsilon == pytest.approx(1.0 - 0.5 * 0.95)
    for each in presses(200):
        learner.add(each)
    assert learner.epsilon == pytest.approx(0.05)


def test_it_is_ready_once_there_is_enough() -> None:
    learner = learner_of()
    for each in presses(31):
        learner.add(each)
    assert not learner.ready
    learner.add(next(presses(1)))
    assert learner.ready


def test_a_loss_that_is_not_finite_keeps_the_weights() -> None:
    learner = learner_of()
    for each in presses(40):
        learner.add(each)
    learner.update()
    before = {key: value.clone() for key, value in learner.network.state_dict().items()}
    learner.add(transition(shown(0), 0.0, math.nan))
    with pytest.raises(LearningError, match=r"update \d+: loss nan .* of update \d+ are kept"):
        for _ in range(100):
            before = {key: value.clone() for key, value in learner.network.state_dict().items()}
            learner.update()
    after = learner.network.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_metadata_describe_the_present_weights() -> None:
    learner = learner_of()
    for each in presses(50):
        learner.add(each)
    learner.update()
    metadata = learner.metadata(version=3)
    assert (metadata.version, metadata.training_step, metadata.stack) == (3, 1, 1)
    assert metadata.epsilon == learner.epsilon
    assert (metadata.observation, metadata.actions) == (VECTOR, BUTTONS)


def test_continuous_actions_are_refused() -> None:
    with pytest.raises(LearningError, match="needs discrete actions, not 'vx:"):
        DqnLearner(TINY, VECTOR, WHEELS)


def test_every_parameter_is_described_and_its_default_allowed() -> None:
    for item in parameters(DqnConfig).values():
        assert item.description
        assert item.problem(item.default) is None
    assert build(DqnConfig, {"gamma": 0.5}).gamma == 0.5


