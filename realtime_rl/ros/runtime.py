"""How a node process lives: one executor thread, absolute deadlines, a clean end."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, Protocol

import rclpy
from rclpy.node import Node
from rclpy.utilities import get_rmw_implementation_identifier

from realtime_rl.core.errors import ConfigError, RealtimeRlError
from realtime_rl.ros import memory_limit, priorities, process, steady
from realtime_rl.ros.graph import PARENT_VARIABLE
from realtime_rl.ros.priorities import Priority
from realtime_rl.ros.spinning import executor_of

_PR_SET_PDEATHSIG = 1
_GRACE_S = 10.0
"""As `ros2 launch` allows, whose SIGTERM comes after 5 s and SIGKILL after 5 s more."""


def middleware() -> str:
    """Name of the middleware (RMW) in use; whatever it raises when it cannot be loaded."""
    return str(get_rmw_implementation_identifier())


class DeadlineNode(Protocol):
    """A node that, besides its callbacks, wants to be called at times that it names."""

    def next_deadline_ns(self) -> int | None:
        """When to call `on_deadline`, on `time.monotonic_ns`; `None` for not now."""

    def on_deadline(self, now_ns: int) -> None:
        """The deadline has come."""


class StopSignals:
    """SIGINT, SIGTERM and SIGHUP ask the process to end, which it does between two callbacks.

    SIGHUP, of a terminal that was closed, is passed over where it was so before (`nohup`).

    rclpy's own handlers shut ROS down from another thread, in the middle of whatever the node is
    doing: a node that publishes, takes a message or is being destroyed then fails or crashes.
    A process that is stuck (in a library's call, or in a thread that never ends) is ended after a
    grace, without its orderly end: it must not outlive the runner that asked it.
    """

    current: ClassVar[StopSignals | None] = None
    """Of this process; `None` before it listens."""

    def __init__(self, grace_s: float = _GRACE_S) -> None:
        """Listen from now on; only the main thread may.

        Args:
            grace_s: how long the orderly end may take [s].
        """
        self.asked = False
        self._grace_s = grace_s
        self._insisting: threading.Timer | None = None
        self.wake: Callable[[], None] = lambda: None
        """Called, from a thread of its own, when a signal came: a wait must end."""
        read, write = os.pipe()
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._on_signal)
        threading.Thread(target=self._listen, args=(read,), name="stop", daemon=True).start()
        StopSignals.current = self

    def _on_signal(self, number: int, frame: object) -> None:
        """Runs in the main thread, between two of Python's instructions."""
        del number, frame
        self.asked = True

    def _listen(self, read: int) -> None:
        while os.read(read, 1):
            self.wake()
            if self._insisting is None:
                self._insisting = threading.Timer(self._grace_s, self._insist)
                self._insisting.daemon = True
                self._insisting.start()

    def _insist(self) -> None:
        print(f"{Path(sys.argv[0]).stem}: error: not ended {self._grace_s:g} s after it was asked "
              "to: something in it hangs; it ends without order", file=sys.stderr, flush=True)
        os._exit(1)


def stop_asked() -> bool:
    """Whether this process was asked to end: what waits long in its main thread looks here."""
    return StopSignals.current is not None and StopSignals.current.asked


def spin(nodes: Sequence[Node], stop: StopSignals) -> None:
    """Run some nodes' callbacks, and their deadlines between them, until they are asked to stop.

    One thread does both: no lock, no race, and a deadline is met to the accuracy of a wait.
    """
    executor = executor_of(*nodes)
    timed: list[DeadlineNode] = [node for node in nodes if hasattr(node, "next_deadline_ns")]
    stop.wake = executor.wake
    # what lives now lives for ever: collecting it again and again would cost milliseconds
    gc.collect()
    gc.freeze()
    try:
        while not stop.asked:
            executor.run_once(lambda: _soonest(timed)[0])
            at_ns, node = _soonest(timed)
            now_ns = time.monotonic_ns()
            if node is not None and at_ns is not None and at_ns <= now_ns:
                node.on_deadline(now_ns)  # one at a time: what it sends, another may wait for
    finally:
        for node in nodes:
            executor.remove_node(node)
        executor.shutdown(timeout_sec=0.0)


def _soonest(nodes: Sequence[DeadlineNode]) -> tuple[int | None, DeadlineNode | None]:
    """Return the next deadline of some nodes, and whose it is."""
    soonest_ns: int | None = None
    soonest: DeadlineNode | None = None
    for node in nodes:
        at_ns = node.next_deadline_ns()
        if at_ns is not None and (soonest_ns is None or at_ns < soonest_ns):
            soonest_ns, soonest = at_ns, node
    return soonest_ns, soonest


def _end_with_parent() -> None:
    """A node must not go on steering when the runner that watched over it was killed."""
    parent = os.environ.get(PARENT_VARIABLE)
    if parent is not None:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != int(parent):  # it died before we asked
            raise SystemExit(0)


def main(make: Callable[[], Node], priority: Priority) -> int:
    """Run one node as a process; return its exit status. As `main_of`, of which it is one."""
    return main_of([make], priority, _executable())


def main_of(makers: Sequence[Callable[[], Node]], priority: Priority, name: str) -> int:
    """Run some nodes as one process; return its exit status.

    A `RealtimeRlError` is one line on standard error: launch and the runner show it. The status is
    then 2 where a node cannot be what it was told to be, 1 where it failed.

    Args:
        makers: create the nodes, after ROS was started, in their order. Their `close()`, where they
            have one, is called in the same order when they stop.
        priority: of the process.
        name: of the process.
    """
    priorities.several_nodes = len(makers) > 1
    _end_with_parent()
    nodes: list[Node] = []
    status = 0
    try:
        stop = StopSignals()
        process.begin(name)
        if priority is Priority.REALTIME:
            priorities.lock_memory()
            priorities.begin_start()
        steady.throttle_logs()
        process.start_ros()
        for make in makers:
            nodes.append(make())
        if priority is Priority.REALTIME:
            priorities.end_start()
        else:
            # of this thread only: a starved middleware loses messages
            priorities.take_priority(priority)
        spin(nodes, stop)
    except (RealtimeRlError, MemoryError) as error:
        made = len(nodes) == len(makers)
        status = 1 if made and not isinstance(error, ConfigError) else 2
        _tell(nodes[0].get_name() if len(nodes) == len(makers) == 1 else name, name, error)
    finally:
        status = _close(nodes, name, status)
        rclpy.try_shutdown()
    return status


def _close(nodes: Sequence[Node], name: str, status: int) -> int:
    """Let go of the nodes; return the process's status, which was `status`."""
    for node in nodes:
        try:
            if hasattr(node, "close"):
                node.close()
        except RealtimeRlError as error:
            if not status:  # else it is most likely what was told already
                _tell(node.get_name(), name, error)
            status = status or 1
    for node in nodes:
        node.destroy_node()
    return status


def _tell(node: str, executable: str, error: RealtimeRlError | MemoryError) -> None:
    text = memory_limit.exceeded(executable) if isinstance(error, MemoryError) else str(error)
    print(f"{node}: error: {text}", file=sys.stderr, flush=True)


def _executable() -> str:
    return Path(sys.argv[0]).stem
