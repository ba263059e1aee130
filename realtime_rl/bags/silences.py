"""Where a recording cannot tell of the actuator: while none was there, and at its end."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.figures.statistics import Flags, Ints, Sessions
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.messages.table import Table
from realtime_rl.core.types import Cause

_TAIL_TICKS, _TAIL_NS = 2, 20_000_000
"""A tick's verdict comes after it, so that the last ones, so many or so long, may lie outside the
recording."""
_SILENT_TICKS = 3
"""Ticks in a row without a command, from which on the actuator was not there."""


def spans_without_commands(sessions: Sessions, longest: int) -> list[tuple[int, int]]:
    """Stamps [ns] of observations whose actions met no actuator, in order.

    It fell silent up to `longest` ticks after: it had died, hung, or was not yet known.
    """
    spans: list[tuple[int, int]] = []
    for first, last in _silences(sessions):
        begin_ns = max(-1, first.stamp_ns - (longest + tail_ticks(first)) * first.period_ns)
        if spans and begin_ns <= spans[-1][1]:
            spans[-1] = spans[-1][0], last.stamp_ns
        else:
            spans.append((begin_ns, last.stamp_ns))
    return spans


def _silences(sessions: Sessions) -> Iterator[tuple[Timestep, Timestep]]:
    """First and last tick of the times at which nobody commanded; a late command is none."""
    ticks = sessions.ticks
    silent = ticks.equal("cause", Cause.NONE)
    together = np.zeros(len(ticks), np.bool_)
    together[1:] = sessions.together() & silent[:-1]
    begins = np.flatnonzero(silent & ~together)
    ends = np.flatnonzero(silent & ~np.append(together[1:] & silent[1:], False))
    long = ends - begins >= _SILENT_TICKS - 1
    for begin, end in zip(begins[long].tolist(), ends[long].tolist(), strict=True):
        yield ticks[begin], ticks[end]


def within(spans: list[tuple[int, int]], stamps_ns: Ints) -> Flags:
    """Whether each stamp is in one of some spans, which are in order."""
    if not spans:
        return np.zeros(stamps_ns.size, np.bool_)
    begins, ends = np.array(spans, np.int64).T
    at = np.searchsorted(begins, stamps_ns, side="right")
    return np.asarray((at > 0) & (stamps_ns <= ends[at - 1]))


def tail_ticks(step: Timestep) -> int:
    """How many ticks at the end of a recording may lack their verdicts."""
    return max(_TAIL_TICKS, -(-_TAIL_NS // step.period_ns))


def tails(ticks: Table[Timestep], rows: NDArray[np.intp]) -> Ints:
    """Return `tail_ticks` of some rows."""
    return np.maximum(_TAIL_TICKS, -(-_TAIL_NS // ticks.ints("period_ns")[rows]))
