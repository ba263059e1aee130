"""What is applied at a tick for which no action arrived."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.control import default_policy
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.types import ActionSpace

PAD = ActionSpace(("LEFT", "RIGHT", "NOOP"), (2.0,))
ARM = ActionSpace(("j1", "j2"), (0.0, 0.5), (-1.0, 0.0), (1.0, 2.0))


@pytest.mark.parametrize("space", [PAD, ARM])
def test_noop_is_the_plants_own(space: ActionSpace) -> None:
    assert default_policy.make("noop", space)(7, (9.0,)) == space.noop


def test_repeat_last_repeats_what_was_applied_last() -> None:
    assert default_policy.make("repeat_last", PAD)(7, (1.0,)) == (1.0,)


@pytest.mark.parametrize(("space", "text", "action"), [
    (PAD, "RIGHT", (1.0,)), (PAD, "0", (0.0,)), (ARM, "0.25 2", (0.25, 2.0))])
def test_constant(space: ActionSpace, text: str, action: tuple[float, ...]) -> None:
    assert default_policy.make("constant", space, text)(7, (9.0,)) == action


def test_a_constant_of_another_default_policy_is_refused() -> None:
    space = ActionSpace(("A", "B"), (0.0,))
    with pytest.raises(ConfigError, match="default_action: 'B' is for default_policy 'constant', "
                                          "and it is 'noop'"):
        default_policy.make("noop", space, "B")


@pytest.mark.parametrize(("space", "text", "message"), [
    (PAD, "", "action '' is malformed in the space 'LEFT RIGHT NOOP = NOOP'"),
    (PAD, "UP", "action 'UP': could not convert string to float"),
    (PAD, "3", "action '3' is out_of_range"), (ARM, "0", "action '0' is malformed"),
    (ARM, "0 nan", "action '0 nan' is non_finite"), (ARM, "0 3", "action '0 3' is out_of_range")])
def test_a_constant_outside_the_space_is_refused(space: ActionSpace, text: str,
                                                 message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        default_policy.make("constant", space, text)


@given(st.integers(-1, 2**40), st.integers(0, 2**32), st.sampled_from([PAD, ARM]))
def test_random_is_in_the_space_and_repeatable(tick: int, seed: int, space: ActionSpace) -> None:
    action = default_policy.make("random", space, seed=seed)(tick, (9.0,))
    assert space.problem(action) is None
    assert default_policy.make("random", space, seed=seed)(tick, (0.0,)) == action


def test_random_differs_from_tick_to_tick_and_seed_to_seed() -> None:
    first = default_policy.make("random", ARM, seed=1)
    other = default_policy.make("random", ARM, seed=2)
    assert len({first(tick, (0.0,)) for tick in range(50)}) == 50
    assert first(3, (0.0,)) != other(3, (0.0,))


def test_random_comes_to_every_choice() -> None:
    policy = default_policy.make("random", PAD)
    assert {policy(tick, (0.0,)) for tick in range(60)} == {(0.0,), (1.0,), (2.0,)}


def test_random_needs_finite_limits() -> None:
    space = ActionSpace(("v",), (0.0,), (-math.inf,), (1.0,))
    with pytest.raises(ConfigError, match="default_policy: 'random' needs finite limits"):
        default_policy.make("random", space)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="'hold' is not one of 'constant', 'noop', 'random', "
                                          "'repeat_last'"):
        default_policy.make("hold", PAD)
    for name in default_policy.NAMES:
        default_policy.make(name, PAD, "LEFT" if name == "constant" else "")
