"""The work of one inference process without its topics: slots in, actions and records out.

The thread that calls the engine deals slots; a pool of threads computes, and ONNX Runtime lets
go of the GIL meanwhile. Times come in as arguments, but for the one that a computation takes.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.control.exploration import explore_rows
from realtime_rl.core.enumerations import Algorithm, Miss, SlotSource
from realtime_rl.core.experience.gathering import Lost
from realtime_rl.core.messages.records import ActionMessage, Inference
from realtime_rl.core.observations import Observation
from realtime_rl.core.schedule.batch import Batch
from realtime_rl.core.schedule.slot_watch import SlotWatch, limit_ns
from realtime_rl.core.schedule.stagger import ALONE, EAGER, Schedule
from realtime_rl.core.schedule.worker_pool import Finished, Slot, WorkerPool
from realtime_rl.policies.computation import Begun, Computed, Rows, SlotRecords, Work, answer
from realtime_rl.policies.compute_threads import ComputeThreads
from realtime_rl.policies.engine_config import EngineConfig
from realtime_rl.policies.hot_swap import HotSwap, Swap
from realtime_rl.policies.inputs_so_far import InputsSoFar
from realtime_rl.policies.onnx_policy import OnnxPolicy
from realtime_rl.policies.stop import Stop

_END_S = 1.0
"""At the end, computations that were asked to end are waited for so long."""


class InferenceEngine:
    """Staggered workers of one policy. All methods but the computation run in one thread."""

    def __init__(self, config: EngineConfig, schedule: Schedule,
                 policies: HotSwap[OnnxPolicy], wake: Callable[[], None],
                 *, prepare_thread: Callable[[], None] = lambda: None,
                 on_trouble: Callable[[str], None] = lambda text: None) -> None:
        """Begin with `schedule`.

        Args:
            config: what stays.
            schedule: to begin with.
            policies: where the policy in use comes from.
            wake: called, from any thread, when a result is there that nobody comes for.
            prepare_thread: called first in every computing thread, as to set its priority.
            on_trouble: told, from any thread, of what does not end anything.
        """
        self._config = config
        self._policies = policies
        self._wake = wake
        self.pool: WorkerPool[Computed] = WorkerPool(config.workers, schedule)
        self.inputs = InputsSoFar()
        """What inferences are fed with."""
        self._batch: Batch[Work] = Batch(config.batch)
        self._seen = (0, 0)
        self.newest: tuple[int, int] | None = None
        """Tick and stamp [ns] of the newest observation."""
        self._rng = np.random.default_rng((config.seed, *config.workers))
        self._computed: deque[tuple[Slot, int, Computed]] = deque()
        self._records = SlotRecords(config.node, config.latency, config.exploration)
        self._threads = ComputeThreads(prepare_thread, on_trouble)
        self._on_trouble = on_trouble
        self._watch = SlotWatch()
        self._begun: dict[int, Begun] = {}
        """By worker, those in flight."""
        self._closed = False
        self._all_hang_since_ns: int | None = None
        self._used: Swap[OnnxPolicy] | None = None
        self._indices = {worker: index for index, worker in enumerate(config.workers)}

    def observe(self, tick: int, stamp_ns: int, first: bool, observation: Observation) -> None:
        """Take an observation in, without starting anything."""
        self.newest = (tick, stamp_ns)
        self.inputs.observe(tick, first, observation, self._policy)

    @property
    def _policy(self) -> OnnxPolicy | None:
        current = self._policies.current
        return None if current is None else current.policy

    @property
    def takes_goal(self) -> bool:
        """Whether the policy takes a goal: then call `aim` with each."""
        return self._policy is not None and self._policy.goal is not None

    def aim(self, goal: NDArray[Any]) -> str:
        """Take a goal for the inferences that begin from now on; return why not, or nothing."""
        return self.inputs.aim(goal, self._policy)

    def start(self, now_ns: int, age_ns: int) -> list[Inference]:
        """Start the slot of the newest observation, if it is one; return the slots missed.

        Args:
            now_ns: the time, monotonic.
            age_ns: age of the newest observation, which only ROS time tells.
        """
        self.collect()
        current = self._usable()
        self._seen = (now_ns, age_ns)
        if current is None or self.newest is None:
            return []
        missed = []
        for slot in self.pool.on_observation(*self.newest, now_ns):
            if slot.worker < 0:
                missed.append(self._records.missed(slot, Miss.BUSY, self._policies.loading))
            else:
                self._submit(slot, current, age_ns)
        self._run_if_due(now_ns)
        return missed

    def lost(self, lost: Lost, now_ns: int) -> list[Inference]:
        """An observation lacks a part and is given up: return the slots missed.

        Call it before a later one is observed.
        """
        if self.pool.schedule_at(lost.tick).slot_source is SlotSource.TIMER:
            return []
        return [self._records.missed(slot, Miss.LACKING if slot.tick == lost.tick else Miss.BUSY,
                                     self._policies.loading)
                for slot in self.pool.on_lost(lost.tick, lost.stamp_ns, now_ns)]

    def start_worker(self, worker: int, now_ns: int, age_ns: int) -> list[Inference]:
        """A worker's timer fired: start it on the newest observation; return the slot if missed."""
        self.collect()
        current = self._usable()
        if current is None or self.newest is None:
            return []
        slot, miss = self.pool.on_timer(worker, *self.newest, now_ns)
        if miss is not Miss.NONE:
            return [self._records.missed(slot, miss, self._policies.loading)]
        self._submit(slot, current, age_ns)
        self._run_if_due(now_ns)
        return []

    def collect(self) -> None:
        """Take the finished computations in; call it after `wake`."""
        while self._computed:
            slot, end_ns, computed = self._computed.popleft()
            del self._begun[slot.worker]
            if not self._watch.end(slot):
                self.pool.back(slot, end_ns)
                self._on_trouble(f"worker {slot.worker} is back after "
                                 f"{(end_ns - slot.start_ns) / 1e9:.1f} s: what it computed is "
                                 "dropped")
                continue
            in_flight = self.pool.busy(slot.start_ns)  # this one, and those it has to share with
            taken_ns = self._config.latency.sample(self._rng, in_flight)
            before_ns, after_ns = self._learning(slot)
            self.pool.on_result(slot, end_ns, taken_ns + before_ns, computed, after_ns,
                                held=not computed.begun.swap.policy.horizon)

    def overdue(self, now_ns: int) -> list[tuple[Inference, str]]:
        """Write off the computations that hang; return their records, and what to say of each.

        Call it at least every `slot_watch.LOOK_NS`. Each is asked to end; its worker takes slots
        again if it does.
        """
        self.collect()
        found = []
        for slot in self._watch.overdue(now_ns):
            self.pool.write_off(slot)
            begun = self._begun[slot.worker]
            begun.stop.ask()
            self.inputs.part()
            took_ns = now_ns - slot.start_ns
            found.append((
                self._records.taken(slot, begun, took_ns, took_ns, Miss.FAILED,
                                    swapping=self._policies.loading),
                f"worker {slot.worker} hangs: version {begun.swap.policy.version} of the policy "
                f"has computed for {took_ns / 1e9:.1f} s (slot_limit); the others take its slots"))
        return found

    def hung_for_ns(self, now_ns: int) -> int:
        """How long all workers have been hanging, so that nobody takes a slot; 0: not all do."""
        if self.pool.hung < len(self._config.workers):
            self._all_hang_since_ns = None
            return 0
        if self._all_hang_since_ns is None:
            self._all_hang_since_ns = now_ns - 1
        return now_ns - self._all_hang_since_ns

    def next_due_ns(self) -> int | None:
        """When an action must leave, or a run begin; `None` when none waits."""
        times = [time_ns for time_ns in (self.pool.next_due_ns(), self._batch.due_ns())
                 if time_ns is not None]
        return min(times, default=None)

    def due(self, now_ns: int) -> list[tuple[ActionMessage | None, Inference, str]]:
        """Return what leaves now: the action (if there is one), the record, and any error."""
        self.collect()
        self._run_if_due(now_ns)
        return [self._leave(finished) for finished in self.pool.due(now_ns)]

    def start_idle(self, now_ns: int) -> None:
        """Baselines: start the workers that are free; call it when `next_due_ns` has come."""
        current = self._usable()
        if current is None:
            return
        arrived_ns, age_ns = self._seen
        for slot in self.pool.on_idle(now_ns):
            self._submit(slot, current, age_ns + now_ns - arrived_ns)

    def close(self) -> int:
        """End the computations under way; return how many threads hang in one all the same."""
        self._closed = True
        for begun in self._begun.values():
            begun.stop.ask()
        return self._threads.close(_END_S)

    def _learning(self, slot: Slot) -> tuple[int, int]:
        """Time that a sequential worker learns before its inference and after it [ns]."""
        config = self._config
        if slot.schedule.algorithm is not Algorithm.SEQUENTIAL or config.learning_order == "none":
            return 0, 0
        learns_first = config.learning_order == "before"
        return (config.learning_ns, 0) if learns_first else (0, config.learning_ns)

    def _usable(self) -> Swap[OnnxPolicy] | None:
        """The policy in use, once it has a goal where it takes one."""
        current = self._policies.current
        return (None if current is None or self.inputs.lacks_goal(current.policy)
                else current)

    def _submit(self, slot: Slot, current: Swap[OnnxPolicy], age_ns: int) -> None:
        first_use, self._used = current is not self._used, current
        if first_use:
            self._run_batch()  # of the policy before
        stop = self._batch.waiting[0].begun.stop if self._batch.waiting else Stop()
        promised = self.inputs.promised(slot.tick, slot.due_tick, current.policy)
        begun = self._begun[slot.worker] = Begun(
            current, age_ns, first_use, stop,
            self.inputs.memory(current.policy, anew=first_use), promised)
        self._watch.begin(slot, slot.start_ns, limit_ns(
            self._config.slot_limit_ns, current.policy.alone_ns, len(self._config.workers))
            + (self._batch.size - 1) * slot.schedule.period_ns)
        self._batch.add(slot, Work(slot, begun, self.inputs.seen(slot.tick, current.policy,
                                                            promised)))
        if slot.schedule.algorithm in (*EAGER, *ALONE):
            self._run_batch()  # a baseline's workers wait for nobody

    def _run_if_due(self, now_ns: int) -> None:
        if self.newest is not None and self._batch.is_due(self.newest[0], now_ns):
            self._run_batch()

    def _run_batch(self) -> None:
        works = self._batch.take()
        if works:
            lane = self._indices[works[0].slot.worker]
            self._threads.submit(partial(self._compute, works, lane),
                                 lane if self._config.pinned else None)

    def _compute(self, works: list[Work], lane: int) -> None:
        """Runs in one of the threads."""
        begin_ns = time.monotonic_ns()
        answers = answer(works, lane, self._explored)
        end_ns = time.monotonic_ns()
        for work, (rows, error) in zip(works, answers, strict=True):
            self._computed.append((work.slot, end_ns, Computed(
                rows, work.begun, end_ns - begin_ns, self._policies.loading, error)))
        leaves_at_once = works[0].begun.swap.policy.horizon or any(
            time.monotonic_ns() >= work.slot.planned_ns for work in works)
        if leaves_at_once and not self._closed:
            self._wake()  # else `next_due_ns` brings the other thread here in time

    def _explored(self, work: Work, rows: Rows) -> Rows:
        policy, config = work.begun.swap.policy, self._config
        return explore_rows(
            rows, work.slot.tick + (policy.first_offset if policy.horizon else 0),
            config.exploration.epsilon(policy.epsilon), hold_ticks=config.exploration_hold,
            seed=config.seed, actions=config.actions)

    def _leave(self, finished: Finished[Computed]
               ) -> tuple[ActionMessage | None, Inference, str]:
        slot, computed = finished.slot, finished.result
        message = None
        if computed.rows:
            policy = computed.begun.swap.policy
            message = (ActionMessage.chunk(slot, policy.version, computed.rows,
                                           slot.tick + policy.first_offset) if policy.horizon
                       else ActionMessage.answering(slot, policy.version, computed.rows[0]))
        miss = Miss.NONE if message is not None else Miss.FAILED
        return message, self._records.taken(
            slot, computed.begun, finished.end_ns - slot.start_ns, computed.compute_ns, miss,
            swapping=computed.swapping), computed.error
