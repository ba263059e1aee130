"""The graph without ROS and without a clock: the real core, stepped from event to event.

Workers, schedule, coordinator, arbiter and latch are the objects that the nodes wrap; only
messages and the operating system are missing. The records are those of a bag, so that the same
figures come of them. Same seed, same records.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from realtime_rl.core.control import default_policy
from realtime_rl.core.control.arbiter import Arbiter
from realtime_rl.core.control.arbiter_limits import ArbiterLimits
from realtime_rl.core.control.decision import Decision
from realtime_rl.core.control.latch import CommandLatch
from realtime_rl.core.enumerations import Miss
from realtime_rl.core.figures.accounting import RunRecords
from realtime_rl.core.messages.records import (
    ActionMessage,
    Inference,
    ScheduleRecord,
    Timestep,
    Verdict,
)
from realtime_rl.core.schedule.coordination import Coordination
from realtime_rl.core.schedule.coordination_policy import CoordinationPolicy
from realtime_rl.core.schedule.stagger import Schedule, workers_of_process
from realtime_rl.core.schedule.worker_pool import Finished, Slot, WorkerPool
from realtime_rl.core.types import ActionSpace
from realtime_rl.policies.latency import Latency

_LOOK_NS = 100_000_000
_SPACE = ActionSpace(("GO", "NOOP"), (1.0,))
_GO = (0.0,)


@dataclass(frozen=True, slots=True)
class VirtualGraph:
    """What runs."""

    coordination: CoordinationPolicy
    latency: Latency
    ticks: int
    schedule: Schedule | None = None
    """Followed from the first tick on instead of the coordinator's."""
    processes: int = 1
    transport_ns: int = 500_000
    """From a worker to the plant."""
    seed: int = 0


def run_virtual(graph: VirtualGraph, progress: Callable[[int], None] = lambda tick: None
                ) -> RunRecords:
    """Run a graph for its ticks; `progress` is told the tick now and then."""
    run = _Run(graph)
    for tick in range(graph.ticks):
        run.tick(tick)
        if tick % 256 == 0:
            progress(tick)
    return RunRecords(run.timesteps, run.verdicts, run.inferences, run.schedules,
                      duration_s=graph.ticks * graph.coordination.period_ns / 1e9)


class _Run:
    """The state of a run. Observations and schedules arrive at once, actions later."""

    def __init__(self, graph: VirtualGraph) -> None:
        self._graph = graph
        policy = graph.coordination
        self._period_ns = policy.period_ns
        self._coordination = Coordination(policy)
        first = graph.schedule or self._coordination.schedule
        self._pools: list[WorkerPool[int]] = [
            WorkerPool(workers_of_process(process, graph.processes, len(policy.workers)), first)
            for process in range(graph.processes)]
        self._in_flight: list[list[int]] = [[] for _ in self._pools]
        self._arbiter = Arbiter(_SPACE, default_policy.make("noop", _SPACE), ArbiterLimits(
            policy.period_ns, 1 << 20, policy.period_ns // 10, 0), 0)
        self._latch = CommandLatch(_SPACE)
        self._arrivals: list[tuple[int, int, ActionMessage]] = []
        self._rngs = [np.random.default_rng((graph.seed, index))
                      for index in range(graph.processes)]
        self._next_look_ns = 0
        self.timesteps: list[Timestep] = []
        self.verdicts: list[Verdict] = []
        self.inferences: list[Inference] = []
        self.schedules: list[ScheduleRecord] = []

    def tick(self, tick: int) -> None:
        """Let everything happen until a tick, then the tick."""
        now_ns = tick * self._period_ns
        self._advance(now_ns)
        command = self._latch.latch()
        step = Timestep.latching(
            command, stamp_ns=_stamp_ns(now_ns), tick=tick, period_ns=self._period_ns,
            first=tick == 0, plant="virtual")
        self.timesteps.append(step)
        self._carry_out(self._arbiter.on_timestep(step, now_ns))
        if self._graph.schedule is None and now_ns >= self._next_look_ns:
            self._next_look_ns += _LOOK_NS
            self._coordinate(now_ns)
        for process, pool in enumerate(self._pools):
            for slot in pool.on_observation(tick, _stamp_ns(now_ns), now_ns):
                self._start(process, slot, now_ns)

    def _advance(self, until_ns: int) -> None:
        while True:
            releases = [(due_ns, process) for process, pool in enumerate(self._pools)
                        if (due_ns := pool.next_due_ns()) is not None]
            arrival_ns = self._arrivals[0][0] if self._arrivals else until_ns + 1
            release_ns, process = min(releases, default=(until_ns + 1, 0))
            deadline_ns = self._arbiter.next_deadline_ns()
            deadline_ns = until_ns + 1 if deadline_ns is None else deadline_ns
            if min(arrival_ns, release_ns, deadline_ns) > until_ns:
                return
            if release_ns <= min(arrival_ns, deadline_ns):
                self._release(process, release_ns)
            elif arrival_ns <= deadline_ns:
                message = heapq.heappop(self._arrivals)[2]
                self._carry_out(self._arbiter.on_action(message, arrival_ns))
            else:
                self._carry_out(self._arbiter.on_deadline(deadline_ns))

    def _start(self, process: int, slot: Slot, now_ns: int) -> None:
        if slot.worker < 0:
            self._take(Inference.missed(
                slot, Miss.BUSY, node=_node(process), emulated=str(self._graph.latency)))
            return
        flying = self._in_flight[process]
        while flying and flying[0] <= now_ns:
            heapq.heappop(flying)
        duration_ns = max(1, self._graph.latency.sample(self._rngs[process], len(flying) + 1))
        heapq.heappush(flying, now_ns + duration_ns)
        self._pools[process].on_result(slot, now_ns, duration_ns, slot.tick)

    def _release(self, process: int, now_ns: int) -> None:
        pool = self._pools[process]
        for finished in pool.due(now_ns):
            self._leave(process, finished)
        for slot in pool.on_idle(now_ns):
            self._start(process, slot, now_ns)

    def _leave(self, process: int, finished: Finished[int]) -> None:
        slot = finished.slot
        message = ActionMessage.answering(slot, 0, _GO)
        arrival_ns = finished.release_ns + self._graph.transport_ns
        heapq.heappush(self._arrivals, (arrival_ns, len(self.inferences), message))
        self._take(Inference.taken(
            slot, Miss.NONE, version=0, age_s=0.0, compute_s=0.0,
            duration_s=(finished.end_ns - slot.start_ns) / 1e9, node=_node(process),
            provider="virtual", emulated=str(self._graph.latency)))

    def _take(self, record: Inference) -> None:
        self.inferences.append(record)
        if self._graph.schedule is None:
            self._coordination.on_inference(record)

    def _coordinate(self, now_ns: int) -> None:
        schedule = self._coordination.evaluate()
        if schedule is None:
            return
        for pool in self._pools:
            pool.set_schedule(schedule)
        self.schedules.append(self._coordination.record(
            _stamp_ns(now_ns), processes=self._graph.processes))

    def _carry_out(self, decision: Decision) -> None:
        for command in decision.commands:
            self._latch.offer(command)
        self.verdicts += decision.verdicts


def _node(process: int) -> str:
    return f"inference_{process}"


def _stamp_ns(now_ns: int) -> int:
    """Stamps begin at 1: a stamp of 0 says that there is none."""
    return now_ns + 1
