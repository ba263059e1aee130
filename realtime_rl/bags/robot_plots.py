"""The pictures of a robot: what stopped it, its commands and positions, its sensors' ages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from realtime_rl.bags.drawing import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    STARTUP,
    Key,
    Picture,
    picture_of,
)
from realtime_rl.bags.over_time import Clock, dots
from realtime_rl.core.enumerations import Phase, StopCause
from realtime_rl.core.figures.accounting import RunRecords
from realtime_rl.core.figures.robot_figures import RobotNames, difference
from realtime_rl.core.messages.records import RobotRecord
from realtime_rl.core.messages.table import Table

_MOST, _ALL = 12, 256
"""Elements, and sources, that are drawn, and that are counted."""
_PHASES = ((Phase.WAITING, STARTUP), (Phase.HOLDING, SKY), (Phase.BLENDING, GREEN),
           (Phase.ACTING, BLUE), (Phase.STOPPED, RED), (Phase.ENDED, ORANGE))
_PHASE_WORDS = {
    Phase.WAITING: "waiting: nothing is sent", Phase.HOLDING: "holding: nobody acts",
    Phase.BLENDING: "blending into what is asked for", Phase.ACTING: "acting",
    Phase.STOPPED: "stopped", Phase.ENDED: "between two episodes"}
_STOP_WORDS = {
    StopCause.SERVICE: "stop service", StopCause.SILENCE: "actuator silent",
    StopCause.STALE: "stale source", StopCause.ESTOP: "emergency stop",
    StopCause.DEADMAN: "deadman", StopCause.FAULT: "fault"}
_Paint = Callable[[Axes, int], None]


def robot_pictures(records: RunRecords, clock: Clock) -> Iterator[Picture]:
    """Draw what a robot's records tell; nothing where there are none."""
    table, names = Table.of(RobotRecord, records.robots), records.robot_names
    if not len(table):
        return
    times = clock(table.ints("stamp_ns"))
    yield _phases(table, times, clock)
    yield from chain(_sent(table, names, times, clock), _apart(table, names, times, clock),
                     _ages(table, names, times, clock))


def _rows(title: str, caption: str, count: int, paint: _Paint, *, row_in: float,
          keys: Sequence[Key], clock: Clock, end: float) -> Picture:
    """Draw a row for each of some things, over time."""
    shown = min(count, _MOST)

    def paint_all(figure: Figure) -> None:
        for place, axes in enumerate(figure.subplots(shown, 1, sharex=True, squeeze=False)[:, 0]):
            paint(axes, place)
            clock.mark_deaths(axes)
            axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.set(xlabel=clock.label, xlim=(0, end or 1.0))

    more = f" Only the first {_MOST} of {count} are shown." if count > shown else ""
    return picture_of(title, caption + more, 0.8 + row_in * shown, paint_all,
                      [*keys, *clock.keys])


def _phases(table: Table[RobotRecord], times: NDArray[np.float64], clock: Clock) -> Picture:
    phases, causes = table.ints("phase"), table.ints("stopped_by")
    found = [(phase, colour) for phase, colour in _PHASES if (phases == phase).any()]
    stops = [cause for cause in StopCause if (causes & cause).any()]
    words = ["phase", *(_STOP_WORDS[cause] for cause in stops)]

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        for phase, colour in found:
            _bars(axes, times, phases == phase, 0, colour)
        for row, cause in enumerate(stops, 1):
            _bars(axes, times, (causes & cause) > 0, row, PURPLE)
        clock.mark_deaths(axes)
        axes.set(xlim=(0, float(times.max()) or 1.0), ylim=(len(words) - 0.4, -0.6),
                 xlabel=clock.label)
        axes.set_yticks(range(len(words)), words)
        axes.grid(visible=False, axis="y")

    keys = [Key(colour, f"{_PHASE_WORDS[phase]} ({int((phases == phase).sum()):,} ticks)")
            for phase, colour in found]
    if stops:
        keys.append(Key(PURPLE, "what stopped it"))
    return picture_of("What the robot was about, and what stopped it",
                      "The phase of each tick, and a row for each cause of a stop.",
                      0.9 + 0.28 * len(words), paint, [*keys, *clock.keys])


def _bars(axes: Axes, times: NDArray[np.float64], there: NDArray[np.bool_], row: int,
          colour: str) -> None:
    """Draw bars from the first to past the last of the ticks that follow each other."""
    edges = np.diff(np.concatenate([[False], there, [False]]).astype(np.int8))
    ends = np.append(times, times[-1] + (times[-1] - times[0]) / max(1, times.size - 1))
    begins, stops = times[np.flatnonzero(edges == 1)], ends[np.flatnonzero(edges == -1)]
    axes.broken_barh(list(zip(begins.tolist(), (stops - begins).tolist(), strict=True)),
                     (row - 0.38, 0.76), color=colour, linewidth=0.6, edgecolor=colour)


def _sent(table: Table[RobotRecord], names: RobotNames, times: NDArray[np.float64], clock: Clock
          ) -> Iterator[Picture]:
    sent, measured = table.rows("sent", _ALL), table.rows("measured", _ALL)
    limited = table.rows("limited", _ALL)
    if not np.isfinite(sent).any():
        return

    def paint(axes: Axes, place: int) -> None:
        if place < measured.shape[1]:
            _dots(axes, times, measured[:, place], SKY, 3.0)
        _dots(axes, times, sent[:, place], BLUE, 2.2)
        if place < limited.shape[1]:
            short = limited[:, place] > 0
            _dots(axes, times[short], sent[short, place], ORANGE, 3.0)
        axes.set(ylabel=names.element(place))
        axes.margins(y=0.12)
        low, high = axes.get_ylim()
        for bound in names.positions[place] if place < len(names.positions) else ():
            if low <= bound <= high:
                axes.axhline(bound, color=INK, linewidth=1.0, linestyle=(0, (5, 4)))
        axes.set(ylim=(low, high))

    keys = [Key(BLUE, "sent", "dot"), Key(ORANGE, "sent, less than asked for: limited", "dot")]
    if np.isfinite(measured).any():
        keys.append(Key(SKY, "measured position", "dot"))
    if any(np.isfinite(each).any() for each in names.positions):
        keys.append(Key(INK, "a limit of the position, where it is near", "dashes"))
    yield _rows("The robot's commands and positions",
                "What each element was sent at each tick, in the robot's units, and where it was "
                "measured.", sent.shape[1], paint, row_in=1.0, keys=keys, clock=clock,
                end=float(times.max()))


def _apart(table: Table[RobotRecord], names: RobotNames, times: NDArray[np.float64], clock: Clock
           ) -> Iterator[Picture]:
    apart = difference(table)
    known = np.flatnonzero(np.isfinite(apart).any(axis=0))
    if not known.size:
        return

    def paint(axes: Axes, place: int) -> None:
        axes.axhline(0.0, color=FAINT, linewidth=0.8)
        _dots(axes, times, apart[:, known[place]], BLUE, 2.2)
        axes.set(ylabel=names.element(int(known[place])))
        axes.margins(y=0.12)

    yield _rows("How far commands and positions were apart",
                "The command of a tick less the position that was measured at it. A robot that is "
                "pushed, blocked or switched off drifts away from zero.", known.size, paint,
                row_in=1.0, keys=[Key(BLUE, "command less measured position", "dot")],
                clock=clock, end=float(times.max()))


def _ages(table: Table[RobotRecord], names: RobotNames, times: NDArray[np.float64], clock: Clock
          ) -> Iterator[Picture]:
    ages = table.rows("ages_s", _ALL) * 1e3
    if not np.isfinite(ages).any():
        return

    def paint(axes: Axes, place: int) -> None:
        most = names.max_ages_s[place] * 1e3 if place < len(names.max_ages_s) else np.inf
        with np.errstate(invalid="ignore"):
            stale = ages[:, place] > most
        _dots(axes, times[~stale], ages[~stale, place], BLUE, 2.2)
        _dots(axes, times[stale], ages[stale, place], RED, 3.0)
        if np.isfinite(most):
            axes.axhline(most, color=INK, linewidth=1.0, linestyle=(0, (5, 4)))
        axes.margins(y=0.12)
        axes.set(ylabel=f"{names.source(place)} [ms]", ylim=(0, None))

    keys = [Key(BLUE, "age at the tick", "dot")]
    if names.max_ages_s:
        keys += [Key(RED, "older than max_age: stale", "dot"), Key(INK, "max_age", "dashes")]
    yield _rows("Ages of the sensors' values",
                "How old the value of each source was that a tick showed. A gap: nothing had come "
                "yet.", ages.shape[1], paint, row_in=0.8, keys=keys, clock=clock,
                end=float(times.max()))


def _dots(axes: Axes, times: NDArray[np.float64], values: NDArray[np.float64], colour: str,
          size: float) -> None:
    known = np.isfinite(values)
    dots(axes, times[known], values[known], colour, size)
