"""What chunks of actions gave: how old the feedback was, what bridged a late chunk, and seams."""

from __future__ import annotations

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.figures.statistics import Distribution, Sessions, distribution
from realtime_rl.core.messages.records import Inference, Timestep
from realtime_rl.core.messages.table import Table
from realtime_rl.core.types import Cause

_MOST_DIMENSIONS = 64


class ChunkFigures(TypedDict):
    """Of the ticks at which a chunk's row acted."""

    ticks: int
    chunks: int
    """That acted."""
    horizon: int | None
    """Ticks after its observation that the newest chunk had rows for."""
    every_ticks: Distribution
    """From one chunk to the next."""
    feedback_age_ticks: Distribution
    """From the observation that acted to the tick."""
    tail_ticks: int | None
    """At which an older chunk acted than was promised by then."""
    merged: Distribution
    """Chunks that took part in an action."""
    seam_step: Distribution
    """Largest change of a value where another chunk began to act; of discrete actions 0 or 1."""
    inner_step: Distribution
    """The same between two rows of one chunk."""
    prefix_settled: float | None
    """Share of the inferences that were told what acts until their chunk can, for which all of it
    was settled; not known where none was told."""


def chunk_figures(sessions: Sessions, inferences: Table[Inference]) -> ChunkFigures | None:
    """Return the figures; `None` where no chunk acted."""
    ticks = sessions.ticks
    rows = of_chunks(ticks)
    if not rows.any():
        return None
    answered, numbers = ticks.ints("observation_tick"), ticks.ints("tick")
    together = np.append(False, sessions.together() & (np.diff(numbers) == 1) & rows[:-1]) & rows
    seams = together.copy()
    seams[1:] &= np.diff(answered) != 0
    begins = np.flatnonzero(rows & ~(together & ~seams))
    parts = sessions.of_rows()[begins]
    gaps = np.diff(numbers[begins])[np.diff(parts) == 0]
    steps = _steps(ticks)
    horizons = inferences.ints("horizon")
    known = np.flatnonzero(horizons)
    return ChunkFigures(
        ticks=int(rows.sum()), chunks=int(np.unique(
            np.stack([sessions.of_rows()[rows], answered[rows]]), axis=1).shape[1]),
        horizon=int(horizons[known[-1]]) if known.size else None,
        every_ticks=distribution(gaps),
        feedback_age_ticks=distribution((numbers - answered)[rows]),
        tail_ticks=_tails(sessions, rows, inferences) if len(inferences) else None,
        merged=distribution(ticks.ints("merged")[rows]),
        seam_step=distribution(steps[seams]), inner_step=distribution(steps[together & ~seams]),
        prefix_settled=_settled(inferences) if len(inferences) else None)


def of_chunks(ticks: Table[Timestep]) -> NDArray[np.bool_]:
    """Where a chunk's row acted."""
    return ticks.equal("cause", Cause.POLICY) & (ticks.ints("row") >= 0)


def _steps(ticks: Table[Timestep]) -> NDArray[np.float64]:
    """Return the largest change of a value at each tick since the one before; NaN at the first."""
    values = ticks.rows("action", _MOST_DIMENSIONS)
    steps = np.full(len(ticks), np.nan)
    if values.shape[1]:
        steps[1:] = np.abs(np.diff(values, axis=0)).max(axis=1)
    return steps


def _settled(inferences: Table[Inference]) -> float | None:
    settled, due = inferences.ints("settled"), inferences.ints("due_tick")
    told = (settled >= 0) & (due >= 0)
    whole = settled >= due - inferences.ints("tick") - 1
    return float(whole[told].mean()) if told.any() else None


def _tails(sessions: Sessions, rows: NDArray[np.bool_], inferences: Table[Inference]) -> int:
    """Count the ticks at which a newer chunk was promised than the one that acted."""
    promised = inferences.where((inferences.ints("due_tick") >= 0)
                                & (inferences.ints("worker") >= 0))
    stamps_ns = promised.ints("stamp_ns")
    count = 0
    for part, ticks in enumerate(sessions):
        mine = rows[sessions.first_rows[part]:sessions.last_rows[part] + 1]
        begin, end = ticks.ints("stamp_ns")[[0, -1]].tolist()
        there = (begin <= stamps_ns) & (stamps_ns <= end)
        due, seen = promised.ints("due_tick")[there], promised.ints("tick")[there]
        if not due.size:
            continue
        order = np.argsort(due, kind="stable")
        newest = np.maximum.accumulate(seen[order])
        at = np.searchsorted(due[order], ticks.ints("tick")[mine], side="right") - 1
        wanted = np.where(at >= 0, newest[at], -1)
        count += int((ticks.ints("observation_tick")[mine] < wanted).sum())
    return count
