"""What may happen thousands of times a second is counted, and said once a second."""

from __future__ import annotations

import time

from rclpy.node import Node

_EVERY_NS = 1_000_000_000
_SHOWN = 500
"""Characters of what somebody else sent."""


class Throttled:
    """A warning for many events of a kind.

    rclpy's logger can throttle, but looks for its caller first: each line that it leaves out costs
    0.4 ms, with which a flood of what is warned of stops a node.
    """

    def __init__(self, node: Node, line: str) -> None:
        """Say `line`, in which `{count}` are the events since it was said, `{last}` the newest."""
        self._node = node
        self._line = line
        self._from_ns = 0
        self._said = 0
        self.count = 0
        """How many there were."""

    def note(self, last: str = "") -> None:
        """There was one more."""
        self.count += 1
        now_ns = time.monotonic_ns()
        if now_ns < self._from_ns:
            return
        self._from_ns = now_ns + _EVERY_NS
        count, self._said = self.count - self._said, self.count
        self._node.get_logger().warning(self._line.format(count=count, last=last[:_SHOWN]))
