"""Runs that are recorded on a GPU: while one is, nothing else in the process may use CUDA.

CUDA refuses what other threads ask for meanwhile, the end of memory too, and spoils the recording.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator


class Turns:
    """Many use CUDA together, or one records alone; who wants to record comes first."""

    def __init__(self) -> None:
        """Nobody does either."""
        self._changed = threading.Condition()
        self._together = 0
        self._recorders = 0
        """That record, or wait to."""
        self._alone = False
        self._retired: list[object] = []

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Wait until nobody records; not within either of both."""
        with self._changed:
            self._changed.wait_for(lambda: not self._recorders)
            self._together += 1
        try:
            yield
        finally:
            with self._changed:
                self._together -= 1
                self._changed.notify_all()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until nobody else uses CUDA; not within either of both."""
        with self._changed:
            self._recorders += 1
            self._changed.wait_for(lambda: not (self._together or self._alone))
            self._alone = True
        try:
            yield
        finally:
            with self._changed:
                self._recorders -= 1
                self._alone = False
                self._changed.notify_all()

    def retire(self, *used: object) -> None:
        """Keep what nobody uses any more, as its end would use CUDA at any time."""
        self._retired.append(used)

    def bury(self) -> None:
        """Let go of what was retired; within `together`."""
        self._retired.clear()


TURNS = Turns()
"""Of this process."""
