from __future__ import annotations

import numpy as np
import pytest
from plants_conformance import PlantConformance

from realtime_rl.plants.base import Plant
from realtime_rl.plants.counter import CounterOptions, CounterPlant


class TestVectorCounter(PlantConformance):
    def make_plant(self, seed: int) -> Plant:
        return CounterPlant(CounterOptions(random_phase=True, episode_ticks=20), seed)


class TestImageCounter(PlantConformance):
    def make_plant(self, seed: int) -> Plant:
        return CounterPlant(CounterOptions(observation="image", actions=5), seed)


def test_reward_is_one_on_the_target() -> None:
    plant = CounterPlant(CounterOptions(actions=3, episode_ticks=7), 0)
    rewards = [plant.step((1.0,)).reward for _ in range(8)]
    assert rewards == [0, 1, 0, 0, 1, 0, 0, 1]


def test_vector_shows_tick_and_target() -> None:
    plant = CounterPlant(CounterOptions(actions=3), 0)
    seen = [plant.step((0.0,)).observation.tolist() for _ in range(5)]
    assert seen == [[0, 0], [1, 1], [2, 2], [3, 0], [4, 1]]


def test_image_lights_the_target() -> None:
    plant = CounterPlant(CounterOptions(actions=3, observation="image"), 0)
    lit = [np.flatnonzero(plant.step((0.0,)).observation).tolist() for _ in range(5)]
    assert lit == [[0], [1], [2], [0], [1]]


@pytest.mark.parametrize(("terminal", "discount"), [(True, 0.0), (False, 1.0)])
def test_episodes_end_for_good_or_are_cut_off(terminal: bool, discount: float) -> None:
    plant = CounterPlant(CounterOptions(episode_ticks=2, terminal=terminal), 0)
    transitions = [plant.step((0.0,)) for _ in range(4)]
    assert [t.last for t in transitions] == [False, False, True, False]
    assert transitions[2].discount == discount
    assert transitions[3].first


def test_zero_episode_ticks_never_end() -> None:
    plant = CounterPlant(CounterOptions(episode_ticks=0), 0)
    assert not any(plant.step((0.0,)).last for _ in range(500))


def test_period() -> None:
    assert CounterPlant(CounterOptions(period_ms=12.5), 0).spec.period_ns == 12_500_000
