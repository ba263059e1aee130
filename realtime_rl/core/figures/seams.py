"""Seams: by how much an action changed because another chunk began to act, at that very tick.

At the first tick of a newer chunk, right after a tick of another one, its seam is what acted less
the row that the chunk before had for the same tick. Where that one's rows had ended, there is no
seam to speak of.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.figures.statistics import Sessions, plant_sessions
from realtime_rl.core.messages.records import ActionMessage, Timestep
from realtime_rl.core.messages.table import Table
from realtime_rl.core.types import Action, Cause

SeamSizes = Mapping[int, float]
"""By the stamp of the tick at which another chunk began: the largest change of a value, in the
action's units; of a choice, of its number."""


def of_chunks(ticks: Table[Timestep]) -> NDArray[np.bool_]:
    """Where a chunk's row acted."""
    return ticks.equal("cause", Cause.POLICY) & (ticks.ints("row") >= 0)


def follows(sessions: Sessions) -> NDArray[np.bool_]:
    """Where a chunk's row acted, and one did at the tick before, too."""
    rows = of_chunks(sessions.ticks)
    ticks = sessions.ticks.ints("tick")
    return np.append(False, sessions.together() & (np.diff(ticks) == 1) & rows[:-1]) & rows


def begins(sessions: Sessions) -> NDArray[np.bool_]:
    """Where another chunk began to act, right after one."""
    found = follows(sessions)
    found[1:] &= np.diff(sessions.ticks.ints("observation_tick")) != 0
    return found


class _Asked(NamedTuple):
    """What is to be known of the chunk that acted before a seam."""

    stamp_ns: int
    """Of the seam's tick."""
    tick: int
    action: Action
    """That acted there."""


class Seams:
    """Which rows of which chunks tell the sizes of a run's seams, and these sizes.

    Only the rows that are asked for are looked at, so that hours of chunks need not be kept.
    """

    def __init__(self, timesteps: Sequence[Timestep]) -> None:
        """Find where another chunk began."""
        sessions = plant_sessions(timesteps)
        ticks, parts = sessions.ticks, sessions.of_rows()
        at = np.flatnonzero(begins(sessions))
        seen = sessions.find(parts[at - 1], ticks.ints("observation_tick")[at - 1])
        at, seen = at[seen >= 0], seen[seen >= 0]
        observed = ticks.ints("stamp_ns")[seen].tolist()
        workers = ticks.ints("worker")[at - 1].tolist()
        self._asked: dict[tuple[int, int], list[_Asked]] = {}
        for stamp_ns, worker, step in zip(observed, workers, ticks.take(at), strict=True):
            self._asked.setdefault((stamp_ns, worker), []).append(
                _Asked(step.stamp_ns, step.tick, step.action))
        self._stamps_ns = set(observed)
        self.sizes: dict[int, float] = {}
        """What is known so far."""
        self.width = max((len(each.action) for asked in self._asked.values() for each in asked),
                         default=0)
        """Values of an action; 0: there is no seam."""

    def wants(self, stamp_ns: int) -> bool:
        """Whether the chunk of the observation of that stamp is asked for."""
        return stamp_ns in self._stamps_ns

    def take(self, message: ActionMessage) -> None:
        """Take in a chunk, whether or not it is asked for."""
        for asked in self._asked.get((message.stamp_ns, message.worker), ()):
            place = asked.tick - message.first_tick
            if message.first_tick >= 0 and 0 <= place < len(message.rows):
                size = _size(asked.action, message.rows[place])
                if size is not None:
                    self.sizes[asked.stamp_ns] = size


def sizes_of(timesteps: Sequence[Timestep], chunks: Iterable[ActionMessage]) -> SeamSizes:
    """Return the sizes of a run's seams, of which all chunks are at hand."""
    seams = Seams(timesteps)
    for chunk in chunks:
        seams.take(chunk)
    return seams.sizes


def _size(action: Action, row: Action) -> float | None:
    if len(action) != len(row) or not all(map(math.isfinite, (*action, *row))):
        return None
    return max(abs(one - other) for one, other in zip(action, row, strict=True))
