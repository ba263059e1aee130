"""What the pictures over a run's time share: its clock, and dots of which there are very many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from realtime_rl.core.figures.statistics import Floats

_LONG_S = 600.0
MANY, _CELLS = 200_000, 1500
"""From so many dots on those are left out that lie in one of so many columns and rows."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Time since the first tick, in a unit that suits the run's length."""

    start_ns: int
    unit_s: float

    @staticmethod
    def of(start_ns: int, span_s: float) -> Clock:
        """Choose the unit."""
        return Clock(start_ns, 60.0 if span_s > _LONG_S else 1.0)

    @property
    def label(self) -> str:
        """Of an axis."""
        return "time [s]" if self.unit_s == 1.0 else "time [min]"

    def __call__(self, stamps_ns: Sequence[int] | NDArray[np.int64]) -> Floats:
        """Return where stamps [ns] are."""
        return (np.array(stamps_ns, np.int64) - self.start_ns) / (1e9 * self.unit_s)


def dots(axes: Axes, times: Floats, values: Floats, colour: str, size: float = 3.0) -> None:
    """Draw a dot for each value, as pixels: a long run has a million of them."""
    times, values = seen(times, values)
    axes.plot(times, values, ".", color=colour, markersize=size, markeredgewidth=0,
              rasterized=True)


def seen(times: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Leave out dots that others hide, where there are very many: of one pixel one stays."""
    if times.size <= MANY:
        return times, values
    cells = np.zeros(times.size, np.int64)
    for each in (times, values):
        low, span = float(each.min()), float(np.ptp(each))
        cells *= _CELLS
        cells += ((each - low) * (_CELLS - 1) / (span or 1.0)).astype(np.int64)
    _, kept = np.unique(cells, return_index=True)
    kept.sort()
    return times[kept], values[kept]
