"""Pictures that need no GL: a robot's bodies as lines, its target as a dot."""

from __future__ import annotations

import math
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from examples.robot_sim.physics import Values

Picture = NDArray[np.uint8]
_AZIMUTH, _ELEVATION = math.radians(35), math.radians(25)
_LINK, _TIP, _TARGET = (60, 60, 70), (20, 120, 220), (220, 40, 40)


class Camera:
    """Looks at a place from the front and above, without perspective, and with some noise."""

    def __init__(self, width: int, height: int, centre: Values, extent_m: float,
                 seed: int) -> None:
        self.width, self.height = width, height
        self._centre, self._scale = centre, height / (2.2 * extent_m)
        side, front, above = math.sin(_AZIMUTH), math.cos(_AZIMUTH), math.sin(_ELEVATION)
        self._axes = np.array([[-side, front, 0.0],
                               [above * front, above * side, -math.cos(_ELEVATION)]])
        self._noise = np.random.default_rng(seed).integers(0, 12, (height + 31, width + 31, 3),
                                                           np.uint8)
        self._count = 0

    def draw(self, bodies: Values, target: Values | None) -> Picture:
        """Return an RGB picture of shape (height, width, 3)."""
        self._count += 1
        row, column = self._count % 31, self._count * 7 % 31
        picture = 225 + self._noise[row:row + self.height, column:column + self.width]
        points = self._pixels(bodies)
        for begin, end in pairwise(points):
            cv2.line(picture, begin, end, _LINK, max(1, self.height // 24), cv2.LINE_AA)
        cv2.circle(picture, points[-1], max(2, self.height // 30), _TIP, -1, cv2.LINE_AA)
        if target is not None:
            cv2.circle(picture, self._pixels(target[np.newaxis])[0], max(2, self.height // 24),
                       _TARGET, -1, cv2.LINE_AA)
        return picture

    def _pixels(self, places: Values) -> list[tuple[int, int]]:
        flat = (places - self._centre) @ self._axes.T * self._scale
        return [(round(self.width / 2 + x), round(self.height / 2 + y)) for x, y in flat.tolist()]


def half(picture: Picture) -> Picture:
    """Return a picture of half the width and height."""
    return np.ascontiguousarray(picture[::2, ::2])


def jpeg(picture: Picture) -> bytes:
    """Return an RGB picture as JPEG."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    assert done
    return bytes(data)
