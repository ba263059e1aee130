"""The records of a run in the order in which it happened, whatever the recorder's clock did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.enumerations import Fate
from realtime_rl.core.figures.accounting import RunRecords
from realtime_rl.core.figures.grids import on_one_grid_each
from realtime_rl.core.figures.statistics import Sessions, plant_sessions
from realtime_rl.core.messages.pairs import last_equal
from realtime_rl.core.messages.records import Inference, RobotRecord, Timestep, Verdict
from realtime_rl.core.messages.table import Table

_Ints = NDArray[np.int64]
_AT_ONCE_NS = 100_000_000
_MOST_AGE_S = 3600.0
"""No older action is told of; whatever a message says."""


def disordered(records: RunRecords) -> bool:
    """Whether the order of the records tells of restarts that the ticks' own stamps do not.

    The stamps of a plant rise, however a clock is set: they begin with the time at its start. What
    a stranger stamped otherwise is not put in order.
    """
    sessions = plant_sessions(records.timesteps)
    if len(sessions) < 2:
        return False
    by_stamp = _by_stamp(records)
    return (len(by_stamp) < len(sessions) and len(by_stamp.ticks) == len(sessions.ticks)
            and on_one_grid_each(by_stamp))


def began_together(steps: Table[Timestep], came_ns: Sequence[int]) -> bool:
    """Whether all ticks that are out of order came at once with the first ones.

    So it is where the middleware gave a late recorder the ticks of before in another order; that is
    no clock that was set back.

    Args:
        steps: in the order of the bag.
        came_ns: when each was recorded.
    """
    stamps_ns, at_ns = steps.ints("stamp_ns"), np.asarray(came_ns, np.int64)
    late = stamps_ns < np.maximum.accumulate(stamps_ns)
    return bool((np.abs(at_ns[late] - at_ns[0]) < _AT_ONCE_NS).all())


def ordered(records: RunRecords) -> RunRecords:
    """Order records by ticks and stamps: each where it was told of, as well as that is known.

    How long they were recorded for is what the stamps of the ticks span.
    """
    sessions, columns = _by_stamp(records), records.columns()
    reported_ns = _reported_ns(columns.verdicts, sessions)
    stamps_ns = sessions.ticks.ints("stamp_ns")
    return replace(
        records, timesteps=sessions.ticks,
        verdicts=columns.verdicts.take(np.argsort(reported_ns, kind="stable")),
        inferences=columns.inferences.take(np.argsort(_done_ns(columns.inferences),
                                                      kind="stable")),
        schedules=sorted(records.schedules, key=lambda each: each.stamp_ns),
        robots=_in_order(Table.of(RobotRecord, records.robots)),
        learnings=sorted(records.learnings, key=lambda each: each.stamp_ns),
        duration_s=int(np.ptp(stamps_ns)) / 1e9 if stamps_ns.size else None)


def _in_order(robots: Table[RobotRecord]) -> Table[RobotRecord]:
    return robots.take(np.argsort(robots.ints("stamp_ns"), kind="stable"))


def _by_stamp(records: RunRecords) -> Sessions:
    steps = records.columns().timesteps
    return plant_sessions(steps.take(np.argsort(steps.ints("stamp_ns"), kind="stable")))


def _reported_ns(verdicts: Table[Verdict], sessions: Sessions) -> _Ints:
    """When the actuator told of each action: of most with the tick that decided on it."""
    ticks, stamps_ns = sessions.ticks.ints("tick"), sessions.ticks.ints("stamp_ns")
    arrived_ns = verdicts.ints("stamp_ns") + _span_ns(verdicts.floats("age_s"))
    # superseded by what the next tick latched
    following = np.searchsorted(stamps_ns, arrived_ns)
    reported_ns = np.where(verdicts.equal("fate", Fate.SUPERSEDED),
                           np.append(stamps_ns, arrived_ns.max(initial=0))[following], arrived_ns)
    rows = last_equal(ticks, verdicts.ints("tick"))
    if len(sessions) > 1:
        row_of = np.maximum(0, np.searchsorted(stamps_ns, verdicts.ints("stamp_ns"), "right") - 1)
        rows = np.where(verdicts.equal("fate", Fate.APPLIED),
                        sessions.find(sessions.of_rows()[row_of], verdicts.ints("tick")), rows)
    decided = (rows >= 0) & (verdicts.ints("tick") >= 0)
    return np.where(decided, stamps_ns[rows], reported_ns)


def _done_ns(inferences: Table[Inference]) -> _Ints:
    return (inferences.ints("stamp_ns") + _span_ns(inferences.floats("age_s"))
            + _span_ns(inferences.floats("duration_s")))


def _span_ns(spans_s: NDArray[np.float64]) -> _Ints:
    """Return a time in ns; 0 where it is not known."""
    known = np.clip(np.nan_to_num(spans_s), -_MOST_AGE_S, _MOST_AGE_S)
    return np.rint(known * 1e9).astype(np.int64)
