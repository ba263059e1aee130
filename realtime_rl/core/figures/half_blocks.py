"""A picture in a terminal: two pixels a character, one above the other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

HALF = "▀"
"""Its colour is the upper pixel's, its background's the lower one's."""

Colour = tuple[int, int, int]


def cells(picture: NDArray[np.uint8], columns: int, rows: int
          ) -> Iterator[list[tuple[Colour, Colour]]]:
    """Yield lines of upper and lower colours, so large as fits with square pixels.

    Args:
        picture: `(1 or 3, height, width)`.
        columns: characters side by side at most.
        rows: lines at most.
    """
    _, height, width = picture.shape
    scale = max(width / columns, height / (2 * rows), 1.0)
    across, down = max(1, int(width / scale)), max(2, int(height / scale) // 2 * 2)
    small = _means(_means(picture.astype(np.float64), down, 1), across, 2)
    coloured = np.broadcast_to(small, (3, down, across)).round().astype(int)
    for line in range(0, down, 2):
        yield [(_colour(coloured[:, line, at]), _colour(coloured[:, line + 1, at]))
               for at in range(across)]


def _means(values: NDArray[np.float64], size: int, axis: int) -> NDArray[np.float64]:
    """Return means of `size` stretches along an axis; one that is short is taken again."""
    length = values.shape[axis]
    edges = np.minimum(np.arange(size) * length // size, length - 1)
    counts = np.maximum(np.diff(np.append(edges, length)), 1)
    sums = np.add.reduceat(values, edges, axis)
    shape = [1] * values.ndim
    shape[axis] = size
    return sums / counts.reshape(shape)


def _colour(values: NDArray[np.int64]) -> Colour:
    red, green, blue = values.tolist()
    return red, green, blue
