"""Quaternions, as policies see them: a rotation from the body's frame to that of its parent."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

_TOLERANCE = 0.01
"""By which a quaternion's length may differ from 1."""

Four = tuple[float, float, float, float]
_Of = Callable[[float, float, float, float], tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Form:
    """A way to write a rotation."""

    names: tuple[str, ...]
    """Of its values."""
    of: _Of
    """Its values, of a unit quaternion x, y, z, w."""
    wraps: bool = False
    """Rotations that are alike may have values that are far apart."""


def unit(x: float, y: float, z: float, w: float) -> Four | None:
    """Return a quaternion at length 1; `None` where it is far from it, and says nothing."""
    length = math.sqrt(x * x + y * y + z * z + w * w)
    if not abs(length - 1.0) < _TOLERANCE:
        return None
    return x / length, y / length, z / length, w / length


def _gravity(x: float, y: float, z: float, w: float) -> tuple[float, ...]:
    """Direction in which things fall, in the body's frame, of length 1."""
    return 2.0 * (w * y - x * z), -2.0 * (y * z + w * x), 2.0 * (x * x + y * y) - 1.0


def _rpy(x: float, y: float, z: float, w: float) -> tuple[float, ...]:
    """Roll, pitch and yaw about the fixed axes x, y and z [rad], as of URDF."""
    return (math.atan2(2.0 * (w * x + y * z), 1.0 - 2.0 * (x * x + y * y)),
            math.asin(max(-1.0, min(1.0, 2.0 * (w * y - z * x)))),
            math.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z)))


def _rot6d(x: float, y: float, z: float, w: float) -> tuple[float, ...]:
    """First two columns of the rotation matrix, one after the other (Zhou et al., 2019)."""
    return (1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y + w * z), 2.0 * (x * z - w * y),
            2.0 * (x * y - w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z + w * x))


def _xyzw(x: float, y: float, z: float, w: float) -> tuple[float, ...]:
    """Of the two quaternions of a rotation that whose w is not below 0."""
    return (x, y, z, w) if w >= 0 else (-x, -y, -z, -w)


FORMS = {
    "gravity": Form(tuple("xyz"), _gravity),
    "rpy": Form(("roll", "pitch", "yaw"), _rpy, wraps=True),
    "rot6d": Form(("xx", "xy", "xz", "yx", "yy", "yz"), _rot6d),
    "xyzw": Form(tuple("xyzw"), _xyzw, wraps=True),
}
"""By the names that stand behind a path, as `orientation@gravity`."""
