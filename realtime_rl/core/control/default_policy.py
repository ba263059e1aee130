"""The default policy β: what is applied at a tick for which no action arrived."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from realtime_rl.core.errors import ConfigError, choices
from realtime_rl.core.types import Action, ActionSpace

DefaultPolicy = Callable[[int, Action], Action]
"""`(tick, last applied action) -> action`; pure, so that a run can be repeated."""

NAMES = ("noop", "repeat_last", "constant", "random")


def make(name: str, space: ActionSpace, constant: str = "", seed: int = 0) -> DefaultPolicy:
    """Make a default policy by name; `ConfigError` for a name or a constant that is none.

    Args:
        name: one of `NAMES`.
        space: the plant's actions.
        constant: for `constant`: a label of a discrete space, or space-separated values.
        seed: for `random`.
    """
    if constant and name in NAMES and name != "constant":
        raise ConfigError(f"default_action: {constant!r} is for default_policy 'constant', and it "
                          f"is {name!r}: set that, or leave the action out")
    if name == "noop":
        return lambda tick, last: space.noop
    if name == "repeat_last":
        return lambda tick, last: last
    if name == "constant":
        action = parse_action(constant, space)
        return lambda tick, last: action
    if name == "random":
        if not all(map(math.isfinite, (*space.low, *space.high))):
            raise ConfigError(f"default_policy: 'random' needs finite limits, not '{space}'")
        return lambda tick, last: _random(tick, space, seed)
    raise ConfigError(f"default_policy: {name!r} is not one of {choices(NAMES)}")


def parse_action(text: str, space: ActionSpace) -> Action:
    """Read an action from a label or from values; `ConfigError` when it is not in the space."""
    try:
        action = ((float(space.labels.index(text)),) if space.discrete and text in space.labels
                  else tuple(float(part) for part in text.split()))
    except ValueError as error:
        raise ConfigError(f"action {text!r}: {error}") from error
    problem = space.problem(action)
    if problem is not None:
        raise ConfigError(f"action {text!r} is {problem} in the space '{space}'")
    return action


def _random(tick: int, space: ActionSpace, seed: int) -> Action:
    rng = np.random.default_rng((seed, tick & 0xFFFFFFFF))
    if space.discrete:
        return (float(rng.integers(space.size)),)
    return tuple(float(value) for value in rng.uniform(space.low, space.high))
