"""Gymnasium's observation and action spaces as this package's, and values between them."""

from __future__ import annotations

import re
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.errors import PlantError
from realtime_rl.core.types import Action, ActionSpace, Observation, ObservationSpec
from realtime_rl.plants.libraries import load_library

EXTRA = "gym"
_JOYSTICK = re.compile("UP|DOWN|LEFT|RIGHT|FIRE")


class Observations:
    """Pictures become `(1, size, size)` uint8, grey; everything else a flat float32 vector."""

    def __init__(self, space: Any, size: int = 84) -> None:  # noqa: ANN401 - a gymnasium.Space
        """Choose by the space; `PlantError` for one that does not flatten to a vector."""
        self._space = space
        self._gymnasium = load_library("gymnasium", EXTRA)
        self.image = _is_image(space)
        if self.image:
            self._cv2 = load_library("cv2", EXTRA)
            self.spec = ObservationSpec((1, size, size), "uint8", 0, 255)
            return
        flat = (self._gymnasium.spaces.flatten_space(space) if space.is_np_flattenable else None)
        if not isinstance(flat, self._gymnasium.spaces.Box):
            raise PlantError(f"observation space {space} is neither a picture nor a vector")
        low, high = (float(np.float32(limit)) for limit in (flat.low.min(), flat.high.max()))
        self.spec = ObservationSpec((int(np.prod(flat.shape)),), "float32", low, high)

    def convert(self, value: Any) -> Observation:  # noqa: ANN401 - of the space
        """Return what the environment observed as `spec` says, in an array of its own."""
        if not self.image:
            vector = self._gymnasium.spaces.flatten(self._space, value)
            return np.array(vector, np.float32).reshape(self.spec.shape)
        picture = value if value.ndim == 2 or value.shape[2] == 1 else self._cv2.cvtColor(
            value, self._cv2.COLOR_RGB2GRAY)
        small = self._cv2.resize(picture, self.spec.shape[1:], interpolation=self._cv2.INTER_AREA)
        return cast("NDArray[np.uint8]", small.reshape(self.spec.shape))


class Actions:
    """`Discrete` becomes labelled choices, a bounded `Box` labelled dimensions `u0`, `u1`, …."""

    def __init__(self, env: Any, noop: str) -> None:  # noqa: ANN401 - a gymnasium.Env
        """Choose by the space; `PlantError` for another space, or a `noop` that is not in it."""
        spaces = load_library("gymnasium", EXTRA).spaces
        self._space = space = env.action_space
        if isinstance(space, spaces.Discrete):
            labels = _meanings(env) or tuple(f"A{index}" for index in range(int(space.n)))
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


def _is_image(space: Any) -> bool:  # noqa: ANN401 - a gymnasium.Space
    shape: tuple[int, ...] = space.shape or ()
    return space.dtype == np.uint8 and (
        len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3)))


def _meanings(env: Any) -> tuple[str, ...]:  # noqa: ANN401 - a gymnasium.Env
    """Return what the choices are called, where the environment says (Atari games do).

    `UPRIGHTFIRE` becomes `UP+RIGHT+FIRE`, which a gamepad can be told to send.
    """
    meanings = getattr(env.unwrapped, "get_action_meanings", None)
    labels = tuple(meanings()) if meanings is not None else ()
    return tuple("+".join(_JOYSTICK.findall(label))
                 if _JOYSTICK.sub("", label) == "" else label for label in labels)


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
