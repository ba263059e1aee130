"""Processes with real computing that stand still now and then, and the coordinator over them."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field

from realtime_rl.core.enumerations import Miss
from realtime_rl.core.messages.records import Inference, Timestep
from realtime_rl.core.schedule.coordination import Coordination
from realtime_rl.core.schedule.coordination_policy import CoordinationPolicy
from realtime_rl.core.schedule.stagger import Schedule, workers_of_process
from realtime_rl.core.schedule.worker_pool import Slot, WorkerPool
from realtime_rl.core.types import Cause

MS = 1_000_000
PERIOD_NS = 16_742_706
LOOK_NS = 100 * MS
START_NS = 10**15


@dataclass
class PausingGraph:
    """Stepped by ticks. Nothing happens in a process while it stands still."""

    policy: CoordinationPolicy
    duration_ms: Callable[[int], float]
    """Of the inference on a tick."""
    pauses_s: dict[int, list[tuple[float, float]]] = field(default_factory=dict)
    """Of each process: from when to when."""
    processes: int = 1
    waiting: int = 0
    """Observations, the first of a pause, that a process finds waiting at its end."""
    tells_ticks: bool = True
    """Whether the coordinator hears the plant."""
    told: list[tuple[float, Schedule]] = field(default_factory=list)
    """Every schedule, and when [s]."""
    delays: list[int] = field(default_factory=list)
    """`D` at each look."""

    def __post_init__(self) -> None:
        self.coordination = Coordination(self.policy)
        self._pools: list[WorkerPool[tuple[int, int]]] = [
            WorkerPool(workers_of_process(process, self.processes, len(self.policy.workers)),
                       self.coordination.schedule)
            for process in range(self.processes)]
        self._ends: list[tuple[int, int, int, Slot]] = []
        self._reports: list[tuple[int, int, Inference]] = []

    def run(self, seconds: float) -> PausingGraph:
        period_ns = self.policy.period_ns
        next_look_ns = 0
        for tick in range(round(seconds * 1e9 / period_ns)):
            now_ns = tick * period_ns
            self._compute(now_ns)
            for process, pool in enumerate(self._pools):
                if self._resumes_ns(process, now_ns) == now_ns:
                    for seen in (*self._waited(process, tick), tick):
                        for slot in pool.on_observation(seen, START_NS + seen * period_ns, now_ns):
                            self._begin(process, slot, now_ns)
            self._report(now_ns)
            if now_ns >= next_look_ns:
                next_look_ns += LOOK_NS
                self._look(now_ns)
        return self

    def _resumes_ns(self, process: int, now_ns: int) -> int:
        for begin_s, end_s in self.pauses_s.get(process, []):
            if begin_s * 1e9 <= now_ns < end_s * 1e9:
                return round(end_s * 1e9)
        return now_ns

    def _waited(self, process: int, tick: int) -> range:
        """Ticks whose observations waited until this one."""
        before_ns = (tick - 1) * self.policy.period_ns
        if self._resumes_ns(process, before_ns) == before_ns:
            return range(0)
        begin_s = max(begin for begin, _ in self.pauses_s[process] if begin * 1e9 <= before_ns)
        first = math.ceil(begin_s * 1e9 / self.policy.period_ns)
        return range(first, min(tick, first + self.waiting))

    def _begin(self, process: int, slot: Slot, now_ns: int) -> None:
        if slot.worker < 0:
            self._tell(process, slot, now_ns, math.nan, Miss.BUSY)
            return
        end_ns = now_ns + round(self.duration_ms(slot.tick) * MS)
        for begin_s, resume_s in self.pauses_s.get(process, []):
            if now_ns < begin_s * 1e9 < end_ns:
                end_ns += round((resume_s - begin_s) * 1e9)
        heapq.heappush(self._ends, (end_ns, slot.tick, process, slot))

    def _compute(self, until_ns: int) -> None:
        while self._ends and self._ends[0][0] <= until_ns:
            end_ns, tick, process, slot = heapq.heappop(self._ends)
            self._pools[process].on_result(slot, end_ns, 0, (tick, end_ns))
        for process, pool in enumerate(self._pools):
            if self._resumes_ns(process, until_ns) == until_ns:
                for finished in pool.due(until_ns):
                    taken_s = (finished.end_ns - finished.slot.start_ns) / 1e9
                    self._tell(process, finished.slot, until_ns, taken_s, Miss.NONE)

    def _tell(self, process: int, slot: Slot, now_ns: int, duration_s: float, miss: Miss) -> None:
        age_s = (math.nan if miss is Miss.BUSY
                 else (slot.start_ns - slot.tick * self.policy.period_ns) / 1e9)
        record = Inference(slot.stamp_ns, slot.tick, slot.due_tick, slot.worker, slot.generation,
                           1, age_s, duration_s, duration_s, miss, False, math.nan,
                           f"inference_{process}")
        heapq.heappush(self._reports, (now_ns + MS, slot.tick, record))

    def _report(self, now_ns: int) -> None:
        while self._reports and self._reports[0][0] <= now_ns:
            at_ns, _, record = heapq.heappop(self._reports)
            if self.tells_ticks and record.tick > self.coordination.plant_tick:
                self._tell_tick(now_ns)
            assert self.coordination.on_inference(record, at_ns) is None

    def _tell_tick(self, now_ns: int) -> None:
        tick = now_ns // self.policy.period_ns
        if tick > self.coordination.plant_tick:
            self.coordination.on_timestep(Timestep(
                START_NS + tick * self.policy.period_ns, tick, self.policy.period_ns, 0.0, False,
                0, 0.0, 1.0, False, False, Cause.POLICY, 0, 1, 0, (0.0,)), now_ns)

    def _look(self, now_ns: int) -> None:
        if self.tells_ticks:
            self._tell_tick(now_ns)
        schedule = self.coordination.evaluate()
        if schedule is not None:
            self.told.append((now_ns / 1e9, schedule))
            for pool in self._pools:
                pool.set_schedule(schedule)
        self.delays.append(self.coordination.schedule.promised_delay_ticks)
