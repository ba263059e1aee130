"""The newest records of a graph, and what is to be said of them: all that the monitor decides."""

from __future__ import annotations

import math
from collections import deque
from typing import Generic, TypeVar

from realtime_rl.core.figures.accounting import RunRecords, account
from realtime_rl.core.figures.health import Health, assess
from realtime_rl.core.messages.records import Inference, Learning, ScheduleRecord, Timestep, Verdict
from realtime_rl.core.types import Cause

Record = TypeVar("Record")
_EPISODES = 10
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

    def records(self, now_ns: int) -> list[Record]:
        self._forget(now_ns)
        return [record for _, record in self._kept]

    def _forget(self, now_ns: int) -> None:
        while self._kept and self._kept[0][0] < now_ns - self._span_ns:
            self._kept.popleft()


class LiveWindow:
    """Keeps what the figures of the last seconds need, and of all else only the newest."""

    def __init__(self, span_ns: int) -> None:
        """Say what holds of the last `span_ns`."""
        self._timesteps: _Recent[Timestep] = _Recent(span_ns)
        self._verdicts: _Recent[Verdict] = _Recent(span_ns)
        # an action follows its inference
        self._inferences: _Recent[Inference] = _Recent(2 * span_ns)
        self._schedule: ScheduleRecord | None = None
        self._learning: Learning | None = None
        self._learning_at_ns = 0
        self._returns: deque[float] = deque(maxlen=_EPISODES)
        self._return = 0.0
        self._version = -1

    def take(self, record: Timestep | Verdict | Inference | ScheduleRecord | Learning,
             now_ns: int) -> None:
        """Take in a record that was received at `now_ns`, on one monotonic clock."""
        if isinstance(record, Timestep):
            self._timesteps.add(record, now_ns)
            self._follow(record)
        elif isinstance(record, Verdict):
            self._verdicts.add(record, now_ns)
        elif isinstance(record, Inference):
            self._inferences.add(record, now_ns)
        elif isinstance(record, ScheduleRecord):
            self._schedule = record
        else:
            self._learning, self._learning_at_ns = record, now_ns

    def look(self, now_ns: int) -> list[Health]:
        """Say how each part of the graph is."""
        figures = account(RunRecords(
            self._timesteps.records(now_ns), self._verdicts.records(now_ns),
            self._inferences.records(now_ns),
            [self._schedule] if self._schedule is not None else []),
            started=self._version >= 0)
        silent_s = (now_ns - self._learning_at_ns) / 1e9 if self._learning else math.nan
        return assess(figures, self._schedule, self._learning, self._returns, self._version,
                      learner_silent_s=silent_s, so_far=self._return)

    def _follow(self, step: Timestep) -> None:
        """Add up an episode's reward, and note whose policy acts."""
        self._return = step.reward if step.first else self._return + step.reward
        if step.last:
            self._returns.append(self._return)
        if step.cause is Cause.POLICY:
            self._version = step.version
