"""rclpy by a clock that nobody sets: its timers and its throttled log lines.

By default both go by the system clock: set back by an hour, timers rest and warnings are silent
for an hour.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.impl import rcutils_logger
from rclpy.node import Node
from rclpy.timer import Timer


def create_timer(node: Node, period_s: float, callback: Callable[[], None]) -> Timer:
    """Call `callback` every `period_s` [s], by monotonic time, whatever `use_sim_time` says."""
    return node.create_timer(period_s, callback, clock=Clock(clock_type=ClockType.STEADY_TIME))


def throttle_logs() -> None:
    """Let `throttle_duration_sec` of this process' log lines count monotonic time."""
    # every call may name a clock of its own; the default is nowhere else to be had, if it is here
    with contextlib.suppress(AttributeError):
        rcutils_logger.Throttle.params["throttle_time_source_type"] = Clock(
            clock_type=ClockType.STEADY_TIME)
