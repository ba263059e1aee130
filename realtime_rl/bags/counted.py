"""The picture of what a plant counted beside the reward."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from realtime_rl.bags.drawing import BLUE, GREEN, ORANGE, SKY, Key, Picture, picture
from realtime_rl.bags.over_time import Clock
from realtime_rl.core.figures.counters import increments
from realtime_rl.core.figures.statistics import Sessions

_COLOURS = (BLUE, ORANGE, GREEN, SKY)


def counters(sessions: Sessions, clock: Clock) -> Picture | None:
    """Draw how each counter rose over the run; of more counters than colours, the first ones."""
    rising = [(name, np.where(np.isfinite(rose), rose, 0.0))
              for name, rose in increments(sessions).items()][:len(_COLOURS)]
    if not any(rose.any() for _, rose in rising):
        return None
    times = clock(sessions.ticks.ints("stamp_ns"))
    lines = [(name, colour, rose) for (name, rose), colour in zip(rising, _COLOURS, strict=False)]

    def paint(axes: Axes) -> None:
        for _, colour, rose in lines:
            changed = np.flatnonzero(rose)
            axes.step([0.0, *times[changed], times[-1]],
                      [0.0, *np.cumsum(rose)[changed], rose.sum()], where="post", color=colour)
        clock.mark_deaths(axes)
        axes.set(xlim=(0, float(times.max()) or 1), xlabel=clock.label, ylabel="counted")

    return picture("Counters", "What the plant counted beside the reward, since the run began.",
                   2.6, paint, [*(Key(colour, f"{name} ({rose.sum():,.10g})", "line")
                                  for name, colour, rose in lines), *clock.keys])
