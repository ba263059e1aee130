"""The Q-learner."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from learning.tiny_transitions import BUTTONS, TINY, VECTOR, WHEELS, presses, shown, transition

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.experience.action_history import encode
from realtime_rl.core.settings.config import build, parameters
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.learning.dqn import DqnLearner
from realtime_rl.learning.errors import LearningError


def learner_of(config: DqnConfig = TINY) -> DqnLearner:
    return DqnLearner(config, VECTOR, BUTTONS)


C51 = replace(TINY, distributional=True, atoms=21, value_min=-1.0, value_max=3.0)
RAINBOW = replace(C51, algorithm="rainbow")


@pytest.mark.parametrize("config", [
    TINY, replace(TINY, double=False, huber=False), replace(TINY, n_step=3),
    replace(TINY, dueling=True), replace(TINY, noisy=True), C51, replace(C51, double=False),
    replace(TINY, replay="priority"), replace(TINY, replay="reservoir"), RAINBOW])
def test_it_learns_what_pays(config: DqnConfig) -> None:
    learner = learner_of(config)
    for each in presses(300):
        learner.add(each)
    for _ in range(300):
        learner.update()
    assert [learner.greedy(shown(button)) for button in range(3)] == [(0.0,), (1.0,), (2.0,)]


@pytest.mark.parametrize("config", [TINY, C51, RAINBOW])
def test_values_are_discounted_by_what_the_transition_says(config: DqnConfig) -> None:
    """One state that pays 1 for ever at discount 0.5 is worth 2."""
    learner = learner_of(config)
    for _ in range(100):
        learner.add(transition(shown(0), 0.0, 1.0, discount=0.5))
    for _ in range(500):
        learner.update()
    value = learner.network(torch.from_numpy(shown(0)[None]))[0, 0]
    assert float(value.detach()) == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize(("config", "name"), [
    (TINY, "body.1.weight"), (RAINBOW, "body.1.value.0.weight_sigma")])
def test_the_same_seed_gives_the_same_weights(config: DqnConfig, name: str) -> None:
    learners = [learner_of(config), learner_of(config), learner_of(replace(config, seed=1))]
    for learner in learners:
        for each in presses(50):
            learner.add(each)
        for _ in range(10):
            learner.update()
    one, two, other = (learner.network.state_dict()[name] for learner in learners)
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


@pytest.mark.parametrize(("came_to", "after_50"), [
    (1.0, 0.525), (0.525, 0.05), (0.05, 0.05), (0.0, 0.05)])
def test_exploration_goes_on_where_an_earlier_learner_was(came_to: float, after_50: float) -> None:
    learner = learner_of()
    learner.resume_exploration(came_to)
    assert learner.epsilon == pytest.approx(max(came_to, 0.05))
    for each in presses(50):
        learner.add(each)
    assert learner.epsilon == pytest.approx(after_50)
    assert learner.transitions == 50


def test_demonstrations_are_learned_from_but_end_no_exploration() -> None:
    learner = learner_of()
    for each in presses(200):
        learner.demonstrate(each)
    assert (learner.ready, learner.transitions, learner.epsilon) == (True, 0, 1.0)


def test_it_is_ready_once_there_is_enough() -> None:
    learner = learner_of()
    for each in presses(31):
        learner.add(each)
    assert not learner.ready
    learner.add(next(presses(1)))
    assert learner.ready


@pytest.mark.parametrize("config", [TINY, RAINBOW])
def test_a_loss_that_is_not_finite_keeps_the_weights(config: DqnConfig) -> None:
    learner = learner_of(config)
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


def test_rainbow_switches_every_part_on_and_leaves_the_rest() -> None:
    resolved = replace(TINY, algorithm="rainbow", double=False, n_step=5).resolved()
    assert resolved == replace(
        TINY, algorithm="rainbow", n_step=5, double=True, dueling=True, distributional=True,
        noisy=True, replay="priority")
    assert TINY.resolved() is TINY


def test_acting_is_free_of_noise() -> None:
    learner = learner_of(replace(TINY, noisy=True))
    for each in presses(50):
        learner.add(each)
    learner.update()
    values = learner.network(torch.eye(3))
    assert torch.equal(values, learner.network(torch.eye(3)))
    deviations = [weight for name, weight in learner.network.named_parameters()
                  if name.endswith("weight_sigma")]
    assert deviations
    assert all(float(each.detach().std()) > 0 for each in deviations)  # they began all the same


def test_prioritized_replay_learns_of_a_rare_transition_sooner() -> None:
    """One transition in 300 pays; drawn by its error, its value is learned with fewer updates."""
    def value(replay: str) -> float:
        learner = learner_of(replace(TINY, replay=replay, priority_exponent=1.0))
        for index in range(300):
            paid = float(index == 150)
            learner.add(transition(shown(int(paid)), 0.0, paid, terminal=True))
        for _ in range(60):
            learner.update()
        return float(learner.network(torch.from_numpy(shown(1)[None])).detach()[0, 0])
    assert value("priority") > 0.5 > value("recency")


def test_an_empty_range_of_returns_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"value_min: 1\.0 must be below value_max 1\.0"):
        replace(TINY, value_min=1.0, value_max=1.0)


def test_continuous_actions_are_refused() -> None:
    with pytest.raises(LearningError, match="needs discrete actions, not 'vx:"):
        DqnLearner(TINY, VECTOR, WHEELS)


def test_every_parameter_is_described_and_its_default_allowed() -> None:
    for item in parameters(DqnConfig).values():
        assert item.description
        assert item.problem(item.default) is None
    assert build(DqnConfig, {"gamma": 0.5}).gamma == 0.5




@pytest.mark.parametrize("config", [TINY, RAINBOW, replace(TINY, double=False, n_step=2)])
def test_it_learns_from_what_was_applied(config: DqnConfig) -> None:
    """The observation shows nothing; the button to press is the one that was applied last."""
    learner = learner_of(replace(config, action_history=2))
    rng = np.random.default_rng(0)
    for _ in range(300):
        applied, pressed = int(rng.integers(3)), int(rng.integers(3))
        told = (None, (float(applied),))
        learner.add(replace(
            transition(np.ones(3, np.float32), float(pressed), float(applied == pressed),
                       terminal=True), history=told, next_history=told))
    for _ in range(300):
        learner.update()
    acted = [learner.greedy(np.ones(3, np.float32), (None, (float(each),))) for each in range(3)]
    assert acted == [(0.0,), (1.0,), (2.0,)]


def test_values_bootstrap_from_what_was_applied_later() -> None:
    """Only the history tells the last state, worth 1, from the one before it, worth 0.5."""
    learner = learner_of(replace(TINY, action_history=1))
    seen = np.ones(3, np.float32)
    early, late = ((0.0,),), ((1.0,),)
    for _ in range(50):
        learner.add(replace(transition(seen, 0.0, 0.0, discount=0.5),
                            history=early, next_history=late))
        learner.add(replace(transition(seen, 0.0, 1.0, terminal=True),
                            history=late, next_history=late))
    for _ in range(400):
        learner.update()
    with torch.no_grad():
        values = learner.network(torch.ones(2, 3), torch.from_numpy(
            encode([early, late], BUTTONS)))[:, 0]
    assert values.tolist() == pytest.approx([0.5, 1.0], abs=0.1)


def test_a_history_of_another_length_is_refused() -> None:
    learner = learner_of(replace(TINY, action_history=2))
    for each in presses(40):
        learner.add(each)
    with pytest.raises(LearningError, match=r"action_history 2 needs as many .* not 0: give the"):
        learner.update()
    with pytest.raises(LearningError, match=r"action_history 2 needs as many .* not 1"):
        learner.greedy(shown(0), (None,))


def test_a_gradient_of_staggered_learners_is_of_the_weights_that_they_found() -> None:
    learner = DqnLearner(TINY, VECTOR, BUTTONS, learners=3)
    for each in presses(40):
        learner.add(each)
    begun, applied = [], []
    step = learner._optimizer.step

    def stepped() -> None:
        applied.append([weight.grad.clone() for weight in learner.network.parameters()
                        if weight.grad is not None])
        step()

    learner._optimizer.step = stepped  # type: ignore[method-assign,assignment]
    clip = torch.nn.utils.clip_grad_norm_
    before = [weight.clone() for weight in learner.network.parameters()]
    with pytest.MonkeyPatch.context() as patch:
        def clipped(weights: object, most: float) -> torch.Tensor:
            begun.append([weight.grad.clone() for weight in learner.network.parameters()
                          if weight.grad is not None])
            return clip(learner.network.parameters(), most)

        patch.setattr(torch.nn.utils, "clip_grad_norm_", clipped)
        for _ in range(2):
            learner.update()
        assert learner.updates == 0
        assert all(torch.equal(*pair) for pair in zip(before, learner.network.parameters(),
                                                      strict=True)), "the first have only begun"
        for _ in range(4):
            learner.update()
    assert learner.updates == 4
    assert all(torch.equal(*pair) for one, other in zip(applied, begun[:4], strict=True)
               for pair in zip(one, other, strict=True))


def test_staggered_learners_learn_what_pays() -> None:
    learner = DqnLearner(TINY, VECTOR, BUTTONS, learners=4)
    for each in presses(300):
        learner.add(each)
    for _ in range(300):
        learner.update()
    assert [learner.greedy(shown(button)) for button in range(3)] == [(0.0,), (1.0,), (2.0,)]
