"""The chunks as a picture: a bar a chunk, and in it the rows that acted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from realtime_rl.bags.drawing import (
    BLUE,
    CAUSE_COLOUR,
    CAUSE_WORDS,
    FAINT,
    INK,
    ORANGE,
    PALE,
    RED,
    SKY,
    STARTUP,
    Key,
    Picture,
    picture,
)
from realtime_rl.bags.timeline import begin_of
from realtime_rl.core.enumerations import Fate
from realtime_rl.core.figures.accounting import Columns, RunRecords
from realtime_rl.core.figures.chunk_figures import tails
from realtime_rl.core.figures.seams import of_chunks
from realtime_rl.core.figures.statistics import Sessions, plant_sessions
from realtime_rl.core.messages.records import Inference, Timestep
from realtime_rl.core.messages.table import Table
from realtime_rl.core.types import Cause

_CHUNKS, _FEWEST_TICKS, _MOST_TICKS = 18, 24, 90
"""So many chunks are to be seen, in ticks of these numbers."""
_MOST_ROWS, _MOST_LABELS = 40, 16
_BAR = 0.72
"""Height of a bar, of a row's."""
_FIRST_OFFSET = 1
"""Ticks from an observation to the first row of its chunk, where no row of any says it."""


@dataclass(slots=True)
class Drawn:
    """A chunk: the ticks that it has rows for, and what came of them."""

    seen: int
    """Tick of its observation."""
    worker: int
    first: int
    last: int
    due: int
    """The tick that it was promised for; -1: for none."""
    fate: Fate | None = None
    """`None`: not known."""
    acted: list[int] = field(default_factory=list)
    tails: list[int] = field(default_factory=list)
    """Those at which a newer chunk was promised; they are in `acted`, too."""
    averaged: list[int] = field(default_factory=list)
    """Ticks at which a newer one acted, and this one took part in the mean."""

    def may_act(self, tick: int) -> bool:
        """Whether it has a row that is due at `tick`."""
        return max(self.first, self.due) <= tick <= self.last and self.fate is not Fate.REJECTED

    def inside(self, begin: int, end: int) -> bool:
        """Whether it acted, took part or was due at a tick of a window."""
        return bool(self.acted or self.averaged) or begin <= self.due < end


@dataclass(frozen=True, slots=True)
class Window:
    """Some ticks that follow each other, and the chunks that matter for them, oldest first."""

    begin: int
    end: int
    """The tick after the last."""
    chunks: list[Drawn]
    others: dict[int, Cause]
    """Ticks at which no policy acted."""


def chunk_picture(records: RunRecords) -> Picture | None:
    """Draw a moment from the middle of the run; `None` where no chunk acted."""
    window = window_of(records)
    if window is None:
        return None
    left_out = max(0, len(window.chunks) - _MOST_ROWS)
    more = f" {left_out} more chunk(s) are not shown." if left_out else ""
    return picture(
        "Chunks of actions",
        f"{window.end - window.begin} ticks from around the middle of the run: a row a chunk, "
        "named by the tick of its observation. Full colour is what acted: at each tick one row, of "
        f"the newest chunk that was due.{more}",
        1.3 + 0.2 * min(_MOST_ROWS, max(6, len(window.chunks))),
        lambda axes: _paint(axes, window), _keys(window))


def window_of(records: RunRecords) -> Window | None:
    """Choose some ticks from the middle of a run; `None` where no chunk acted."""
    columns = records.columns()
    sessions = plant_sessions(columns.timesteps)
    rows = of_chunks(sessions.ticks)
    if not rows.any():
        return None
    counts = np.bincount(sessions.of_rows()[rows], minlength=len(sessions))
    part = int(counts.argmax())
    mine = slice(int(sessions.first_rows[part]), int(sessions.last_rows[part]) + 1)
    session = sessions[part]
    count = _count(session)
    place = begin_of(rows[mine], count)
    steps = session[place:place + count]
    late = tails(sessions, columns.inferences)[mine][place:place + count]
    begin, end = steps[0].tick, steps[-1].tick + 1
    chunks = _chunks(sessions, part, columns, steps)
    _act(chunks, steps, late.tolist())
    return Window(begin, end, [each for _, each in sorted(chunks.items())
                               if each.inside(begin, end)],
                  {step.tick: step.cause for step in steps if step.cause is not Cause.POLICY})


def _count(session: Table[Timestep]) -> int:
    """Return how many ticks show enough chunks."""
    answered = session.ints("observation_tick")[of_chunks(session)]
    every = answered.size / max(1, np.unique(answered).size)
    return int(np.clip(round(_CHUNKS * every), _FEWEST_TICKS, _MOST_TICKS))


def _chunks(sessions: Sessions, part: int, columns: Columns, steps: Table[Timestep]
            ) -> dict[int, Drawn]:
    """Return the chunks that may act at some ticks, by their observations' ticks."""
    acting = steps.where(of_chunks(steps))
    offsets = acting.ints("tick") - acting.ints("row") - acting.ints("observation_tick")
    offset = int(offsets[0]) if offsets.size else _FIRST_OFFSET
    session = sessions[part]
    stamps_ns = session.ints("stamp_ns")
    given, verdicts = columns.inferences, columns.verdicts
    numbers = given.ints("tick")
    near = given.where(
        (given.ints("horizon") > 0) & (stamps_ns[0] <= given.ints("stamp_ns"))
        & (given.ints("stamp_ns") <= stamps_ns[-1]) & (numbers < steps[-1].tick)
        & (numbers + given.ints("horizon") >= steps[0].tick))
    fates = {(each.stamp_ns, each.worker): each.fate for each in verdicts.where(
        np.isin(verdicts.ints("stamp_ns"), near.ints("stamp_ns")))}
    found = {each.tick: _drawn(each, offset, fates.get((each.stamp_ns, each.worker)))
             for each in near}
    for step in acting:
        found.setdefault(step.observation_tick, Drawn(
            step.observation_tick, step.worker, step.tick - step.row, step.tick, -1))
    return found


def _drawn(given: Inference, offset: int, fate: Fate | None) -> Drawn:
    return Drawn(given.tick, given.worker, given.tick + offset, given.tick + given.horizon,
                 given.due_tick, fate)


def _act(chunks: dict[int, Drawn], steps: Iterable[Timestep], late: list[bool]) -> None:
    """Note what acted at each tick, and what took part."""
    newest_first = sorted(chunks.values(), key=lambda each: -each.seen)
    for step, tail in zip(steps, late, strict=True):
        if step.cause is not Cause.POLICY or step.row < 0:
            continue
        chunk = chunks[step.observation_tick]
        chunk.last = max(chunk.last, step.tick)
        chunk.acted.append(step.tick)
        if tail:
            chunk.tails.append(step.tick)
        older = (each for each in newest_first if each.seen < chunk.seen
                 and each.may_act(step.tick))
        for each, _ in zip(older, range(step.merged - 1), strict=False):
            each.averaged.append(step.tick)


def _paint(axes: Axes, window: Window) -> None:
    shown = window.chunks[:_MOST_ROWS]
    for cause in set(window.others.values()):
        for begin, length in runs([tick for tick, other in window.others.items()
                                   if other is cause]):
            axes.axvspan(begin, begin + length, color=CAUSE_COLOUR[cause], alpha=PALE, linewidth=0,
                         zorder=0.3)
    for row, chunk in enumerate(shown):
        edge = (row - _BAR / 2, _BAR)
        axes.hlines(row, chunk.seen, max(chunk.first, chunk.due), color=FAINT, linewidth=0.9,
                    zorder=1)
        axes.broken_barh([(chunk.first, chunk.last + 1 - chunk.first)], edge, linewidth=0,
                         facecolors=STARTUP, alpha=PALE, zorder=0.6)
        for ticks, colour, alpha in ((chunk.averaged, SKY, PALE), (chunk.acted, BLUE, 1.0),
                                     (chunk.tails, ORANGE, 1.0)):
            axes.broken_barh(runs(ticks), edge, linewidth=0, facecolors=colour, alpha=alpha,
                             zorder=1.2)
        if chunk.due >= 0:
            axes.vlines(chunk.due, row - 0.46, row + 0.46, color=INK, linewidth=1.6, zorder=1.4)
    seen = [(chunk.seen, row) for row, chunk in enumerate(shown)]
    axes.plot(*zip(*seen, strict=True), "o", color=FAINT, markersize=3.2, zorder=1.3)
    for fate, colour in ((Fate.REJECTED, RED), (Fate.SUPERSEDED, FAINT)):
        crossed = [(max(chunk.due, chunk.first) + 0.5, row) for row, chunk in enumerate(shown)
                   if chunk.fate is fate]
        if crossed:
            axes.plot(*zip(*crossed, strict=True), "x", color=colour, markersize=5,
                      markeredgewidth=1.6, zorder=1.5)
    every = 1 + (len(shown) - 1) // _MOST_LABELS
    axes.set_yticks(range(0, len(shown), every), [f"{chunk.seen}" for chunk in shown[::every]])
    axes.set(xlim=(window.begin, window.end), ylim=(len(shown) - 0.4, -0.6), xlabel="tick",
             ylabel="chunk of the observation of tick")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.ticklabel_format(axis="x", useOffset=False)
    axes.grid(False)


def runs(ticks: list[int]) -> list[tuple[int, int]]:
    """Return where ticks that follow each other begin, and how many they are."""
    if not ticks:
        return []
    parts = np.split(np.array(ticks), np.flatnonzero(np.diff(ticks) != 1) + 1)
    return [(int(part[0]), len(part)) for part in parts]


def _keys(window: Window) -> list[Key]:
    chunks = window.chunks
    fates = {chunk.fate for chunk in chunks}
    keys = [Key(BLUE, "rows that acted")]
    if any(chunk.averaged for chunk in chunks):
        keys.append(Key(SKY, "rows of older chunks that took part in the mean", "pale"))
    if any(chunk.tails for chunk in chunks):
        keys.append(Key(ORANGE, "tail: rows that acted though a newer chunk was promised"))
    keys += [Key(STARTUP, "rows that did not", "pale"),
             Key(FAINT, "its observation, and until it may act", "dot")]
    if any(chunk.due >= 0 for chunk in chunks):
        keys.append(Key(INK, "the tick that it was promised for", "line"))
    if Fate.REJECTED in fates:
        keys.append(Key(RED, "rejected", "cross"))
    if Fate.SUPERSEDED in fates:
        keys.append(Key(FAINT, "never acted: a newer one did", "cross"))
    return keys + [Key(CAUSE_COLOUR[cause], CAUSE_WORDS[cause], "pale")
                   for cause in sorted(set(window.others.values()))]
