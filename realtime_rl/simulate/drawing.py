"""Pictures of trainings, as SVG."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from realtime_rl.bags.drawing import BLUE, FAINT, draw, legend_above
from realtime_rl.simulate.figures import Figures

_SMOOTHED = 20
"""Episodes in the moving mean."""


def draw_returns(figures: Figures, title: str) -> bytes:
    """Draw the returns of the episodes over the ticks, with their moving mean."""
    def paint(axes: Axes) -> None:
        ticks, returns = np.array(figures.end_ticks), np.array(figures.returns)
        axes.plot(ticks, returns, "o", color=FAINT, markersize=2.5, label="an episode")
        window = min(_SMOOTHED, returns.size)
        if window > 1:
            mean = np.convolve(returns, np.ones(window) / window, "valid")
            axes.plot(ticks[window - 1:], mean, color=BLUE, label=f"mean of {window}")
        axes.set(xlabel=f"ticks: {title}", ylabel="return")
        legend_above(axes)

    return draw(3.2, paint)
