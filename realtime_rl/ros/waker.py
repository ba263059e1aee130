"""Ends waits of the middleware that outlast their deadline.

Fast DDS of the wheels waits until a time of the system clock: set that back by an hour, and a wait
of 10 ms lasts an hour. A thread that sleeps by the monotonic clock sees to it. Where all is well it
only looks: a wait ends by itself, which costs one change of threads; ending each from here would
cost three, and 0.1 ms of lateness.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable

_GRACE_NS = 1_000_000
"""So long after its deadline a wait should have ended by itself."""
_NEVER = 2**63


class Waker:
    """Watches one wait at a time: call `watch` before it and `rest` after it."""

    def __init__(self, wake: Callable[[], None]) -> None:
        """Begin with nothing to watch; `wake`, called from another thread, ends the wait."""
        self._wake = wake
        self._due_ns = _NEVER
        self._planned_ns = _NEVER
        """When the thread looks next; it is told of nothing that comes later."""
        self._thread: threading.Thread | None = None
        self._read = self._write = -1

    def watch(self, due_ns: int) -> None:
        """A wait begins that must end at `due_ns`, on `time.monotonic_ns`."""
        if self._thread is None:
            self._start()
        self._due_ns = due_ns
        if due_ns < self._planned_ns:
            os.write(self._write, b".")

    def rest(self) -> None:
        """The wait is over."""
        self._due_ns = _NEVER

    def close(self) -> None:
        """End the thread."""
        if self._thread is None:
            return
        os.close(self._write)
        self._thread.join()
        os.close(self._read)
        self._thread = None

    def _start(self) -> None:
        self._read, self._write = os.pipe()
        self._planned_ns = _NEVER
        self._thread = threading.Thread(target=self._run, name="waker", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        woken_ns = _NEVER  # the wait that was ended last: once is enough
        while True:
            due_ns = self._due_ns
            watched = due_ns not in (_NEVER, woken_ns)
            self._planned_ns = due_ns if watched else _NEVER
            left_ns = due_ns + _GRACE_NS - time.monotonic_ns()
            if watched and left_ns <= 0:
                woken_ns = due_ns
                self._wake()
            elif self._due_ns == due_ns:  # else a wait began that did not know this plan
                # `poll` knows milliseconds only
                readable, _, _ = select.select([self._read], [], [],
                                               left_ns / 1e9 if watched else None)
                if readable and not os.read(self._read, 64):
                    return
