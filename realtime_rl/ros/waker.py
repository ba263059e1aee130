"""Ends waits of the middleware that outlast their deadline.

Fast DDS of the wheels waits until a time of the system clock: set that back by an hour, and a wait
of 10 ms lasts an hour. A thread that sleeps by the monotonic clock sees to it. Where all is well it
only looks, a hundred times a second at most, however many waits there are: a wait ends by itself,
which costs one change of threads; ending each from here would cost three, and 0.1 ms of lateness.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable

_GRACE_NS = 10_000_000
"""So long after its deadline a wait should have ended by itself; the thread looks no more often."""
_NEVER = 2**63


class Waker:
    """Watches one wait at a time: call `watch` before it and `rest` after it."""

    def __init__(self, wake: Callable[[], None]) -> None:
        """Begin with nothing to watch; `wake`, called from another thread, ends the wait."""
        self._wake = wake
        self._due_ns = _NEVER
        self._look_ns = _NEVER
        """When the thread looks next; it is told of a wait that should be over before."""
        self._thread: threading.Thread | None = None
        self._read = self._write = -1

    def watch(self, due_ns: int) -> None:
        """A wait begins that must end at `due_ns`, on `time.monotonic_ns`."""
        if self._thread is None:
            self._start()
        self._due_ns = due_ns
        if due_ns + _GRACE_NS < self._look_ns:
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
        self._look_ns = _NEVER
        self._thread = threading.Thread(target=self._run, name="waker", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        woken_ns = _NEVER  # the wait that was ended last: once is enough
        rested = False
        while True:
            due_ns, now_ns = self._due_ns, time.monotonic_ns()
            if due_ns in (_NEVER, woken_ns):
                # most often the next wait begins soon: telling of it would cost more than a look
                self._look_ns = _NEVER if rested else now_ns + _GRACE_NS
                rested = True
            elif due_ns + _GRACE_NS <= now_ns:
                woken_ns = due_ns
                self._wake()
                continue
            else:
                self._look_ns = due_ns + _GRACE_NS
                rested = False
            if self._due_ns == due_ns:  # else a wait began that did not know this plan
                # `poll` knows milliseconds only
                readable, _, _ = select.select(
                    [self._read], [], [],
                    None if self._look_ns == _NEVER else (self._look_ns - now_ns) / 1e9)
                if readable and not os.read(self._read, 64):
                    return
