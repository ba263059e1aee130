"""What was commanded over a run, as a picture: each dimension, and on whose behalf."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from realtime_rl.bags.drawing import CAUSE_COLOUR, CAUSE_WORDS, Key, Picture, picture_of
from realtime_rl.bags.over_time import Clock, dots
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.messages.table import Table
from realtime_rl.core.types import Cause

_MOST = 12
"""Dimensions that are drawn."""
_CHOICES = 64
"""A single value that is never anything but one of so many numbers is a choice."""
_LARGEST = 1e30
_ORDER = (Cause.POLICY, Cause.DEFAULT, Cause.OPERATOR, Cause.STOP, Cause.NONE)
"""What is rarer is drawn over what is not."""


def commanded(ticks: Table[Timestep], clock: Clock) -> Picture | None:
    """Draw what each tick latched; `None` where no action has a value."""
    values = ticks.rows("action", _MOST + 1)
    known = np.isfinite(values) & (np.abs(values) < _LARGEST)
    width = int(known.any(axis=0).sum())
    shown = min(width, _MOST)
    if not shown:
        return None
    times = clock(ticks.ints("stamp_ns"))
    by_cause = {cause: ticks.equal("cause", cause) for cause in _ORDER}
    first = values[known[:, 0], 0]
    choice = width == 1 and bool(((first >= 0) & (first < _CHOICES)
                                  & (first == np.floor(first))).all())

    def paint(figure: Figure) -> None:
        for place, axes in enumerate(figure.subplots(shown, 1, sharex=True, squeeze=False)[:, 0]):
            for cause, rows in by_cause.items():
                drawn = rows & known[:, place]
                dots(axes, times[drawn], values[drawn, place], CAUSE_COLOUR[cause],
                     3.0 if cause is Cause.POLICY else 4.0)
            axes.set(ylabel="choice" if choice else f"action {place}")
            clock.mark_deaths(axes)
            axes.margins(y=0.12)
            axes.yaxis.set_major_locator(MaxNLocator(4, integer=choice))
        axes.set(xlabel=clock.label, xlim=(0, float(times.max()) or 1.0))

    each = ("The number of the choice that each tick latched." if choice else
            "What each tick latched, a row a dimension of the action."
            + (f" Only the first {_MOST} are shown." if width > shown else ""))
    height_in = 0.8 + (max(1.0, min(3.0, 0.12 * first.max(initial=0))) if choice
                       else 0.95 * shown)
    return picture_of("Commands", f"{each} A dot's colour says on whose behalf.", height_in, paint,
                      [*(Key(CAUSE_COLOUR[cause], CAUSE_WORDS[cause], "dot")
                         for cause in _ORDER if by_cause[cause].any()), *clock.keys])
