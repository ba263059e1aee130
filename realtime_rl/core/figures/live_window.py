"""The newest records of a graph, and what is to be said of them: all that the monitor decides."""

from __future__ import annotations

import math
from collections import deque
from typing import Generic, TypeVar

import numpy as np

from realtime_rl.core.figures.accounting import RunRecords, account
from realtime_rl.core.figures.counters import Totals, names_of
from realtime_rl.core.figures.health import Health, assess
from realtime_rl.core.figures.present import Present, still_s
from realtime_rl.core.messages.records import (
    Inference,
    Learning,
    RobotRecord,
    ScheduleRecord,
    Timestep,
    Verdict,
)
from realtime_rl.core.messages.table import Table
from realtime_rl.core.types import Cause

Record = TypeVar("Record")
_EPISODES = 10
_TURNED = 4096
"""Records that are turned into columns together, at most."""
_MOST = 100_000
"""Records of a kind that are kept at most, whatever is sent: ten seconds at 10 kHz."""


class _Recent(Generic[Record]):
    """Records of the last so many seconds."""

    def __init__(self, span_ns: int) -> None:
        self._span_ns = span_ns
        self._kept: deque[tuple[int, Record]] = deque(maxlen=_MOST)

    def add(self, record: Record, now_ns: int) -> None:
        self._kept.append((now_ns, record))
        self._forget(now_ns)

    def kept(self, now_ns: int) -> list[tuple[int, Record]]:
        """With the time at which each was taken in."""
        self._forget(now_ns)
        return list(self._kept)

    def _forget(self, now_ns: int) -> None:
        while self._kept and self._kept[0][0] < now_ns - self._span_ns:
            self._kept.popleft()


class _RecentRecords(Generic[Record]):
    """The same of records, in columns: only those that came since the last look are turned."""

    def __init__(self, kind: type[Record], span_ns: int) -> None:
        self._kind = kind
        self._span_ns = span_ns
        self._new: list[Record] = []
        self._new_ns: list[int] = []
        self._table = Table.of(kind, ())
        self._times_ns = np.zeros(0, np.int64)

    def add(self, record: Record, now_ns: int) -> None:
        self._new.append(record)
        self._new_ns.append(now_ns)
        if len(self._new) >= _TURNED:
            self.records(now_ns)

    def records(self, now_ns: int) -> Table[Record]:
        times_ns = np.append(self._times_ns, np.array(self._new_ns, np.int64))
        kept = times_ns >= now_ns - self._span_ns
        kept[:-_MOST] = False
        old, new = self._times_ns.size, Table.of(self._kind, self._new)
        self._table = Table.joined(self._kind, [self._table.where(kept[:old]),
                                                new.where(kept[old:])])
        self._times_ns, self._new, self._new_ns = times_ns[kept], [], []
        return self._table


class LiveWindow:
    """Keeps what the figures of the last seconds need, and of all else only the newest."""

    def __init__(self, span_ns: int) -> None:
        """Say what holds of the last `span_ns`."""
        self._span_ns = span_ns
        self._timesteps = _RecentRecords(Timestep, span_ns)
        self._verdicts = _RecentRecords(Verdict, span_ns)
        # an action follows its inference
        self._inferences = _RecentRecords(Inference, 2 * span_ns)
        self._schedule: ScheduleRecord | None = None
        self._learning: Learning | None = None
        self._learning_at_ns = 0
        self._returns: deque[float] = deque(maxlen=_EPISODES)
        self._return = 0.0
        self._version = -1
        self._acts_since_ns: int | None = None
        self._robot: RobotRecord | None = None
        self._newest: Timestep | None = None
        self._newest_at_ns = 0
        self._standstills: _Recent[float] = _Recent(span_ns)
        self._operator_at_ns: int | None = None
        self._counted = Totals()

    def take(self, record: (Timestep | Verdict | Inference | ScheduleRecord | Learning
                            | RobotRecord), now_ns: int) -> None:
        """Take in a record that was received at `now_ns`, on one monotonic clock."""
        if isinstance(record, Timestep):
            self._timesteps.add(record, now_ns)
            self._follow(record, now_ns)
        elif isinstance(record, Verdict):
            self._verdicts.add(record, now_ns)
        elif isinstance(record, Inference):
            self._inferences.add(record, now_ns)
        elif isinstance(record, ScheduleRecord):
            self._schedule = record
        elif isinstance(record, RobotRecord):
            self._robot = record
        else:
            self._learning, self._learning_at_ns = record, now_ns

    def look(self, now_ns: int) -> list[Health]:
        """Say how each part of the graph is."""
        figures = account(RunRecords(
            self._timesteps.records(now_ns), self._verdicts.records(now_ns),
            self._inferences.records(now_ns),
            [self._schedule] if self._schedule is not None else []),
            started=self._acts_since_ns is not None
            and self._acts_since_ns < now_ns - self._span_ns)
        silent_s = (now_ns - self._learning_at_ns) / 1e9 if self._learning else math.nan
        return assess(figures, self._schedule, self._learning, self._returns, self._version,
                      learner_silent_s=silent_s, so_far=self._return, counted=self._counted.totals,
                      present=self._present(now_ns))

    def _present(self, now_ns: int) -> Present:
        stood = [(span_s, at_ns) for at_ns, span_s in self._standstills.kept(now_ns)]
        longest_s, ended_ns = max(stood, default=(0.0, now_ns))
        operator_ns = self._operator_at_ns
        return Present(self._newest, (now_ns - self._newest_at_ns) / 1e9, longest_s,
                       (now_ns - ended_ns) / 1e9,
                       math.nan if operator_ns is None else (now_ns - operator_ns) / 1e9,
                       self._robot)

    def _follow(self, step: Timestep, now_ns: int) -> None:
        """Add up an episode's reward, and note who acts, and whether the plant stood still."""
        newest = self._newest
        if newest is not None and step.tick == newest.tick + 1:
            span_s = (step.stamp_ns - newest.stamp_ns) / 1e9
            if span_s > still_s(step.period_ns):
                self._standstills.add(span_s, now_ns)
        self._newest, self._newest_at_ns = step, now_ns
        if step.cause is Cause.OPERATOR:
            self._operator_at_ns = now_ns
        if step.counters:
            self._counted.add(names_of(step.counted), step.counters, step.episode)
        self._return = step.reward if step.first else self._return + step.reward
        if step.last:
            self._returns.append(self._return)
        if step.cause is Cause.POLICY:
            self._version = step.version
            if self._acts_since_ns is None:
                self._acts_since_ns = now_ns
