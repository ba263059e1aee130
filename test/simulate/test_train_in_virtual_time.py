"""Learning in virtual time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from simulate.tiny_plant import Counter, Echo

from realtime_rl.core.observations import ObservationSpec
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.core.types import Action, ActionSpace, PlantSpec, Transition
from realtime_rl.simulate.loop import Delay
from realtime_rl.simulate.train import train

CONFIG = DqnConfig(network="mlp", stack=1, learning_rate=1e-3, gamma=0.5, batch_size=16,
                   replay_size=1000, learn_start=100, target_interval=50, n_step=1,
                   epsilon_transitions=500, hold_ticks=1)


def test_it_learns_to_press_what_is_shown() -> None:
    learner, figures = train(Echo(), CONFIG, Delay(1), 1500)
    assert learner.greedy(np.array([1, 0], np.float32)) == (0.0,)
    assert learner.greedy(np.array([0, 1], np.float32)) == (1.0,)
    assert figures.interval(since_tick=1000).low > figures.interval().mean
    assert figures.interval(since_tick=1000).mean > 40


@pytest.mark.parametrize("delay", [Delay(3), Delay(3, "sequential")])
def test_the_same_seed_gives_the_same_result_bit_for_bit(delay: Delay) -> None:
    (one, figures), (two, again) = (train(Echo(), CONFIG, delay, 300) for _ in range(2))
    assert figures == again
    weights, same = one.network.state_dict(), two.network.state_dict()
    assert all(torch.equal(weights[key], same[key]) for key in weights)
    other, _ = train(Echo(), replace(CONFIG, seed=1), delay, 300)
    assert not torch.equal(weights["body.1.weight"], other.network.state_dict()["body.1.weight"])


@pytest.mark.parametrize(("per_tick", "updates"), [(0.5, 100), (1.0, 200), (2.0, 400)])
def test_updates_follow_the_ticks(per_tick: float, updates: int) -> None:
    learner, _ = train(Echo(), CONFIG, Delay(1), 301, updates_per_tick=per_tick)
    assert learner.updates == pytest.approx(updates, abs=6)


def test_progress_is_told_every_tick() -> None:
    told: list[tuple[int, bool]] = []
    train(Echo(), CONFIG, Delay(1), 200,
          progress=lambda tick, loss, figures: told.append((tick, np.isfinite(loss))))
    assert [tick for tick, _ in told] == list(range(200))
    assert (told[0][1], told[-1][1]) == (False, True)


class Alternate(Counter):
    """Shows nothing, and pays 1 for an action other than the one applied two ticks before."""

    def __init__(self) -> None:
        super().__init__(length=50, terminal=False)
        self.spec = PlantSpec("alternate", 1_000_000, ObservationSpec((1,), "float32", 0, 1),
                              ActionSpace(("A", "B"), (0.0,)))

    def step(self, action: Action) -> Transition:
        base = super().step(action)
        before = self.latched[-3] if len(self.latched) > 2 else None
        return Transition(np.ones(1, np.float32), float(action != before), base.discount,
                          base.first, base.last)


@pytest.mark.parametrize(("history", "low", "high"), [(1, 42, 50), (0, 0, 40)])
def test_a_history_of_actions_shows_what_no_observation_does(
    history: int, low: float, high: float
) -> None:
    config = replace(CONFIG, gamma=0.0, action_history=history)
    _, figures = train(Alternate(), config, Delay(1), 1500)
    assert low < figures.interval(since_tick=1000).mean < high
