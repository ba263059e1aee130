"""Timers that pace: they go on whatever is done to the system clock, and without `/clock`."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.timer import Timer

_STEADY = Clock(clock_type=ClockType.STEADY_TIME)


def steady_timer(node: Node, period_s: float, callback: Callable[[], None]) -> Timer:
    """Call `callback` every `period_s` [s] of monotonic time, while `node` spins."""
    return node.create_timer(period_s, callback, clock=_STEADY)
