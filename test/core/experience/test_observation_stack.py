"""Stacks of observations by tick."""

from __future__ import annotations

import numpy as np
import pytest

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.experience.observation_stack import ObservationStack
from realtime_rl.core.observations import Observation


def image(value: int) -> Observation:
    return np.full((1, 2, 3), value, np.uint8)


def filled(stack: int, ticks: int, capacity: int = 64) -> ObservationStack:
    observations = ObservationStack(stack, capacity)
    for tick in range(ticks):
        observations.push(tick, image(tick), first=tick == 0)
    return observations


def test_newest_observation_is_last() -> None:
    stacked = filled(3, 10).get(7)
    assert stacked is not None
    assert stacked.shape == (3, 2, 3)
    assert stacked.dtype == np.uint8
    assert stacked[:, 0, 0].tolist() == [5, 6, 7]


def test_vectors_are_joined() -> None:
    observations = ObservationStack(2)
    observations.push(0, np.array([1.0, 2.0], np.float32), first=True)
    observations.push(1, np.array([3.0, 4.0], np.float32), first=False)
    stacked = observations.get(1)
    assert stacked is not None
    assert stacked.tolist() == [1.0, 2.0, 3.0, 4.0]


def test_an_episodes_start_is_padded_with_its_first_observation() -> None:
    observations = filled(4, 3)
    observations.push(3, image(100), first=True)
    observations.push(4, image(101), first=False)
    stacked = observations.get(4)
    assert stacked is not None
    assert stacked[:, 0, 0].tolist() == [100, 100, 100, 101]


def test_an_absent_tick_gives_no_stack_until_it_is_passed() -> None:
    observations = ObservationStack(2)
    for tick in (0, 1, 3, 4):
        observations.push(tick, image(tick), first=tick == 0)
    assert [observations.get(tick) is not None for tick in range(6)] == [
        True, True, False, False, True, False]


def test_joining_mid_episode_waits_for_a_whole_stack() -> None:
    observations = ObservationStack(2)
    observations.push(17, image(0), first=False)
    assert observations.get(17) is None


def test_memory_is_bounded() -> None:
    observations = filled(2, 100, capacity=5)
    assert [tick for tick in range(100) if observations.get(tick) is not None] == [96, 97, 98, 99]


def test_frames_are_shared_not_copied() -> None:
    observations = filled(2, 3)
    earlier, later = observations.frames(1), observations.frames(2)
    assert earlier is not None
    assert later is not None
    assert later[0] is earlier[1]


def test_a_plant_that_starts_anew_is_not_mixed_with_the_old_run() -> None:
    observations = filled(2, 10)
    observations.push(0, image(50), first=True)
    assert observations.newest == 0
    assert observations.get(9) is None
    assert observations.get(1) is None


@pytest.mark.parametrize("false_tick", [0, 2**40, 2**53])
def test_a_false_tick_is_forgotten_with_the_next_true_ones(false_tick: int) -> None:
    observations = filled(2, 10)
    observations.push(false_tick, image(50), first=True)
    for tick in range(10, 12):
        observations.push(tick, image(tick), first=False)
    assert observations.newest == 11
    frames = observations.frames(11)
    assert frames is not None
    assert [frame.flat[0] for frame in frames] == [10, 11]


@pytest.mark.parametrize(("stack", "capacity"), [(0, 4), (5, 4)])
def test_a_stack_that_cannot_be_is_refused(stack: int, capacity: int) -> None:
    with pytest.raises(ConfigError, match=f"stack {stack}"):
        ObservationStack(stack, capacity)


def test_a_lost_frame_is_filled_by_the_one_after_it() -> None:
    stack = ObservationStack(3)
    frames = {tick: np.full((1, 2), tick, np.uint8) for tick in range(1, 6)}
    for tick in (1, 2, 4, 5):
        stack.push(tick, frames[tick], first=False)
    assert stack.get(5) is None
    filled = stack.get(5, fill_gaps=True)
    assert filled is not None
    assert filled[:, 0].tolist() == [4, 4, 5]
    assert stack.get(3, fill_gaps=True) is None
