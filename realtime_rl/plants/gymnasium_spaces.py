"""Gymnasium's action spaces as this package's, and actions between them."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np

from realtime_rl.core.errors import PlantError
from realtime_rl.core.types import Action, ActionSpace
from realtime_rl.plants.libraries import load_library

EXTRA = "gym"
_JOYSTICK = re.compile("UP|DOWN|LEFT|RIGHT|FIRE")


class Actions:
    """`Discrete` becomes labelled choices, a bounded `Box` labelled dimensions `u0`, `u1`, …."""

    def __init__(self, env: Any, noop: str) -> None:  # noqa: ANN401 - a gymnasium.Env
        """Choose by the space; `PlantError` for another space, or a `noop` that is not in it."""
        spaces = load_library("gymnasium", EXTRA).spaces
        self._space = space = env.action_space
        if isinstance(space, spaces.Discrete):
            labels = _labels(env, int(space.n))
            self.spec = ActionSpace(labels, _choice(noop, labels))
        elif isinstance(space, spaces.Box) and space.is_bounded():
            low, high = (tuple(map(float, np.float32(limit).ravel()))
                         for limit in (space.low, space.high))
            labels = tuple(f"u{index}" for index in range(len(low)))
            self.spec = ActionSpace(labels, _values(noop, low, high), low, high)
        else:
            raise PlantError(f"action space {space} is neither Discrete nor a Box with limits")

    def convert(self, action: Action) -> Any:  # noqa: ANN401 - of the space
        """Return an action of `spec` as the environment takes it."""
        if self.spec.discrete:
            return int(self._space.start) + int(action[0])
        values = np.array(action, self._space.dtype).reshape(self._space.shape)
        return np.clip(values, self._space.low, self._space.high)


def _labels(env: Any, count: int) -> tuple[str, ...]:  # noqa: ANN401 - a gymnasium.Env
    """Return what the choices are called, where the environment says; else `A0`, `A1`, ….

    `UPRIGHTFIRE` becomes `UP+RIGHT+FIRE`, which a gamepad can be told to send.
    """
    plain = tuple(f"A{index}" for index in range(count))
    try:
        given = [str(label) for label in _meanings(env)]
    except Exception:  # whatever a stranger's method raises: they are only names
        return plain
    if len(given) != count:
        return plain
    words = [re.sub(r"[\s:=]+", "_", label.strip()) or plain[index]
             for index, label in enumerate(given)]
    words = ["+".join(_JOYSTICK.findall(word)) if _JOYSTICK.sub("", word) == "" else word
             for word in words]
    often = Counter(words)
    labels = tuple(word if often[word] == 1 else f"{word}_{index}"
                   for index, word in enumerate(words))
    return labels if len(set(labels)) == count else plain


def _meanings(env: Any) -> Any:  # noqa: ANN401 - a gymnasium.Env
    """Ask the outermost layer that says, as long as no layer further out has other actions."""
    layer = env
    while not hasattr(layer, "get_action_meanings"):
        if layer is env.unwrapped or layer.action_space is not layer.env.action_space:
            return ()
        layer = layer.env
    return layer.get_action_meanings()


def _choice(noop: str, labels: tuple[str, ...]) -> Action:
    """Return the choice called `noop`, or of that index; `NOOP` or the first one when empty."""
    if not noop:
        return (float(labels.index("NOOP")) if "NOOP" in labels else 0.0,)
    if noop in labels:
        return (float(labels.index(noop)),)
    if noop.isdecimal() and int(noop) < len(labels):
        return (float(noop),)
    raise PlantError(f"noop {noop!r} is not an index below {len(labels)}, nor one of "
                     f"{', '.join(labels)}")


def _values(noop: str, low: tuple[float, ...], high: tuple[float, ...]) -> Action:
    """Return the values in `noop`; zeros, or the limit next to zero, when it is empty."""
    if not noop:
        return tuple(map(float, np.clip(0.0, low, high)))
    try:
        values = tuple(float(word) for word in noop.split())
    except ValueError:
        values = ()
    if len(values) != len(low) or not all(map(_within, low, values, high)):
        raise PlantError(f"noop {noop!r} is not {len(low)} numbers within {low} and {high}")
    return values


def _within(low: float, value: float, high: float) -> bool:
    return low <= value <= high
