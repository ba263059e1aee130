"""Pictures of trainings, as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from realtime_rl.bags.drawing import (
    BLUE,
    FAINT,
    GREEN,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    draw,
    legend_above,
)
from realtime_rl.simulate.sweep_figures import Curve, Point
from realtime_rl.simulate.sweep_plot import Plot
from realtime_rl.simulate.tally import Tally

_SMOOTHED = 20
"""Episodes in the moving mean."""
_FEWEST = 5
"""Seeds from which on an interval is no wider than the picture, and is drawn."""
_COLOURS = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY)


def draw_returns(figures: Tally, title: str) -> bytes:
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


def draw_sweep(plot: Plot, points: Sequence[Point]) -> bytes:
    """Draw a part of a sweep: every run as a dot, and the means, a line for each label.

    An interval of fewer runs than five would be wider than the picture. Things that are only
    compared with each other, as variants of a learner, are not joined.
    """
    labels = list(dict.fromkeys(point.x for point in points))
    places = _places(labels, plot.log)
    joined = bool(plot.lines) or all(map(_is_number, labels))

    def paint(axes: Axes) -> None:
        for index, line in enumerate(dict.fromkeys(point.line for point in points)):
            mine = [point for point in points if point.line == line]
            colour = _COLOURS[index % len(_COLOURS)]
            axes.plot([places[point.x] for point in mine], [point.interval.mean for point in mine],
                      marker="_", markersize=14, color=colour, linestyle="-" if joined else "none",
                      label=_legend(plot.lines, line) or "mean")
            _draw_intervals(axes, [point for point in mine if point.repeats >= _FEWEST], places,
                            colour)
            axes.plot([places[point.x] for point in mine for _ in point.runs],
                      [run for point in mine for run in point.runs],
                      "o", color=colour, markersize=3.5, alpha=0.6,
                      label=None if index else "a pair" if plot.against else "a run")
        if plot.log and all(places[label] > 0 for label in labels):
            axes.set_xscale("log")
        axes.set_xticks([places[label] for label in labels], labels)
        axes.minorticks_off()
        axes.set(xlabel=plot.x, ylabel=plot.meaning.replace(": ", ":\n"))
        legend_above(axes)

    return draw(3.6, paint)


def _draw_intervals(axes: Axes, points: Sequence[Point], places: Mapping[str, float],
                    colour: str) -> None:
    known = [point for point in points if np.isfinite(point.interval.low)]
    if known:
        axes.vlines([places[point.x] for point in known], [point.interval.low for point in known],
                    [point.interval.high for point in known], color=colour, linewidth=5,
                    alpha=0.25)


def draw_curves(plot: Plot, curves: Sequence[Curve]) -> bytes:
    """Draw a part of a sweep over time: the mean of each line, with its interval as an area."""
    def paint(axes: Axes) -> None:
        for index, curve in enumerate(curves):
            colour, intervals = _COLOURS[index % len(_COLOURS)], curve.intervals
            axes.plot(curve.ticks, [each.mean for each in intervals], color=colour,
                      label=_legend(plot.lines, curve.line) or "mean")
            if curve.repeats >= _FEWEST:
                axes.fill_between(curve.ticks, [each.low for each in intervals],
                                  [each.high for each in intervals], color=colour, alpha=0.2,
                                  linewidth=0)
        axes.set(xlabel=plot.x, ylabel=plot.meaning)
        legend_above(axes)

    return draw(3.6, paint)


def _legend(axis: str, label: str) -> str:
    """Name a line by its label; a number says little without its axis."""
    return f"{axis} {label}" if label.replace(".", "", 1).isdecimal() else label


def _places(labels: Sequence[str], log: bool) -> dict[str, float]:
    """Return where each label stands: at its number, or in its turn."""
    if not all(map(_is_number, labels)):
        return {label: float(place) for place, label in enumerate(labels, 1 if log else 0)}
    return {label: float(label) for label in labels}


def _is_number(label: str) -> bool:
    try:
        float(label)
    except ValueError:
        return False
    return True
