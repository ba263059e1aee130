"""Estimators of inference time. They forget, leave warm-up out and ignore the absurd."""

from __future__ import annotations

import math
from collections import deque

_HOUR_S = 3600.0


class DurationWindow:
    """The newest inference durations of all workers together [ns]."""

    def __init__(self, window: int = 256, warmup: int = 2) -> None:
        """Keep `window` durations; leave the first `warmup` of each process out."""
        self._values: deque[int] = deque(maxlen=window)
        self._warmup = warmup
        self._seen: dict[str, int] = {}
        self.absurd = 0
        """How many durations were ignored: negative, not finite, or an hour and more."""

    def __len__(self) -> int:
        """Return how many durations the estimate rests on."""
        return len(self._values)

    def push(self, duration_s: float, process: str) -> bool:
        """Take in one duration [s]; return whether it counts."""
        if not math.isfinite(duration_s) or not 0.0 < duration_s < _HOUR_S:
            self.absurd += 1
            return False
        self._seen[process] = self._seen.get(process, 0) + 1
        if self._seen[process] <= self._warmup:
            return False
        self._values.append(round(duration_s * 1e9))
        return True

    def restarted(self, process: str) -> None:
        """Leave out the warm-up of a process that was started again."""
        self._seen.pop(process, None)

    def values(self) -> list[int]:
        """The durations [ns], oldest first."""
        return list(self._values)

    def second_largest_ns(self) -> int:
        """The duration that all but one of the window keep to; needs at least one.

        The largest itself would let a single outlier set the schedule for a whole window.
        """
        ordered = sorted(self._values)
        return ordered[-2] if len(ordered) > 1 else ordered[-1]

    def mean_ns(self) -> int:
        """The mean of the window; needs at least one duration."""
        return round(sum(self._values) / len(self._values))
