"""The regret of a run as a picture."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from realtime_rl.bags.drawing import BLUE, GREEN, INK, ORANGE, RED, draw, legend_above
from realtime_rl.core.figures.regret import TERMS, Decomposition

_COLOURS = dict(zip(TERMS, (BLUE, GREEN, ORANGE, RED), strict=True))


def draw_regret(found: Decomposition) -> bytes:
    """Draw the terms, summed up over the episodes, and the whole, as SVG."""
    def paint(axes: Axes) -> None:
        times = [each.began_s for each in found.episodes]
        for name, values in found.cumulated.items():
            axes.plot(times, values, color=_COLOURS[name], label=name, marker=".", markersize=3)
        whole = np.sum(list(found.cumulated.values()), axis=0)
        axes.plot(times, whole, color=INK, linestyle="--", label="regret")
        axes.set(xlabel="time [s]", ylabel="return lost so far")
        legend_above(axes)

    return draw(3.6, paint)
