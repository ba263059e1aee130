"""The regret of a run as a picture."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from realtime_rl.bags.drawing import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    RED,
    Key,
    Picture,
    draw,
    legend_above,
    picture,
)
from realtime_rl.bags.regret_record import RegretRecord
from realtime_rl.core.figures.regret import TERMS, Decomposition

_COLOURS = dict(zip(TERMS, (BLUE, GREEN, ORANGE, RED), strict=True))


def draw_regret(found: Decomposition) -> bytes:
    """Draw the terms, summed up over the episodes, and the whole, as SVG."""
    def paint(axes: Axes) -> None:
        _paint(axes, found)
        legend_above(axes)

    return draw(3.6, paint)


def regret_picture(record: RegretRecord) -> Picture:
    """Draw the same for a report, with each term's mean and interval beside its colour."""
    found = record.found
    return picture(
        "What it lost, and to what",
        f"Regret against {record.reference!r}, which acts at every tick without delay: "
        f"{found.regret:.3f} an episode, mean of {found.regret.n} that were played again. Its "
        "terms, summed up over the run.", 3.4, lambda axes: _paint(axes, found),
        [*(Key(_COLOURS[name], f"{name} {interval:.3f}: {TERMS[name]}", "line")
           for name, interval in found.means.items()), Key(INK, "the regret itself", "dashes")])


def _paint(axes: Axes, found: Decomposition) -> None:
    times = [each.began_s for each in found.episodes]
    for name, values in found.cumulated.items():
        axes.plot(times, values, color=_COLOURS[name], label=name, marker=".", markersize=3)
    whole = np.sum(list(found.cumulated.values()), axis=0)
    axes.plot(times, whole, color=INK, linestyle="--", label="regret")
    axes.set(xlabel="time [s]", ylabel="return lost so far")
