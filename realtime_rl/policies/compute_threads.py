"""Threads that compute, as many as are busy at once; none of them keeps the process from ending.

`concurrent.futures` waits for its threads at the interpreter's end: one that hangs in a library's
call would keep the process alive, whatever it is asked.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable

NAME = "inference"
"""Of the threads."""
Work = Callable[[], None]


class ComputeThreads:
    """Runs work in daemon threads. One thread submits and closes."""

    def __init__(self, prepare: Callable[[], None] = lambda: None,
                 on_trouble: Callable[[str], None] = lambda text: None) -> None:
        """Start threads when they are needed.

        Args:
            prepare: called first in each, as to set its priority.
            on_trouble: told, from any thread, that this failed; the thread works all the same.
        """
        self._prepare = prepare
        self._on_trouble = on_trouble
        self._work: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._free = 0
        """Threads that wait for work, less the work that waits for them."""
        self._threads: list[threading.Thread] = []
        self._own: dict[int, queue.SimpleQueue[Work | None]] = {}
        """By lane, what its thread has to do."""

    def submit(self, work: Work, lane: int | None = None) -> None:
        """Have `work` run; it must not raise. That of a `lane` runs in one thread of its own."""
        if lane is not None:
            if lane not in self._own:
                self._own[lane] = queue.SimpleQueue()
                self._start(self._run_lane, self._own[lane])
            self._own[lane].put(work)
            return
        with self._lock:
            self._free -= 1
            alone = self._free < 0
        if alone:
            with self._lock:
                self._free += 1  # it will wait for work once
            self._start(self._run)
        self._work.put(work)

    def _start(self, run: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=run, args=arguments, name=NAME, daemon=True)
        self._threads.append(thread)
        thread.start()

    def close(self, timeout_s: float) -> int:
        """End the threads once they are done; return how many are not within `timeout_s`."""
        for _ in self._threads:
            self._work.put(None)
        for own in self._own.values():
            own.put(None)
        deadline_s = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline_s - time.monotonic()))
        return sum(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        self._begin()
        while (work := self._work.get()) is not None:
            work()
            with self._lock:
                self._free += 1

    def _run_lane(self, own: queue.SimpleQueue[Work | None]) -> None:
        self._begin()
        while (work := own.get()) is not None:
            work()

    def _begin(self) -> None:
        try:
            self._prepare()
        except Exception as error:  # the thread is there for more than its priority
            self._on_trouble("a computing thread is as it came: "
                             f"{type(error).__name__}: {error}")
