"""How the threads of a node's process stand to the others on its machine."""

from __future__ import annotations

import contextlib
import ctypes
import enum
import os
import threading

_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
several_nodes = False
"""Whether this process has several nodes; set before they are made."""


class Priority(enum.Enum):
    """How a thread stands to the others on its machine.

    Plant, actuator and inference must wake in time, all else can wait.
    """

    REALTIME = "realtime"
    """SCHED_FIFO, else nice -10, where that is allowed; memory is locked."""
    NORMAL = "normal"
    BESIDE = "beside"
    """SCHED_FIFO, below the middleware, else nice -10: computes shortly in a process that ticks.
    Python runs one of its threads at a time: whoever takes the core from one that computes holds
    up the tick."""
    BACKGROUND = "background"
    """nice 10."""
    IDLE = "idle"
    """Only where nobody else wants to: SCHED_IDLE, else nice 19."""


_FIFO_PRIORITY = 30
"""Above everything ordinary, below the kernel's own threads (50) and drivers."""
_FIFO_PRIORITY_OF_MIDDLEWARE = 20
"""Below the threads that tick and act: threads of equal priority do not make way for each other,
and discovery keeps the middleware's busy for long when a node joins."""
_FIFO_PRIORITY_OF_START = 10
"""Below the middleware of those that act, which must not wait for a node that joins; above what is
ordinary, for which the node would wait."""


def take_priority(priority: Priority) -> None:
    """Give the calling thread, and those that it starts from now on, a priority.

    What is not allowed is left, each part by itself, and never an error: a node that is started
    with `nice` may not take less of it back. `realtime-rl doctor` says how to allow it.
    """
    this = threading.get_native_id()
    if priority is Priority.REALTIME:
        _make_realtime(this, _FIFO_PRIORITY)
    elif priority is Priority.BESIDE:
        _make_realtime(this, _FIFO_PRIORITY_OF_START)
    elif priority is Priority.NORMAL:
        _schedule(this, os.SCHED_OTHER)
        _nice(this, 0)
    elif priority is Priority.BACKGROUND:
        _nice(this, 10)
    else:
        _nice(this, 19)
        _schedule(this, os.SCHED_IDLE)


def take_priority_to_compute(*, short: bool) -> None:
    """Give the calling thread that of what computes: apart from what ticks, or beside it.

    Args:
        short: it does so for milliseconds at most, so that nobody else starves.
    """
    take_priority(Priority.BESIDE if several_nodes and short else Priority.NORMAL)


def take_priority_to_load() -> None:
    """Give the calling thread that of what must not disturb what computes."""
    take_priority(Priority.NORMAL if several_nodes else Priority.BACKGROUND)


def begin_start() -> None:
    """Give the calling thread the priority at which a node is made, inherited by those it starts.

    That takes a core for some tenths of a second, which a node that joins others must not take
    from what they do in time.
    """
    _make_realtime(threading.get_native_id(), _FIFO_PRIORITY_OF_START)


def end_start() -> None:
    """The node is made: it acts in time from now on, and so does the middleware, one step below.

    The middleware's threads are those that did not take another priority meanwhile.
    """
    take_priority(Priority.REALTIME)
    for name in os.listdir("/proc/self/task"):
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            if os.sched_getparam(int(name)).sched_priority == _FIFO_PRIORITY_OF_START:
                _make_realtime(int(name), _FIFO_PRIORITY_OF_MIDDLEWARE)


def _make_realtime(thread: int, fifo: int) -> None:
    if not _schedule(thread, os.SCHED_FIFO, fifo):
        _nice(thread, -10)


def _schedule(thread: int, policy: int, priority: int = 0) -> bool:
    """Return whether it was allowed; a sandbox may not even know the call."""
    try:
        os.sched_setscheduler(thread, policy, os.sched_param(priority))
    except OSError:
        return False
    return True


def _nice(thread: int, value: int) -> None:
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, thread, value)


def lock_memory() -> None:
    """A page that was taken away costs a read from the disk just when the tick is due."""
    ctypes.CDLL(None).mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT)
