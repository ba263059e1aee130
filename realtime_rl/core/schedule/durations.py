"""Estimators of inference time. They forget, leave warm-up out and ignore the absurd."""

from __future__ import annotations

import math
from collections import deque

_HOUR_S = 3600.0
_FAR_NS = 250_000_000
_BURST_LEAST = 3
_BURST_DENSITY = 3
"""One in so many durations of a burst, or more, is an outlier."""
_BURST_SHARE = 4
"""A burst is no more than this part of a window; what is more is how the model is."""


class DurationWindow:
    """The newest inference durations of all workers together [ns]."""

    def __init__(self, window: int = 256, warmup: int = 2, most_ns: int | None = None) -> None:
        """Keep `window` durations; leave the first `warmup` of each process out.

        Args:
            window: durations that are kept.
            warmup: first ones of each process that are not.
            most_ns: longer ones count as so long.
        """
        self._most_ns = most_ns
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
        duration_ns = round(duration_s * 1e9)
        self._values.append(duration_ns if self._most_ns is None
                            else min(duration_ns, self._most_ns))
        return True

    def restarted(self, process: str) -> None:
        """Leave out the warm-up of a process that was started again."""
        self._seen.pop(process, None)

    def forget_burst(self, over_after: int) -> None:
        """Forget a burst of outliers that is over (`without_burst`)."""
        kept = without_burst(list(self._values), over_after)
        if len(kept) < len(self._values):
            self._values = deque(kept, self._values.maxlen)

    def values(self) -> list[int]:
        """The durations [ns], oldest first."""
        return list(self._values)

    def mean_ns(self) -> int:
        """The mean of the window; needs at least one duration."""
        return round(sum(self._values) / len(self._values))


def is_far(value_ns: int, usual_ns: int) -> bool:
    """Whether a duration is far from another: by a quarter of a second, and twice as long."""
    return value_ns > usual_ns + _FAR_NS and value_ns > 2 * usual_ns


def without_burst(values_ns: list[int], over_after: int) -> list[int]:
    """Leave out a burst of outliers that is over, as a machine that was busy for seconds leaves.

    Outliers that come now and then are no burst: there are others before and after.

    Args:
        values_ns: a window of durations, oldest first.
        over_after: a burst is over when so many came after it, and none of them is far from the
            others; as many must have come before.
    """
    if len(values_ns) < 2 * over_after + _BURST_LEAST:
        return values_ns
    usual_ns = sorted(values_ns[-over_after:])[-2]
    if not is_far(max(values_ns), usual_ns):
        return values_ns
    places = [place for place, value_ns in enumerate(values_ns) if is_far(value_ns, usual_ns)]
    if len(places) < _BURST_LEAST:
        return values_ns
    first, last = places[0], places[-1]
    length = last - first + 1
    alone = first >= over_after and last < len(values_ns) - over_after
    if not alone or length > len(values_ns) // _BURST_SHARE \
            or len(places) * _BURST_DENSITY < length:
        return values_ns
    outliers = set(places)
    return [value_ns for place, value_ns in enumerate(values_ns) if place not in outliers]
