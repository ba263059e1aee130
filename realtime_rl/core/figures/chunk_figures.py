"""What chunks of actions gave: how old the feedback was, what bridged a late chunk, and seams."""

from __future__ import annotations

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.figures.seams import SeamSizes, begins, follows, of_chunks
from realtime_rl.core.figures.statistics import Distribution, Flags, Sessions, distribution
from realtime_rl.core.messages.records import Inference, Timestep
from realtime_rl.core.messages.table import Table

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
    seams: int
    """Ticks at which another chunk began to act, right after one."""
    seam_step: Distribution
    """What acted there less what the chunk before had for the same tick, the largest of its values:
    of the seams at which that is known, as `n` says."""
    inner_step: Distribution
    """Largest change of a value from one tick to the next within a chunk."""


def chunk_figures(sessions: Sessions, inferences: Table[Inference], sizes: SeamSizes
                  ) -> ChunkFigures | None:
    """Return the figures, with the sizes of the seams that are known; `None`: no chunk acted."""
    ticks = sessions.ticks
    rows = of_chunks(ticks)
    if not rows.any():
        return None
    answered, numbers = ticks.ints("observation_tick"), ticks.ints("tick")
    together, seams = follows(sessions), begins(sessions)
    first = np.flatnonzero(rows & ~(together & ~seams))
    parts = sessions.of_rows()[first]
    gaps = np.diff(numbers[first])[np.diff(parts) == 0]
    known = [sizes[stamp] for stamp in ticks.ints("stamp_ns")[seams].tolist() if stamp in sizes]
    return ChunkFigures(
        ticks=int(rows.sum()), chunks=int(np.unique(
            np.stack([sessions.of_rows()[rows], answered[rows]]), axis=1).shape[1]),
        horizon=_horizon(inferences),
        every_ticks=distribution(gaps),
        feedback_age_ticks=distribution((numbers - answered)[rows]),
        tail_ticks=int(tails(sessions, inferences).sum()) if len(inferences) else None,
        merged=distribution(ticks.ints("merged")[rows]),
        seams=int(seams.sum()), seam_step=distribution(known),
        inner_step=distribution(_steps(ticks)[together & ~seams]))


def _horizon(inferences: Table[Inference]) -> int | None:
    horizons = inferences.ints("horizon")
    known = np.flatnonzero(horizons)
    return int(horizons[known[-1]]) if known.size else None


def _steps(ticks: Table[Timestep]) -> NDArray[np.float64]:
    """Return the largest change of a value at each tick since the one before; NaN at the first."""
    values = ticks.rows("action", _MOST_DIMENSIONS)
    steps = np.full(len(ticks), np.nan)
    if values.shape[1]:
        steps[1:] = np.abs(np.diff(values, axis=0)).max(axis=1)
    return steps


def tails(sessions: Sessions, inferences: Table[Inference]) -> Flags:
    """Say of each tick whether a chunk acted there though a newer one was promised by then."""
    promised = inferences.where((inferences.ints("due_tick") >= 0)
                                & (inferences.ints("worker") >= 0))
    stamps_ns = promised.ints("stamp_ns")
    found = of_chunks(sessions.ticks)
    for part, ticks in enumerate(sessions):
        mine = slice(int(sessions.first_rows[part]), int(sessions.last_rows[part]) + 1)
        begin, end = ticks.ints("stamp_ns")[[0, -1]].tolist()
        there = (begin <= stamps_ns) & (stamps_ns <= end)
        due, seen = promised.ints("due_tick")[there], promised.ints("tick")[there]
        order = np.argsort(due, kind="stable")
        newest = np.append(-1, np.maximum.accumulate(seen[order]))
        wanted = newest[np.searchsorted(due[order], ticks.ints("tick"), side="right")]
        found[mine] &= ticks.ints("observation_tick") < wanted
    return found
