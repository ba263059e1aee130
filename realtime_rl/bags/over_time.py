"""What pictures over a run's time share: clock, deaths of nodes, dots of which there are many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from realtime_rl.bags.drawing import INK, Key
from realtime_rl.core.figures.statistics import Floats

_LONG_S = 600.0
_NOTICED_S = 1.0
"""A death is noticed so late at most: what ended the plant lies at its last tick."""
_NAMED = 4
MANY, _CELLS = 200_000, 1500
"""From so many dots on those are left out that lie in one of so many columns and rows."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Time since the first tick, in a unit that suits the run's length."""

    start_ns: int
    unit_s: float
    died: tuple[tuple[float, str], ...] = ()
    """When which node died, of those that died between the first tick and the last."""

    @staticmethod
    def of(start_ns: int, span_s: float, died: Sequence[tuple[int, str]] = ()) -> Clock:
        """Choose the unit. `died`: stamp [ns] and node of each death."""
        unit_s = 60.0 if span_s > _LONG_S else 1.0
        places = (((stamp_ns - start_ns) / 1e9, node) for stamp_ns, node in died)
        return Clock(start_ns, unit_s, tuple(
            (min(at_s, span_s) / unit_s, node) for at_s, node in places
            if 0.0 <= at_s <= span_s + _NOTICED_S))

    @property
    def label(self) -> str:
        """Of an axis."""
        return "time [s]" if self.unit_s == 1.0 else "time [min]"

    def mark_deaths(self, *several: Axes) -> None:
        """Draw a vertical line for each death."""
        for axes in several:
            for at, _ in self.died:
                axes.axvline(at, color=INK, linewidth=1.3, linestyle=(0, (1, 2)))

    @property
    def keys(self) -> tuple[Key, ...]:
        """What the lines of `mark_deaths` mean."""
        names = list(dict.fromkeys(node for _, node in self.died))
        more = len(names) - _NAMED
        words = ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
        return (Key(INK, f"a node died: {words}", "dotted"),) if names else ()

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
