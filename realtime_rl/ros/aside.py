"""What takes long is done aside, in a thread of its own; what came of it is taken at a tick."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from realtime_rl.core.messages.wire import WireError

Take = Callable[[Any], None]
Refused = Callable[[str], None]


@dataclass(slots=True)
class _Job:
    work: Callable[[], Any]
    take: Take
    refused: Refused
    result: Any = None
    error: BaseException | None = None


class Aside:
    """Does jobs one after another; of those of one name that wait, the newest only.

    `do` and `finish` are of one thread: its owner's.
    """

    def __init__(self, name: str) -> None:
        """Begin a thread of that name."""
        self._ready = threading.Condition()
        self._waiting: dict[str, _Job] = {}
        self._done: deque[_Job] = deque()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def do(self, name: str, work: Callable[[], Any], take: Take, refused: Refused) -> None:
        """Have `work` done, in the place of what waits under the same name.

        Args:
            name: of the job.
            work: what takes long; called in the other thread.
            take: given its result at `finish`.
            refused: given, at `finish`, what a `WireError` of `work` or `take` said.
        """
        with self._ready:
            self._waiting.pop(name, None)
            self._waiting[name] = _Job(work, take, refused)
            self._ready.notify()

    def finish(self) -> None:
        """Take what came of the jobs that were done since; what else they raised is raised here."""
        while self._done:
            job = self._done.popleft()
            try:
                if job.error is not None:
                    raise job.error
                job.take(job.result)
            except WireError as error:
                job.refused(str(error))

    def close(self) -> None:
        """Wait until all is done that waits, and take it."""
        with self._ready:
            self._closing = True
            self._ready.notify()
        self._thread.join()
        self.finish()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                job.result = job.work()
            except BaseException as error:
                job.error = error
            self._done.append(job)

    def _next(self) -> _Job | None:
        with self._ready:
            self._ready.wait_for(lambda: self._waiting or self._closing)
            return self._waiting.pop(next(iter(self._waiting))) if self._waiting else None
