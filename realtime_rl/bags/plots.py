"""The pictures of a report: how even, how late, how often nobody acted, what was learned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from realtime_rl.bags.chunk_picture import chunk_picture
from realtime_rl.bags.commanded import commanded
from realtime_rl.bags.counted import counters
from realtime_rl.bags.drawing import (
    BLUE,
    CAUSE_COLOUR,
    CAUSE_WORDS,
    GREEN,
    INK,
    ORANGE,
    SKY,
    STARTUP,
    Key,
    Picture,
    mark,
    picture,
    picture_of,
)
from realtime_rl.bags.over_time import MANY, Clock, dots
from realtime_rl.bags.robot_plots import robot_pictures
from realtime_rl.bags.timeline import timeline
from realtime_rl.core.figures.accounting import Columns, RunRecords, delays_ticks, gave_action
from realtime_rl.core.figures.statistics import (
    Episodes,
    Floats,
    arrivals,
    episodes_of,
    plant_sessions,
    startup_length,
)
from realtime_rl.core.messages.records import ScheduleRecord, Timestep, Verdict
from realtime_rl.core.messages.table import Table
from realtime_rl.core.types import Cause

_BINS = 120
_MOST_BARS = 180
_BAR_WIDTHS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)
_MEAN_OVER = 10


def pictures(records: RunRecords, died: Sequence[tuple[int, str]] = ()) -> Iterator[Picture]:
    """Draw what the records allow; needs at least one tick.

    Args:
        records: of the run.
        died: stamp [ns] and node of each death.
    """
    columns = records.columns()
    sessions = plant_sessions(columns.timesteps)
    ticks, stamps_ns = sessions.ticks, sessions.ticks.ints("stamp_ns")
    # a plant that was started again may have found its clock set back
    first_ns, span_s = int(stamps_ns.min()), int(np.ptp(stamps_ns)) / 1e9
    clock = Clock.of(first_ns, span_s, died)
    period_ms = ticks[-1].period_ns / 1e6
    drawn = (timeline(records), chunk_picture(records), _intervals(columns.verdicts, period_ms),
             _delays(ticks, records.schedules), _causes(ticks, span_s, clock),
             *robot_pictures(records, clock),
             commanded(ticks, clock),
             _durations(columns, records.schedules, period_ms, clock),
             _returns(episodes_of(sessions), ticks, clock), counters(sessions, clock))
    return (picture for picture in drawn if picture is not None)


def _intervals(verdicts: Table[Verdict], period_ms: float) -> Picture | None:
    values = np.concatenate([np.zeros(0), *(np.diff(session) * 1e3
                                            for session in arrivals(verdicts, period_ms / 1e3))])
    if values.size == 0:
        return None
    high = max(2.5 * period_ms, float(np.percentile(values, 99.5)) * 1.1)
    beyond = int((values > high).sum())
    counts, edges = np.histogram(values, _BINS, (0.0, high))

    def paint(axes: Axes) -> None:
        axes.stairs(counts, edges, fill=True, color=BLUE)
        axes.set(yscale="log", xlim=(0, high), xlabel="time between two actions [ms]",
                 ylabel="actions")
        mark(axes, period_ms, f"period {period_ms:.2f} ms")

    return picture("Evenness of the actions",
                   "Time between arrivals of actions at the actuator, on its clock. A narrow peak "
                   "at the period is what staggering is for; the scale is logarithmic, so that "
                   f"single outliers show. {beyond} of {values.size} are beyond the right edge.",
                   2.7, paint, [Key(BLUE, "actions that came so long after the one before"),
                                Key(INK, "the plant's period", "dashes")])


def _delays(ticks: Table[Timestep], schedules: Sequence[ScheduleRecord]) -> Picture | None:
    values = delays_ticks(ticks)
    if values.size == 0:
        return None
    promised = schedules[-1].promised_delay_ticks if schedules else None
    found, counts = np.unique(values, return_counts=True)

    def paint(axes: Axes) -> None:
        axes.bar(found, counts / values.size * 100, color=BLUE, width=0.8)
        low, high = min(found[0], promised or found[0]), max(found[-1], promised or found[-1])
        axes.set(xlim=(max(low - 4.5, -0.5), high + 4.5), xlabel="delay [ticks]",
                 ylabel="% of actions")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if promised is not None:
            mark(axes, promised, f"promised D = {promised}")

    return picture("Delay from observation to action",
                   "Ticks between an observation and the tick that applied its action.",
                   2.2, paint, [Key(BLUE, "share of the actions with this delay"), *(
                       [Key(INK, "D, the delay that the schedule promises", "dashes")]
                       if promised is not None else [])])


def _causes(ticks: Table[Timestep], span_s: float, clock: Clock) -> Picture:
    width_s = next((w for w in _BAR_WIDTHS_S if span_s / w <= _MOST_BARS), span_s / _MOST_BARS)
    width = width_s / clock.unit_s
    edges = width * np.arange(int(span_s / width_s) + 2)
    startup = startup_length(ticks)
    stamps_ns, later = ticks.ints("stamp_ns"), ticks[startup:]
    kinds = [("startup: before the policy's first action", STARTUP, stamps_ns[:startup])]
    kinds += [(CAUSE_WORDS[cause], CAUSE_COLOUR[cause],
               stamps_ns[startup:][later.equal("cause", cause)])
              for cause in (Cause.NONE, Cause.DEFAULT, Cause.STOP, Cause.OPERATOR, Cause.POLICY)]
    kinds = [(words, colour, stamps) for words, colour, stamps in kinds if stamps.size]

    def paint(axes: Axes) -> None:
        base = np.zeros(len(edges) - 1)
        for _, colour, stamps in kinds:
            counts, _ = np.histogram(clock(stamps), bins=edges)
            axes.stairs(base + counts, edges, baseline=base.copy(), fill=True, color=colour)
            base += counts
        clock.mark_deaths(axes)
        axes.set(xlim=(0, edges[-1]), xlabel=clock.label, ylabel=f"ticks in {width_s:g} s")

    return picture("Who acted",
                   "What each tick was caused by. A bar that is too short is a gap in the "
                   "recording, or the plant's own delay.", 2.6, paint,
                   [*(Key(colour, f"{words} ({stamps.size:,})") for words, colour, stamps in kinds),
                    *clock.keys])


def _durations(columns: Columns, schedules: Sequence[ScheduleRecord], period_ms: float,
               clock: Clock) -> Picture | None:
    inferences, done = columns.inferences, gave_action(columns.inferences)
    if not done.any():
        return None
    begun = clock(inferences.ints("stamp_ns")[done])
    end = float(begun.max())
    taken = inferences.floats("duration_s")[done] * 1e3
    computed = inferences.floats("compute_s")[done] * 1e3
    emulated = any(inferences.texts("emulated", done))
    steps = _promises(columns.timesteps, schedules, clock, end)

    def paint(axes: Axes) -> None:
        dots(axes, begun, taken, BLUE)
        if emulated:
            dots(axes, begun, computed, SKY)
        _paint_promises(axes, steps, schedules, period_ms)
        clock.mark_deaths(axes)
        axes.set(xlim=(0, end or 1), ylim=(0, None), xlabel=clock.label,
                 ylabel="inference [ms]")

    keys = [Key(BLUE, "how long an inference took a worker", "dot"),
            *([Key(SKY, "of which it really computed", "dot")] if emulated else []),
            *([Key(INK, "T, which the schedule reckons with", "dashes"),
               Key(ORANGE, "D periods, the delay that it promises", "line")] if schedules else []),
            *clock.keys]
    return picture("Inference times", "How long each inference took, from its begin on.",
                   2.8, paint, keys)


def _promises(timesteps: Table[Timestep], schedules: Sequence[ScheduleRecord], clock: Clock,
              end: float) -> Floats:
    """Return when each schedule took effect, and the end."""
    ticks = timesteps.ints("tick")
    rows = np.flatnonzero(np.isin(ticks, [schedule.effective_tick for schedule in schedules]))
    stamps_ns = dict(zip(ticks[rows].tolist(), timesteps.ints("stamp_ns")[rows].tolist(),
                         strict=True))
    begun = clock([stamps_ns.get(schedule.effective_tick, schedule.stamp_ns)
                   for schedule in schedules])
    return np.maximum([*begun, end], 0.0)


def _paint_promises(axes: Axes, times: Floats, schedules: Sequence[ScheduleRecord],
                    period_ms: float) -> None:
    """Draw `T` and `D` from the tick at which each schedule took effect."""
    if not schedules:
        return
    duration = [schedule.duration_ns / 1e6 for schedule in schedules]
    promised = [schedule.promised_delay_ticks * period_ms for schedule in schedules]
    axes.step(times, [*duration, duration[-1]], where="post", color=INK, linewidth=1.0,
              linestyle=(0, (5, 4)))
    axes.step(times, [*promised, promised[-1]], where="post", color=ORANGE, linewidth=1.4)


def _returns(episodes: Episodes, ticks: Table[Timestep], clock: Clock) -> Picture | None:
    if not len(episodes):
        return None
    stamps_ns, versions = ticks.ints("stamp_ns"), ticks.ints("version")
    ended = clock(stamps_ns[episodes.lasts])
    values = episodes.returns
    acted = versions >= 0
    if acted.sum() > MANY:
        # a step is drawn by its ends
        rows = np.flatnonzero(acted)
        changed = np.flatnonzero(np.diff(versions[rows])) + 1
        acted[:] = False
        acted[rows[[0, *changed, -1]]] = True
    smooth = values.size >= _MEAN_OVER

    def paint(figure: Figure) -> None:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        above.plot(ended, values, "o", color=SKY, markersize=4)
        if smooth:
            mean = np.convolve(values, np.ones(_MEAN_OVER) / _MEAN_OVER, "valid")
            above.plot(ended[_MEAN_OVER - 1:], mean, color=BLUE, linewidth=1.8)
        above.set(ylabel="return")
        if acted.any():
            below.step(clock(stamps_ns[acted]), versions[acted], where="post", color=GREEN)
        clock.mark_deaths(above, below)
        below.set(xlabel=clock.label, ylabel="version", xlim=(0, None))
        below.yaxis.set_major_locator(MaxNLocator(3, integer=True))

    return picture_of("Returns and policy versions",
                      "Undiscounted return of each episode that was recorded from its first tick "
                      "to its last, and the policy version that acted meanwhile.", 3.4, paint,
                      [Key(SKY, "an episode", "dot"),
                       *([Key(BLUE, f"mean of {_MEAN_OVER} episodes", "line")] if smooth else []),
                       Key(GREEN, "policy version", "line"), *clock.keys])
