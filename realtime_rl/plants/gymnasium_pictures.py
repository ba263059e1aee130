"""Which observation spaces are pictures, and of what layout; they may be made grey."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.errors import PlantError

AUTO, PICTURE, VECTOR, PARTS = KINDS = ("auto", "picture", "vector", "parts")
_LEAST = 16
"""A grid with shorter sides may as well be a board, or codes of what lies where [px]."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a picture is given."""

    channels_first: bool
    channels: int
    low: float
    scale: float
    """Its values are brought to 0 … 255 by `(value - low) * scale`."""

    def seen(self, picture: NDArray[Any], cv2: Any, *,  # noqa: ANN401 - a module
             colour: bool = False) -> NDArray[np.uint8]:
        """Return it grey, as `(height, width)`, or as `(height, width, 3)`."""
        if self.channels_first:
            picture = np.moveaxis(picture, 0, 2)
        if (self.low, self.scale) != (0.0, 1.0):
            picture = (picture - self.low) * self.scale
        if picture.dtype != np.uint8:
            picture = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
        picture = np.ascontiguousarray(picture)
        if self.channels == 1:
            return picture.reshape(picture.shape[:2])
        if colour:
            return picture if self.channels == 3 else np.asarray(
                cv2.cvtColor(picture, cv2.COLOR_RGBA2RGB))
        code = cv2.COLOR_RGB2GRAY if self.channels == 3 else cv2.COLOR_RGBA2GRAY
        found: NDArray[np.uint8] = cv2.cvtColor(picture, code)
        return found


def layout(space: Any, kind: str) -> Layout | None:  # noqa: ANN401 - a gymnasium.Space
    """Return the layout of a picture; `None` for anything else, to be a vector.

    Args:
        space: of one observation.
        kind: `picture` or `vector` for one that may be either; `auto`: as it is plain to see.

    Raises:
        PlantError: it may be either, or is a picture of no known layout.
    """
    if kind == VECTOR or (kind == AUTO and not like_a_picture(space)):
        return None
    asked = kind == PICTURE
    shape = space.shape if hasattr(space, "high") else ()
    channels = _channels(shape)
    if len(channels) != 1:
        raise PlantError(f"observation space {space} is no picture of a known layout (height and "
                         f"width, with channels first or last); {_advice(shape, asked)}")
    (first, count), = channels
    scale = _scale(space, asked)
    small = min(shape[-2:] if first else shape[:2]) < _LEAST
    if scale is None or not (asked or (count != 4 and not small)):
        raise PlantError(f"observation space {space} "
                         f"{'has no limits' if asked else 'may be a picture or not'}; "
                         f"{_advice(shape, asked)}")
    return Layout(first, count, *scale)


def like_a_picture(space: Any) -> bool:  # noqa: ANN401 - a gymnasium.Space
    """Whether it may be one: two sides are long, or it is of bytes in three axes."""
    if not hasattr(space, "high"):
        return False
    shape = space.shape
    return sum(size >= _LEAST for size in shape) >= 2 or (
        len(shape) == 3 and space.dtype == np.uint8)


def _channels(shape: tuple[int, ...]) -> list[tuple[bool, int]]:
    """Return whether they may come first, and how many they then are."""
    if len(shape) == 2:
        return [(False, 1)]
    if len(shape) != 3:
        return []
    return [(first, count) for first, count in ((True, shape[0]), (False, shape[2]))
            if count in (1, 3, 4)]


def _scale(space: Any, asked: bool) -> tuple[float, float] | None:  # noqa: ANN401 - a Box
    """Return what its values less, and times what, are 0 … 255; `None` where nobody knows."""
    low, high = float(space.low.min()), float(space.high.max())
    whole = np.issubdtype(space.dtype, np.integer)
    if low == 0.0 and (high == 255.0 or (high == 1.0 and not whole and len(space.shape) == 3)):
        return 0.0, 255.0 / high
    known = asked and math.isfinite(low) and math.isfinite(high) and low < high
    return (low, 255.0 / (high - low)) if known else None


def _advice(shape: tuple[int, ...], asked: bool) -> str:
    stacked = ("; several pictures are joined by the learner (learner.stack), not by a wrapper"
               if len(shape) > 3 or 4 in shape else "")
    return f"set {'' if asked else 'observe=picture or '}observe=vector{stacked}"
