"""The workers of one process: who is idle, who takes a slot, which results wait to leave.

No thread sleeps here. A result whose accelerator is emulated, and an action held for evenness,
wait in one heap; the node asks for `next_due_ns` and comes back then.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from realtime_rl.core.enumerations import Dealing, Miss
from realtime_rl.core.schedule.roster import Roster
from realtime_rl.core.schedule.stagger import ALONE, EAGER, Schedule

Result = TypeVar("Result")
_TOLD_TICKS, _TOLD_NS = 64, 500_000_000
"""Of ticks that were jumped over the newest are told of as missed: so many, and so long."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot that this process took, or missed (`worker` -1)."""

    tick: int
    stamp_ns: int
    worker: int
    generation: int
    due_tick: int
    arrived_ns: int
    """When the observation arrived here: the slot's beginning."""
    start_ns: int
    schedule: Schedule
    """The one that dealt it, which also says when its action leaves."""

    @property
    def planned_ns(self) -> int:
        """Before this its action does not leave, however soon it is computed."""
        return self.schedule.release_ns(self.arrived_ns, self.start_ns)


@dataclass(frozen=True, slots=True, order=True)
class Finished(Generic[Result]):
    """A result whose time to leave has come."""

    release_ns: int
    tick: int
    slot: Slot = field(compare=False)
    end_ns: int = field(compare=False)
    """When the worker was done; it became idle then."""
    result: Result = field(compare=False)


class WorkerPool(Generic[Result]):
    """Deals the slots of a schedule to the workers of one process."""

    def __init__(self, workers: tuple[int, ...], schedule: Schedule) -> None:
        """Host `workers`; only those that `schedule` has active take slots."""
        self._workers = workers
        self._roster = Roster(workers)
        self._hung: set[int] = set()
        """Those whose computation was written off and has not come back."""
        self._planned_ns: dict[int, int] = {}
        """When the action of each computation in flight is to leave, as long as that is to come."""
        self._waiting: list[Finished[Result]] = []
        self._current = schedule
        self._coming: list[Schedule] = []
        self._newest_tick: int | None = None
        self._newest_stamp_ns = 0
        self._used: dict[int, int] = {}
        """Newest tick that each worker of an eager baseline started on."""
        self._begins_at = 0
        """Tick before which no worker of a baseline starts."""
        self._seats: dict[int, int] = {}
        """Who works for each worker in the fixed order of this generation: where one is still busy
        as its first turn comes, they change places."""

    def set_schedule(self, schedule: Schedule) -> None:
        """Follow `schedule` from its effective tick on."""
        if schedule.generation == self._current.generation:
            self._current = schedule  # the same integers, held for another time
        else:
            self._coming = [coming for coming in self._coming
                            if coming.generation < schedule.generation
                            and coming.effective_tick < schedule.effective_tick]
            self._coming.append(schedule)

    def schedule_at(self, tick: int) -> Schedule:
        """The schedule that holds at `tick`."""
        while self._coming and tick >= self._coming[0].effective_tick:
            before, self._current = self._current, self._coming.pop(0)
            self._begins_at = self._current.begins_at(before)
            self._seats = {}
        return self._current

    def on_observation(self, tick: int, stamp_ns: int, now_ns: int) -> list[Slot]:
        """An observation arrived: return the slot to start (if any), and those missed on the way.

        A slot with `worker` -1 was missed. Ticks that were jumped over are missed slots, too.
        """
        newest = self._newest_tick
        if newest is not None and tick == newest:
            return []
        self._notice_restart(tick)
        self._newest_tick, self._newest_stamp_ns = tick, stamp_ns
        if self._unscheduled(tick):
            return self._start_baseline(tick, now_ns)
        told = max(_TOLD_TICKS, -(-_TOLD_NS // self._current.period_ns))
        first = tick if newest is None or tick < newest else max(newest + 1, tick - told)
        slots = [self._slot(missed, stamp_ns, now_ns, -1)
                 for missed in range(first, tick) if self._mine(missed) is not None]
        owner = self._mine(tick)
        if owner is not None:
            slots.append(self._slot(tick, stamp_ns, now_ns, self._take(owner, now_ns)))
        return slots

    def on_lost(self, tick: int, stamp_ns: int, now_ns: int) -> list[Slot]:
        """The observation of a tick is lost, in part at least: return its slot, if it is one here.

        Call it before `on_observation` of a later tick.
        """
        newest = self._newest_tick
        if self._unscheduled(tick) or (newest is not None and tick <= newest):
            return []
        first = tick if newest is None else max(newest + 1, tick - 64)
        self._newest_tick, self._newest_stamp_ns = tick, stamp_ns
        return [self._slot(missed, stamp_ns, now_ns, -1)
                for missed in range(first, tick + 1) if self._mine(missed) is not None]

    def on_idle(self, now_ns: int) -> list[Slot]:
        """Eager baselines: start the workers that became free on the newest observation.

        Call it when `next_due_ns` has come. `SEQUENTIAL` starts on an observation's arrival only,
        so that its own action comes first.
        """
        tick = self._newest_tick
        if tick is None or self._current.algorithm not in EAGER or not self._unscheduled(tick):
            return []
        return self._start_baseline(tick, now_ns)

    def on_timer(self, worker: int, tick: int, stamp_ns: int, now_ns: int) -> tuple[Slot, Miss]:
        """A worker's timer fired with `tick` the newest observation: return its slot."""
        self._notice_restart(tick)
        self.schedule_at(tick)
        if tick == self._newest_tick:
            return self._slot(tick, stamp_ns, now_ns, -1), Miss.REPEATED
        taker = self._seated(worker, now_ns)
        if taker < 0:
            return self._slot(tick, stamp_ns, now_ns, -1), Miss.BUSY
        self._newest_tick = tick
        return self._slot(tick, stamp_ns, now_ns, taker), Miss.NONE

    def on_result(self, slot: Slot, now_ns: int, emulated_ns: int, result: Result,
                  busy_after_ns: int = 0, *, held: bool = True) -> None:
        """The computation of `slot` is done; it counts as done `emulated_ns` after its start.

        The worker stays busy for `busy_after_ns` more, as with learning in its cycle. What is not
        `held` leaves as soon as it is done, as a chunk, whose rows say their ticks.
        """
        end_ns = max(now_ns, slot.start_ns + emulated_ns)
        self._planned_ns.pop(slot.worker, None)
        self._roster.rest(slot.worker, end_ns + busy_after_ns)
        release_ns = slot.schedule.release_ns(slot.arrived_ns, end_ns) if held else end_ns
        heapq.heappush(self._waiting, Finished(release_ns, slot.tick, slot, end_ns, result))

    def write_off(self, slot: Slot) -> None:
        """The computation of `slot` hangs: the others take over until its worker is `back`."""
        self._hung.add(slot.worker)
        self._planned_ns.pop(slot.worker, None)

    def back(self, slot: Slot, now_ns: int) -> None:
        """A computation that was written off has ended after all: its worker takes slots again."""
        self._hung.discard(slot.worker)
        self._roster.rest(slot.worker, now_ns)

    @property
    def hung(self) -> int:
        """How many workers hang."""
        return len(self._hung)

    def next_due_ns(self) -> int | None:
        """When the next result leaves, or an eager worker is free; `None` when neither is known.

        For a computation in flight that is the earliest time that its schedule allows: who comes
        back then need not be woken if it ended before.
        """
        times = [*self._planned_ns.values()]
        if self._waiting:
            times.append(self._waiting[0].release_ns)
        if self._current.algorithm in EAGER and self._newest_tick is not None \
                and self._unscheduled(self._newest_tick) and self._newest_tick >= self._begins_at:
            times += [from_ns for worker in self._baseline_workers()
                      if (from_ns := self._roster.idle_from_ns(worker)) is not None
                      and self._used.get(worker) != self._newest_tick]
        return min(times) if times else None

    def due(self, now_ns: int) -> list[Finished[Result]]:
        """Take out the results whose time has come, in order."""
        out = []
        for worker in [w for w, planned_ns in self._planned_ns.items() if planned_ns <= now_ns]:
            del self._planned_ns[worker]  # it is late, and will wake us
        while self._waiting and self._waiting[0].release_ns <= now_ns:
            out.append(heapq.heappop(self._waiting))
        return out

    def busy(self, now_ns: int) -> int:
        """How many workers are not idle: their computation is in flight, or counts as such."""
        return self._roster.busy(now_ns)

    def _notice_restart(self, tick: int) -> None:
        """Where the plant began anew, nothing waits for a tick of its former session."""
        if self._newest_tick is None or tick >= self._newest_tick:
            return
        self._begins_at = 0
        if self._coming:
            self._current, self._coming = self._coming[-1], []
            self._seats = {}

    def _unscheduled(self, tick: int) -> bool:
        """Whether a baseline that knows no slots is in force."""
        return self.schedule_at(tick).algorithm in (*EAGER, *ALONE)

    def _baseline_workers(self) -> list[int]:
        active = self._current.active
        allowed = active[:1] if self._current.algorithm in ALONE else active
        return [worker for worker in self._workers if worker in allowed]

    def _start_baseline(self, tick: int, now_ns: int) -> list[Slot]:
        slots: list[Slot] = []
        if tick < self._begins_at:
            return slots
        for worker in self._baseline_workers():
            if self._roster.is_idle(worker, now_ns) and self._used.get(worker) != tick:
                self._used[worker] = tick
                slots.append(self._slot(tick, self._newest_stamp_ns, now_ns,
                                        self._roster.claim(worker)))
        return slots

    def _mine(self, tick: int) -> int | None:
        owner = self.schedule_at(tick).owner(tick)
        return owner if owner in self._roster else None

    def _take(self, owner: int, now_ns: int) -> int:
        schedule = self._current
        if schedule.dealing is Dealing.FIXED and schedule.generation > 0 \
                and self._seats.get(owner, owner) not in self._hung:
            return self._seated(owner, now_ns)
        idle = self._roster.idle(schedule, now_ns)
        return self._roster.claim(self._roster.rested(idle)) if idle else -1

    def _seated(self, owner: int, now_ns: int) -> int:
        """Claim whoever works for `owner` in the fixed order; -1 while that one is busy."""
        worker = self._seats.get(owner)
        if worker is None:
            free = [each for each in self._roster.idle(self._current, now_ns)
                    if each not in self._seats.values()]
            if not free:
                return -1
            worker = self._seats[owner] = owner if owner in free else self._roster.rested(free)
        return self._roster.claim(worker) if self._roster.is_idle(worker, now_ns) else -1

    def _slot(self, tick: int, stamp_ns: int, now_ns: int, worker: int) -> Slot:
        schedule = self._current
        slot = Slot(tick, stamp_ns, worker, schedule.generation, schedule.due_tick(tick),
                    now_ns, now_ns, schedule)
        if worker >= 0 and slot.planned_ns > now_ns:
            self._planned_ns[worker] = slot.planned_ns
        return slot
