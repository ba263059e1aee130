"""Messages as robots send them, without ROS."""

from __future__ import annotations

import array
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

SECOND_NS = 1_000_000_000


def header(stamp_ns: int = 0) -> SimpleNamespace:
    return SimpleNamespace(stamp=SimpleNamespace(sec=stamp_ns // SECOND_NS,
                                                 nanosec=stamp_ns % SECOND_NS), frame_id="")


def joints(names: Sequence[str], position: Sequence[float] = (), velocity: Sequence[float] = (),
           effort: Sequence[float] = (), stamp_ns: int = 0) -> Any:
    return SimpleNamespace(header=header(stamp_ns), name=list(names),
                           position=array.array("d", position),
                           velocity=array.array("d", velocity), effort=array.array("d", effort))


def vector(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Any:
    return SimpleNamespace(x=x, y=y, z=z)


def quaternion(x: float = 0.0, y: float = 0.0, z: float = 0.0, w: float = 1.0) -> Any:
    return SimpleNamespace(x=x, y=y, z=z, w=w)


def imu(orientation: Any = None, turning: Any = None, stamp_ns: int = 0) -> Any:
    return SimpleNamespace(header=header(stamp_ns), orientation=orientation or quaternion(),
                           angular_velocity=turning or vector(), linear_acceleration=vector())


def odometry(at: Any = None, moving: Any = None, turning: Any = None, orientation: Any = None,
             stamp_ns: int = 0) -> Any:
    pose = SimpleNamespace(position=at or vector(), orientation=orientation or quaternion())
    twist = SimpleNamespace(linear=moving or vector(), angular=turning or vector())
    return SimpleNamespace(header=header(stamp_ns), pose=SimpleNamespace(pose=pose),
                           twist=SimpleNamespace(twist=twist))


def scan(ranges: Sequence[float], stamp_ns: int = 0) -> Any:
    return SimpleNamespace(header=header(stamp_ns), ranges=array.array("f", ranges))


def number(value: float) -> Any:
    return SimpleNamespace(data=value)
