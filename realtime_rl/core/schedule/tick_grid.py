"""Absolute time grids: the plant's own, and another node's estimate of it from arrivals."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TickStart:
    """The start of one plant tick."""

    tick: int
    lateness_ns: int
    missed: bool
    """It started more than a period late."""


def ticks_in(duration_s: float, period_ns: int) -> int:
    """How many whole ticks a duration has, 1 at least."""
    return max(1, round(duration_s * 1e9) // period_ns)


class TickPacer:
    """The plant's grid `epoch + k·period`. A late tick is made up for at once, never skipped."""

    def __init__(self, period_ns: int, epoch_ns: int) -> None:
        """Start the grid: tick 0 is due at `epoch_ns`."""
        self._period_ns = period_ns
        self._epoch_ns = epoch_ns
        self._tick = 0

    @property
    def next_due_ns(self) -> int:
        """When the next tick is due, on the same clock as `epoch_ns`."""
        return self._epoch_ns + self._tick * self._period_ns

    def start(self, now_ns: int) -> TickStart:
        """Start the tick that is due and say how late it is."""
        lateness_ns = max(0, now_ns - self.next_due_ns)
        started = TickStart(self._tick, lateness_ns, lateness_ns > self._period_ns)
        self._tick += 1
        return started


_WINDOW_TICKS, _WINDOW_NS = 256, 4_000_000_000
"""So many ticks, and so long, is the grid estimated from: at a high rate a stall of some tenths of
a second must not be all that there is."""
_BELIEVED_TICKS, _BELIEVED_NS = 16, 250_000_000
"""A tick that is heard of further ahead of the estimate than this is believed when the next one
agrees: a false one would otherwise call hundreds of deadlines at once."""


class TickGrid:
    """Another process' estimate of the plant's grid, from when its ticks were heard of.

    A message is only ever delayed, so the earliest arrivals show the grid: the offset is the
    smallest `arrival - tick·period` of a window, which forgets and so follows clock drift.
    """

    def __init__(self, period_ns: int, window: int | None = None) -> None:
        """Estimate with the newest `window` ticks; as many as suit the period when not given."""
        self._period_ns = period_ns
        self._window = window or max(_WINDOW_TICKS, _WINDOW_NS // period_ns)
        self._believed_ns = max(_BELIEVED_TICKS * period_ns, _BELIEVED_NS)
        self._early_ns: int | None = None
        """Offset of the newest tick, where it was too early to be believed."""
        self._minima: deque[tuple[int, int]] = deque()

    def observe(self, tick: int, arrival_ns: int) -> None:
        """Take in that `tick` was heard of at `arrival_ns` (its own lateness taken off)."""
        offset = arrival_ns - tick * self._period_ns
        if self._minima and tick <= self._minima[-1][0]:
            self._minima.clear()  # the plant was started again
        if not self._believes(offset):
            return
        while self._minima and self._minima[-1][1] >= offset:
            self._minima.pop()
        self._minima.append((tick, offset))
        while self._minima[0][0] <= tick - self._window:
            self._minima.popleft()

    def _believes(self, offset: int) -> bool:
        before, self._early_ns = self._early_ns, None
        if not self._minima or offset > self._minima[0][1] - self._believed_ns:
            return True
        self._early_ns = offset
        return before is not None and abs(offset - before) < self._believed_ns

    @property
    def known(self) -> bool:
        """Whether any tick was heard of."""
        return bool(self._minima)

    def predict_ns(self, tick: int) -> int:
        """When `tick` will be heard of at the earliest; needs `known`."""
        return self._minima[0][1] + tick * self._period_ns

    def tick_after(self, now_ns: int) -> int:
        """The first tick that is predicted later than `now_ns`; needs `known`."""
        return (now_ns - self._minima[0][1]) // self._period_ns + 1


def next_on_grid_ns(anchor_ns: int, period_ns: int, now_ns: int) -> int:
    """The first time `anchor + n·period` that is later than `now_ns`."""
    return anchor_ns + ((now_ns - anchor_ns) // period_ns + 1) * period_ns
