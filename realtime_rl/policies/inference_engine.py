"""The work of one inference process without its topics: slots in, actions and records out.

The thread that calls the engine deals slots; a pool of threads computes, and ONNX Runtime lets
go of the GIL meanwhile. Times come in as arguments, but for the one that a computation takes.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from realtime_rl.core.control.exploration import Exploration, explore_rows
from realtime_rl.core.enumerations import Algorithm, Miss, SlotSource
from realtime_rl.core.errors import PolicyError
from realtime_rl.core.experience.action_history import ActionHistory, History
from realtime_rl.core.experience.gathering import Lost
from realtime_rl.core.experience.observation_stack import ObservationStack
from realtime_rl.core.messages.plan import NOTHING, Plan
from realtime_rl.core.messages.records import ActionMessage, Inference
from realtime_rl.core.observations import Observation
from realtime_rl.core.policy import prefix
from realtime_rl.core.policy.states import Memory
from realtime_rl.core.schedule.slot_watch import SlotWatch, limit_ns
from realtime_rl.core.schedule.stagger import Schedule
from realtime_rl.core.schedule.worker_pool import Finished, Slot, WorkerPool
from realtime_rl.core.types import Action, ActionSpace
from realtime_rl.policies.computation import Begun, Computed, SlotRecords
from realtime_rl.policies.compute_threads import ComputeThreads
from realtime_rl.policies.hot_swap import HotSwap, Swap
from realtime_rl.policies.latency import Latency
from realtime_rl.policies.onnx_policy import OnnxPolicy
from realtime_rl.policies.stop import Stop

_END_S = 1.0
"""At the end, computations that were asked to end are waited for so long."""


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """What an engine needs to know at its start."""

    node: str
    workers: tuple[int, ...]
    actions: ActionSpace
    latency: Latency
    seed: int
    exploration_hold: int
    exploration: Exploration = field(default_factory=Exploration)
    slot_limit_ns: int = 0
    """A computation that takes longer hangs; 0: see `slot_watch.limit_ns`."""
    learning_order: str = "none"
    """`SEQUENTIAL`: whether a worker learns `before` it infers, `after`, or not at all."""
    learning_ns: int = 0
    """How long that takes."""


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
        self._stack = ObservationStack(1)
        self._stack_size = 1
        self._applied = ActionHistory(0)
        self._memory: Memory | None = None
        self._plan = NOTHING
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
        current = self._policies.current
        if current is not None and current.policy.stack != self._stack_size:
            self._stack_size = current.policy.stack
            self._stack = ObservationStack(self._stack_size)
        if current is not None and current.policy.action_history != self._applied.length:
            self._applied = ActionHistory(current.policy.action_history)
        self._stack.push(tick, observation, first)
        if first:
            self._applied.begin(tick)
            self._memory = None  # what is under way keeps its own

    @property
    def wants_applied(self) -> bool:
        """Whether the policy takes applied actions: then call `applied` for every tick."""
        return self._applied.length > 0

    def applied(self, tick: int, action: Action) -> None:
        """Take in what the plant applied at a tick, for the inferences on later ones."""
        self._applied.push(tick, action)

    def promise(self, plan: Plan) -> None:
        """Take in what the actuator promises, for the inferences that begin from now on."""
        self._plan = plan

    def start(self, now_ns: int, age_ns: int) -> list[Inference]:
        """Start the slot of the newest observation, if it is one; return the slots missed.

        Args:
            now_ns: the time, monotonic.
            age_ns: age of the newest observation, which only ROS time tells.
        """
        self.collect()
        current = self._policies.current
        self._seen = (now_ns, age_ns)
        if current is None or self.newest is None:
            return []
        missed = []
        for slot in self.pool.on_observation(*self.newest, now_ns):
            if slot.worker < 0:
                missed.append(self._records.missed(slot, Miss.BUSY, self._policies.loading))
            else:
                self._submit(slot, current, age_ns)
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
        current = self._policies.current
        if current is None or self.newest is None:
            return []
        slot, miss = self.pool.on_timer(worker, *self.newest, now_ns)
        if miss is not Miss.NONE:
            return [self._records.missed(slot, miss, self._policies.loading)]
        self._submit(slot, current, age_ns)
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
            self._memory = None if self._memory is None else self._memory.copy()
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
        """When an action must leave; `None` when none waits."""
        return self.pool.next_due_ns()

    def due(self, now_ns: int) -> list[tuple[ActionMessage | None, Inference, str]]:
        """Return what leaves now: the action (if there is one), the record, and any error."""
        self.collect()
        return [self._leave(finished) for finished in self.pool.due(now_ns)]

    def start_idle(self, now_ns: int) -> None:
        """Baselines: start the workers that are free; call it when `next_due_ns` has come."""
        current = self._policies.current
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

    def _submit(self, slot: Slot, current: Swap[OnnxPolicy], age_ns: int) -> None:
        first_use, self._used = current is not self._used, current
        stacked = self._stack.get(slot.tick, fill_gaps=True)
        # a policy that came into use since the newest observation may take another history
        known = self._applied.length == current.policy.action_history
        history = (self._applied.get(slot.tick) if known
                   else (None,) * current.policy.action_history)
        if first_use or self._memory is None:
            self._memory = current.policy.memory()
        promised = (prefix.of_plan(self._plan, slot.tick, slot.due_tick)
                    if current.policy.takes_prefix else None)
        begun = self._begun[slot.worker] = Begun(current, age_ns, first_use, Stop(), self._memory,
                                                 promised)
        self._watch.begin(slot, slot.start_ns, limit_ns(
            self._config.slot_limit_ns, current.policy.alone_ns, len(self._config.workers)))
        self._threads.submit(partial(self._compute, slot, begun, stacked, history))

    def _compute(self, slot: Slot, begun: Begun, stacked: Observation | None, history: History
                 ) -> None:
        """Runs in one of the threads."""
        rows: tuple[Action, ...] = ()
        error = ""
        begin_ns = time.monotonic_ns()
        try:
            if stacked is None:
                raise PolicyError("its observation is not kept any more")
            policy, config = begun.swap.policy, self._config
            outputs = policy.infer(stacked, history, worker=self._indices[slot.worker],
                                   stop=begun.stop, memory=begun.memory, promised=begun.promised)
            rows = policy.rows(outputs) if policy.horizon else (policy.act(outputs),)
            rows = explore_rows(rows, slot.tick + (policy.first_offset if policy.horizon else 0),
                                config.exploration.epsilon(policy.epsilon),
                                hold_ticks=config.exploration_hold, seed=config.seed,
                                actions=config.actions)
        except PolicyError as problem:
            error = str(problem)
        except Exception as problem:  # a fault of the runtime costs its slot, not the worker
            error = f"{type(problem).__name__}: {problem}"
        end_ns = time.monotonic_ns()
        self._computed.append((slot, end_ns, Computed(
            rows, begun, end_ns - begin_ns, self._policies.loading, error)))
        leaves_at_once = begun.swap.policy.horizon or time.monotonic_ns() >= slot.planned_ns
        if leaves_at_once and not self._closed:
            self._wake()  # else `next_due_ns` brings the other thread here in time

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
