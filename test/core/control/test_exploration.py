"""Exploration is a pure function of the tick."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.control.exploration import Exploration, explore, explore_rows
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.types import ActionSpace

BUTTONS = ActionSpace(("LEFT", "RIGHT", "NOOP"), (2.0,))
WHEELS = ActionSpace(("vx", "wz"), (0.0, 0.0), low=(-0.5, -1.0), high=(0.5, 2.0))


@given(st.integers(0, 10**9), st.floats(0, 1), st.integers(1, 100), st.integers(0, 2**64 - 1),
       st.sampled_from([BUTTONS, WHEELS]))
def test_every_draw_is_in_the_space_and_repeats(
    tick: int, epsilon: float, hold: int, seed: int, space: ActionSpace
) -> None:
    action = explore(tick, epsilon, hold, seed, space)
    assert action == explore(tick, epsilon, hold, seed, space)
    assert action is None or space.problem(action) is None


@given(st.integers(0, 10**6), st.integers(1, 50), st.integers(0, 1000))
def test_a_segment_acts_as_one(segment: int, hold: int, seed: int) -> None:
    ticks = range(segment * hold, (segment + 1) * hold)
    assert len({explore(tick, 0.5, hold, seed, BUTTONS) for tick in ticks}) == 1


@pytest.mark.parametrize("epsilon", [0.0, 0.05, 0.5, 1.0])
def test_epsilon_is_the_share_of_exploring_segments(epsilon: float) -> None:
    drawn = [explore(tick, epsilon, 1, 7, BUTTONS) for tick in range(20_000)]
    share = sum(action is not None for action in drawn) / len(drawn)
    assert share == pytest.approx(epsilon, abs=0.01)


def test_choices_are_drawn_evenly() -> None:
    drawn = [explore(tick, 1.0, 1, 3, BUTTONS) for tick in range(30_000)]
    for index in range(3):
        assert drawn.count((float(index),)) / 30_000 == pytest.approx(1 / 3, abs=0.015)


def test_dimensions_are_drawn_apart() -> None:
    drawn = [explore(tick, 1.0, 1, 3, WHEELS) for tick in range(2_000)]
    first = [0.0 if action is None else action[0] for action in drawn]
    second = [0.0 if action is None else (action[1] - 0.5) / 3 for action in drawn]
    assert sum(a * b for a, b in zip(first, second, strict=True)) / 2_000 == pytest.approx(
        0.0, abs=0.01)


def test_seeds_differ() -> None:
    one, two = ([explore(tick, 0.5, 1, seed, BUTTONS) for tick in range(64)] for seed in (0, 1))
    assert one != two


@pytest.mark.parametrize(("epsilon", "hold", "message"), [
    (1.5, 8, "epsilon 1.5 is outside 0 … 1"),
    (float("nan"), 8, "epsilon nan is outside 0 … 1"),
    (0.5, 0, "hold_ticks 0 must be 1 or more"),
])
def test_bad_values_are_refused(epsilon: float, hold: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        explore(0, epsilon, hold, 0, BUTTONS)


@pytest.mark.parametrize(("text", "wanted", "epsilon", "written"), [
    ("off", 0.05, 0.0, "off"), ("learner", 0.05, 0.05, "learner"), ("learner", 0.0, 0.0, "learner"),
    ("0.2", 0.05, 0.2, "0.2"), ("1", 0.05, 1.0, "1"), ("0", 0.05, 0.0, "off")])
def test_who_says_how_much_is_explored(
    text: str, wanted: float, epsilon: float, written: str
) -> None:
    found = Exploration.parse(text)
    assert found.epsilon(wanted) == epsilon
    assert str(found) == written
    assert Exploration.parse(str(found)) == found


def test_nothing_explores_unasked() -> None:
    assert Exploration() == Exploration.parse("off")


@pytest.mark.parametrize("text", ["", "on", "Learner", "-0.1", "1.5", "nan", "inf", "0,5"])
def test_another_exploration_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is not 'learner', 'off' or a share from 0 to 1") as got:
        Exploration.parse(text)
    assert repr(text) in str(got.value)


def test_rows_of_whichever_chunk_explore_alike_at_a_tick() -> None:
    space = ActionSpace(("A", "B", "C"), (0.0,))
    rows = tuple((float(row % 3),) for row in range(12))
    for first in (5, 8):
        found = explore_rows(rows, first, 0.5, hold_ticks=2, seed=4, actions=space)
        assert found == tuple(explore(first + row, 0.5, 2, 4, space) or rows[row]
                              for row in range(12))
    assert explore_rows(rows, 5, 0.0, hold_ticks=2, seed=4, actions=space) is rows
