"""Gymnasium's observation and action spaces as this package's, and values between them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.errors import PlantError
from realtime_rl.core.types import Action, ActionSpace, Observation, ObservationSpec
from realtime_rl.plants import gymnasium_pictures as pictures
from realtime_rl.plants.libraries import load_library

EXTRA = "gym"
_JOYSTICK = re.compile("UP|DOWN|LEFT|RIGHT|FIRE")


class Observations:
    """Pictures become `(1, size, size)` uint8, grey; everything else a flat float32 vector."""

    def __init__(self, space: Any, size: int = 84, part: str = "",  # noqa: ANN401 - a Space
                 kind: str = pictures.AUTO) -> None:
        """Choose by the space.

        Args:
            space: the environment's.
            size: height and width of a picture.
            part: of a Dict or Tuple, the only one to observe, as `camera.left`; empty: all.
            kind: `picture` or `vector`, where the space alone does not say.

        Raises:
            PlantError: there is no such part, or it is neither a vector nor a picture of a known
                layout, or may be either.
        """
        self._gymnasium = load_library("gymnasium", EXTRA)
        self._keys: list[Any] = []
        self._space = self._part(space, part)
        self._picture = pictures.layout(self._space, kind)
        self._cv2: Any = load_library("cv2", EXTRA) if self.image else None
        if self.image:
            self.spec = ObservationSpec((1, size, size), "uint8", 0, 255)
            return
        self._check_parts(pictures_too=kind == pictures.VECTOR)
        flat = self._gymnasium.spaces.flatten_space(self._space)
        low, high = (float(np.float32(limit)) for limit in (flat.low.min(), flat.high.max()))
        self.spec = ObservationSpec((int(np.prod(flat.shape)),), "float32", low, high)

    @property
    def image(self) -> bool:
        """Whether it is a picture."""
        return self._picture is not None

    def pick(self, value: Any) -> Any:  # noqa: ANN401 - of the environment's space
        """Return the part that is observed."""
        for key in self._keys:
            value = value[key]
        return value

    def convert(self, value: Any) -> Observation:  # noqa: ANN401 - of the part's space
        """Return a picked value as `spec` says, in an array of its own.

        `PlantError` when it has another shape than the space says.
        """
        if self._picture is None:
            vector = np.array(self._gymnasium.spaces.flatten(self._space, value), np.float32)
            self._check_shape(vector.shape, self.spec.shape)
            return vector
        picture = np.asarray(value)
        self._check_shape(picture.shape, self._space.shape)
        grey = self._picture.grey(picture, self._cv2)
        small = self._cv2.resize(grey, self.spec.shape[1:], interpolation=self._cv2.INTER_AREA)
        return cast("NDArray[np.uint8]", small.reshape(self.spec.shape))

    def _check_shape(self, shape: tuple[int, ...], said: tuple[int, ...]) -> None:
        if shape != said:
            raise PlantError(f"an observation has shape {shape}, its space says {said}")

    def _part(self, space: Any, part: str) -> Any:  # noqa: ANN401 - a gymnasium.Space
        for name in part.split(".") if part else ():
            inner = _inner(space)
            if name not in inner:
                raise PlantError(f"part {part!r}: there is no {name!r} in {space}")
            key, space = inner[name]
            self._keys.append(key)
        return space

    def _check_parts(self, *, pictures_too: bool) -> None:
        """Refuse what would be no vector, or one of no use."""
        parts = dict(_leaves(self._space))
        strange = [name for name, leaf in parts.items() if not self._flattens(leaf)]
        seen = [name for name, leaf in parts.items()
                if not pictures_too and name and pictures.like_a_picture(leaf)]
        if parts and not strange and not seen:
            return
        problem = f"observation space {self._space} is neither a picture nor a vector"
        if strange and "" not in strange:
            problem += f": {', '.join(map(repr, strange))} cannot be joined to one"
        elif seen:
            problem += f": {', '.join(map(repr, seen))} may be pictures beside other parts"
        usable = [name for name in parts if name and name not in strange]
        raise PlantError(problem + (f"; observe one: {' or '.join(f'part={n}' for n in usable)}"
                                    if usable else ""))

    def _flattens(self, leaf: Any) -> bool:  # noqa: ANN401 - a gymnasium.Space
        spaces = self._gymnasium.spaces
        try:
            return (not isinstance(leaf, spaces.Text) and bool(leaf.is_np_flattenable)
                    and isinstance(spaces.flatten_space(leaf), spaces.Box))
        except Exception:  # of a stranger's space, NotImplementedError as a rule
            return False


def _inner(space: Any) -> dict[str, tuple[Any, Any]]:  # noqa: ANN401 - a gymnasium.Space
    """Return key and space of the parts of a Dict or Tuple, by name; of another space none."""
    inner = getattr(space, "spaces", None)
    if isinstance(inner, Mapping):
        return {str(key): (key, part) for key, part in inner.items()}
    if isinstance(space, Sequence) and isinstance(inner, tuple | list):  # no OneOf
        return {str(key): (key, part) for key, part in enumerate(inner)}
    return {}


def _leaves(space: Any, path: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - a Space
    """Return the parts that have no parts, by their paths."""
    inner = _inner(space)
    if not inner:
        yield path, space
    for name, (_, part) in inner.items():
        yield from _leaves(part, f"{path}.{name}" if path else name)


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
