"""What was summed up over time, at evenly spaced ticks, in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

MOST = 128
"""Places of a course; when they are full, every other one is given up."""


@dataclass(slots=True)
class Course:
    """Totals against ticks, after every so many ticks: the same ticks for courses as long."""

    every: int = 1
    """Ticks from one place to the next, a power of two."""
    ticks: list[int] = field(default_factory=list)
    """After how many ticks."""
    totals: list[list[float]] = field(default_factory=list)
    """`(len(ticks), n)`: what the `n` totals were then."""

    def add(self, ticks: int, totals: Sequence[float]) -> None:
        """Take in the totals after so many `ticks`, of which there were more at each call."""
        if ticks % self.every:
            return
        self.ticks.append(ticks)
        self.totals.append(list(totals))
        if len(self.ticks) >= MOST:
            self.every *= 2
            kept = [place for place, tick in enumerate(self.ticks) if tick % self.every == 0]
            self.ticks = [self.ticks[place] for place in kept]
            self.totals = [self.totals[place] for place in kept]

    def column(self, place: int) -> list[float]:
        """Return one of the totals, at each of `ticks`."""
        return [totals[place] for totals in self.totals]
