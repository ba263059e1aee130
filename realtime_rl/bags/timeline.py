"""The staggering as a picture: a row a worker, a bar a slot, a line a tick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from realtime_rl.bags.drawing import (
    BLUE,
    CAUSE_COLOUR,
    CAUSE_WORDS,
    FAINT,
    INK,
    PALE,
    RED,
    RULE,
    SKY,
    Key,
    Picture,
    picture,
)
from realtime_rl.core.enumerations import Fate, Miss
from realtime_rl.core.figures.accounting import RunRecords, real
from realtime_rl.core.figures.statistics import plant_sessions
from realtime_rl.core.messages.records import Inference, Timestep, Verdict
from realtime_rl.core.messages.table import Table
from realtime_rl.core.types import Cause

_TICKS = 48
_ROWS = 80
_DRAWN_TICKS = 130
_BAR = 0.62
"""Height of a bar, of a row's."""
_ROUNDING_NS = 1_000_000
"""More than float64 is off at today's nanoseconds."""


@dataclass(frozen=True, slots=True)
class _Window:
    """What is drawn; times are in ms from its start."""

    ticks: Sequence[Timestep]
    slots: Sequence[Inference]
    fates: dict[tuple[int, int], Verdict]
    """By the observation's stamp and the worker."""
    start_ns: int
    width_ms: float
    rows: dict[int, int]
    """Row of each worker."""

    def ms(self, stamp_ns: float) -> float:
        return (stamp_ns - self.start_ns) / 1e6


def timeline(records: RunRecords) -> Picture | None:
    """Draw a moment from the middle of the run; `None` when no inference was recorded."""
    window = _window(records)
    if window is None or not window.rows:
        return None
    shown = len(window.rows)
    left_out = len({slot.worker for slot in window.slots if slot.worker >= 0}) - shown
    height_in = 1.5 + max(1.2, min(7.5, 0.30 * shown))
    more = f" Only {shown} workers are shown, {left_out} are not." if left_out else ""
    return picture(
        "Staggered workers",
        f"{window.width_ms / 1e3:.2g} s from around the middle of the run: a row a worker, a bar "
        f"an inference, a vertical line a tick.{more}",
        height_in, lambda axes: _paint(axes, window), _keys(window))


def _window(records: RunRecords) -> _Window | None:
    columns = records.columns()
    session = max(plant_sessions(columns.timesteps), key=len, default=columns.timesteps[:0])
    if len(session) < 2 or not columns.inferences:
        return None
    acted = session.equal("cause", Cause.POLICY)
    delays = (session.ints("tick") - session.ints("observation_tick"))[acted]
    count = max(_TICKS, 3 * int(delays.max()) if delays.size else 3)
    begin = begin_of(acted, count)
    ticks = list(session[begin:begin + count])
    start_ns, end_ns = ticks[0].stamp_ns, ticks[-1].stamp_ns
    slots = _slots(columns.inferences, start_ns, end_ns)
    workers = sorted({slot.worker for slot in slots if slot.worker >= 0})[:_ROWS]
    stamps_ns = np.array([slot.stamp_ns for slot in slots], np.int64)
    decided = columns.verdicts.where(~columns.verdicts.equal("fate", Fate.DEFAULTED)
                                     & np.isin(columns.verdicts.ints("stamp_ns"), stamps_ns))
    fates = {(verdict.stamp_ns, verdict.worker): verdict for verdict in decided}
    return _Window(ticks, slots, fates, start_ns, (end_ns - start_ns) / 1e6,
                   {worker: row for row, worker in enumerate(workers)})


def begin_of(acted: NDArray[np.bool_], count: int) -> int:
    """Return where the middle `count` ticks begin, or the nearest at which a policy acted more.

    A robot may be between two episodes for most of a run.
    """
    middle = max(0, (len(acted) - count) // 2)
    until = np.concatenate([[0], np.cumsum(acted)])
    within = until[count:] - until[:-count]  # by where they begin
    if not within.size or 2 * within[middle] >= within.max():
        return middle
    most = np.flatnonzero(within == within.max())
    return int(most[np.abs(most - middle).argmin()])


def _slots(inferences: Table[Inference], start_ns: int, end_ns: int) -> list[Inference]:
    """Return what was begun before `end_ns` and did not end before `start_ns`."""
    stamps_ns = inferences.ints("stamp_ns")
    ends_ns = stamps_ns + (inferences.floats("age_s") + inferences.floats("duration_s")) * 1e9
    near = inferences.where((stamps_ns < end_ns) & (ends_ns >= start_ns - _ROUNDING_NS))
    return [slot for slot in near
            if slot.stamp_ns + (slot.age_s + slot.duration_s) * 1e9 >= start_ns]


def _paint(axes: Axes, window: _Window) -> None:
    _paint_ticks(axes, window)
    bottom = len(window.rows)
    _paint_bars(axes, window)
    _paint_fates(axes, window)
    missed = [window.ms(slot.stamp_ns) for slot in window.slots if slot.miss is not Miss.NONE]
    labels = {row: f"worker {worker}" for worker, row in window.rows.items()}
    if missed:
        axes.plot(missed, [bottom] * len(missed), "x", color=RED, markersize=5)
        labels[bottom] = "missed slot"
        bottom += 1
    every = 1 + len(labels) // 28
    axes.set_yticks(list(labels)[::every], list(labels.values())[::every])
    axes.set(xlim=(0, window.width_ms), ylim=(bottom - 0.4, -0.9), xlabel="ms")
    axes.grid(False)
    _explain_one(axes, window)


def _paint_ticks(axes: Axes, window: _Window) -> None:
    dense = len(window.ticks) > _DRAWN_TICKS
    faults = sum(step.cause is not Cause.POLICY for step in window.ticks)
    bold = 1.6 if faults < len(window.ticks) / 4 else 0.9
    acted = [window.ms(step.stamp_ns) for step in window.ticks if step.cause is Cause.POLICY]
    if not dense:
        axes.vlines(acted, 0, 1, transform=axes.get_xaxis_transform(), zorder=0.4, color=RULE,
                    linewidth=0.6)
    for cause in {step.cause for step in window.ticks} - {Cause.POLICY}:
        stamps = [window.ms(step.stamp_ns) for step in window.ticks if step.cause is cause]
        axes.vlines(stamps, 0, 1, transform=axes.get_xaxis_transform(), zorder=0.5,
                    color=CAUSE_COLOUR[cause], linewidth=bold)


def _paint_bars(axes: Axes, window: _Window) -> None:
    for worker, row in window.rows.items():
        mine = [slot for slot in window.slots
                if slot.worker == worker and slot.miss is Miss.NONE]
        starts = [window.ms(slot.stamp_ns + slot.age_s * 1e9) for slot in mine]
        taken = [slot.duration_s * 1e3 for slot in mine]
        computed = [min(slot.compute_s, slot.duration_s) * 1e3 for slot in mine]
        edge = (row - _BAR / 2, _BAR)
        axes.broken_barh([*zip(starts, taken, strict=True)], edge, facecolors=SKY, alpha=PALE,
                         linewidth=0)
        axes.broken_barh([*zip(starts, computed, strict=True)], edge, facecolors=BLUE, linewidth=0)


def _paint_fates(axes: Axes, window: _Window) -> None:
    """Draw what became of each action: held and applied, or crossed out."""
    applied, crossed = [], []
    for slot in window.slots:
        verdict = window.fates.get((slot.stamp_ns, slot.worker))
        if slot.worker not in window.rows or slot.miss is not Miss.NONE or verdict is None:
            continue
        row = window.rows[slot.worker]
        end = window.ms(slot.stamp_ns + (slot.age_s + slot.duration_s) * 1e9)
        if verdict.fate is not Fate.APPLIED:
            crossed.append((end + 1.5, row, verdict.fate is Fate.REJECTED))
            continue
        at = _stamp_of(window, verdict.tick)
        if at is not None:
            applied.append((row, end, at))
    if applied:
        rows, ends, stamps = zip(*applied, strict=True)
        axes.hlines(rows, ends, stamps, color=BLUE, linewidth=0.9)
        axes.plot(stamps, rows, "o", color=INK, markersize=3.4)
    for rejected, colour in ((True, RED), (False, FAINT)):
        mine = [(at, row) for at, row, refused in crossed if refused is rejected]
        if mine:
            axes.plot(*zip(*mine, strict=True), "x", color=colour, markersize=5,
                      markeredgewidth=1.6)


def _stamp_of(window: _Window, tick: int) -> float | None:
    place = tick - window.ticks[0].tick
    for step in window.ticks[max(0, min(place, len(window.ticks) - 1))::-1]:
        if step.tick <= tick:
            return window.ms(step.stamp_ns) if step.tick == tick else None
    return None


def _explain_one(axes: Axes, window: _Window) -> None:
    """Point out the delay of one action, over the first row."""
    top = next((worker for worker, row in window.rows.items() if row == 0), -1)
    for slot in real(window.slots):
        verdict = window.fates.get((slot.stamp_ns, slot.worker))
        begin = window.ms(slot.stamp_ns)
        if slot.worker != top or verdict is None or begin < 0.3 * window.width_ms:
            continue
        end = _stamp_of(window, verdict.tick)
        if verdict.fate is Fate.APPLIED and end is not None:
            axes.annotate("", (end, -0.55), (begin, -0.55),
                          arrowprops={"arrowstyle": "<->", "color": INK, "shrinkA": 0,
                                      "shrinkB": 0, "linewidth": 0.9})
            axes.text(end + 0.006 * window.width_ms, -0.55,
                      f"delay {verdict.delay_ticks} ticks", va="center", fontsize=8.5,
                      bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8})
            return


def _keys(window: _Window) -> list[Key]:
    emulated = any(slot.emulated for slot in window.slots)
    return [
        Key(BLUE, "an inference is really computing"),
        *([Key(SKY, "an emulated accelerator makes it wait", "pale")] if emulated else []),
        Key(BLUE, "its action is held for its tick, or on its way", "line"),
        Key(INK, "the tick that applied it", "dot"),
        Key(FAINT, "a newer action was latched instead", "cross"),
        Key(RED, "rejected, or a slot that no worker took", "cross"),
        Key(RULE, "a tick at which the policy acted", "line"),
        *(Key(CAUSE_COLOUR[cause], CAUSE_WORDS[cause], "line")
          for cause in sorted({step.cause for step in window.ticks} - {Cause.POLICY}))]
