"""Which executor runs a node: ours, or rclpy's own where what ours rests on is not there."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from realtime_rl.ros import rclpy_private
from realtime_rl.ros.graph import PARENT_VARIABLE
from realtime_rl.ros.waker import Waker

ABSENT = rclpy_private.absent()
_NEWEST_FIRST, _BATCHED = "_newest_first", "_batched"
BATCH_EVERY_NS = 100_000_000
"""Between two looks at what is batched, at most."""
_LONGEST_NS = 100_000_000
"""rclpy's executor goes on waiting when it was only woken."""
Callback = TypeVar("Callback", bound=Callable[..., Any])


def newest_first(callback: Callback) -> Callback:
    """Decorate a subscription's callback: of messages that wait, it is given the newest first.

    A node that was stopped for a while, or starved, so acts on what is new, and not through all
    that it missed.
    """
    setattr(callback, _NEWEST_FIRST, True)
    return callback


def is_newest_first(callback: Callable[..., Any]) -> bool:
    """Whether it is."""
    return hasattr(callback, _NEWEST_FIRST)


def batched(callback: Callback) -> Callback:
    """Let a subscription's callback be given its messages some times a second, all that wait.

    It gets what the middleware says of each, too, as its second argument. For those who only
    watch: being woken for a message costs more than reading it.
    """
    setattr(callback, _BATCHED, True)
    return callback


def is_batched(callback: Callable[..., Any]) -> bool:
    """Whether it is."""
    return hasattr(callback, _BATCHED)


def received_ns(info: Mapping[str, Any]) -> int:
    """When the middleware received a message, on `time.monotonic_ns`.

    Args:
        info: what it says of the message, by the system clock, which may have been set since: then
            that is now, or a batch ago.
    """
    ago_ns = time.time_ns() - int(info["received_timestamp"])
    return time.monotonic_ns() - min(max(ago_ns, 0), BATCH_EVERY_NS)


def never() -> int | None:
    """No deadline."""
    return None


class NodeExecutor(Protocol):
    """Runs the callbacks of some nodes."""

    def run_once(self, next_deadline_ns: Callable[[], int | None] = never) -> None:
        """Wait for something to do, no longer than until a deadline, and do it."""

    def wake(self) -> None:
        """End a wait, from whatever thread."""

    def remove_node(self, node: Node) -> None:
        """Run it no more."""

    def shutdown(self, timeout_sec: float | None = None) -> bool:
        """Let go of everything."""


class PlainExecutor(SingleThreadedExecutor):
    """rclpy's own: a callback costs more, and messages that wait are given in their order."""

    def __init__(self, *nodes: Node) -> None:
        """Run the callbacks of `nodes`."""
        super().__init__(context=nodes[0].context)
        self._waker = Waker(self.wake)
        for node in nodes:
            self.add_node(node)

    def run_once(self, next_deadline_ns: Callable[[], int | None] = never) -> None:
        """Wait a little for something to do, no longer than until a deadline; do one thing of it.

        Args:
            next_deadline_ns: the deadline, on `time.monotonic_ns`; `None` for never.
        """
        due_ns, now_ns = next_deadline_ns(), time.monotonic_ns()
        left_ns = _LONGEST_NS if due_ns is None else min(max(due_ns - now_ns, 0), _LONGEST_NS)
        self._waker.watch(now_ns + left_ns)
        self.spin_once(left_ns / 1e9)
        self._waker.rest()

    def shutdown(self, timeout_sec: float | None = None) -> bool:
        """Let go of the nodes' entities."""
        self._waker.close()
        return bool(super().shutdown(timeout_sec))


def warnings() -> list[str]:
    """What is to be said where nodes do not have our executor, once a graph."""
    return [f"this rclpy has no {', '.join(ABSENT)}: its own executor runs the nodes, which take "
            "more CPU time, and after a pause act on what is old first; rclpy 7 (Jazzy) and 9 "
            "(Kilted) have all of it"] if ABSENT else []


def executor_of(*nodes: Node) -> NodeExecutor:
    """Make the executor of some nodes; say so where it is not ours and nobody else has said it."""
    if not ABSENT:
        from realtime_rl.ros.executor import TickExecutor

        return TickExecutor(*nodes)
    if PARENT_VARIABLE not in os.environ:
        for line in warnings():
            nodes[0].get_logger().warning(line)
    return PlainExecutor(*nodes)
