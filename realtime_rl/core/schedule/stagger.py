"""Schedules: which worker infers on which tick, and when its action leaves.

A slot is a tick. With at least `N*` workers every tick is a slot; with fewer, `N` of every `cycle`
ticks are, evenly. Where durations hardly vary the cycle is `N*`, and `N` workers can do no more
(Remark 2: inaction `1 - N/N*`).
"""

from __future__ import annotations

from dataclasses import dataclass

from realtime_rl.core.enumerations import Algorithm, Dealing, SlotSource
from realtime_rl.core.errors import ConfigError

HOLDING = (Algorithm.MAX_TIME, Algorithm.QUANTILE_TIME)
"""Algorithms that hold an action until the promised time."""
EAGER = (Algorithm.UNSTAGGERED, Algorithm.SINGLE_QUEUE)
"""Baselines whose workers start as soon as they are free, whatever the tick."""
ALONE = (Algorithm.SEQUENTIAL, Algorithm.SINGLE_QUEUE)
"""Baselines with one inference at a time."""


def promised_delay_ticks(duration_ns: int, handover_ns: int, period_ns: int) -> int:
    """`D = ceil((T + h)/τ_M)`, at least 1: the delay that an inference time of `T` allows."""
    return max(1, -(-(duration_ns + handover_ns) // period_ns))


def is_slot(place: int, workers: int, cycle: int) -> bool:
    """Whether tick `place` of a schedule is one of the `workers` slots of a cycle, evenly dealt."""
    return place * workers // cycle != (place - 1) * workers // cycle


@dataclass(frozen=True, slots=True)
class Schedule:
    """One generation of the schedule, the same for every inference process."""

    active: tuple[int, ...]
    """Ids of the workers that take slots, in dealing order."""
    period_ns: int
    generation: int = 0
    """0: nothing was measured yet; workers start as soon as the algorithm lets them, and hold
    nothing."""
    effective_tick: int = 0
    promised_delay_ticks: int = 1
    hold_ns: int = 0
    """How long after its slot began an action leaves, if it is ready by then."""
    algorithm: Algorithm = Algorithm.MAX_TIME
    dealing: Dealing = Dealing.POOLED
    slot_source: SlotSource = SlotSource.TICK
    cycle: int = 1
    """Ticks in which each worker is to have one slot; with so many workers every tick is one."""

    def __post_init__(self) -> None:
        """Refuse what no process could follow."""
        if not self.active or len(set(self.active)) != len(self.active):
            raise ConfigError(f"active workers {self.active!r} must be present and distinct")
        if min(self.promised_delay_ticks, self.period_ns, self.cycle) < 1 \
                or self.hold_ns < 0:
            raise ConfigError(f"impossible schedule {self!r}")

    def owner(self, tick: int) -> int | None:
        """Return the worker whose turn `tick` is, or `None` when the tick is no slot."""
        workers, place = len(self.active), tick - self.effective_tick
        if not is_slot(place, workers, self.cycle_ticks):
            return None
        return self.active[place * workers // self.cycle_ticks % workers]

    @property
    def cycle_ticks(self) -> int:
        """Ticks in which each worker has one slot; never more than one slot a tick is dealt."""
        return max(len(self.active), self.cycle)

    def due_tick(self, tick: int) -> int:
        """The tick for which the action of slot `tick` is meant; -1 for as soon as possible."""
        return tick + self.promised_delay_ticks if self._holds else -1

    def release_ns(self, start_of_slot_ns: int, end_ns: int) -> int:
        """When an action leaves: ready at `end_ns`, held so that one goes out a tick.

        Never held so short that it could reach the plant a tick early. One that is ready later
        leaves at once.
        """
        if not self._holds:
            return end_ns
        held_ns = max(self.hold_ns, (self.promised_delay_ticks - 1) * self.period_ns)
        return max(end_ns, start_of_slot_ns + held_ns)

    def begins_at(self, before: Schedule) -> int:
        """The tick from which its workers start, where they followed `before` until now.

        `UNSTAGGERED` workers start together: not before what was dealt to them one after the other
        is over, as for ever after they would be staggered.
        """
        alike = before.algorithm is self.algorithm and before.generation > 0
        if self.algorithm is not Algorithm.UNSTAGGERED or (
                alike and set(self.active) <= set(before.active)):
            return self.effective_tick
        return self.effective_tick + self.promised_delay_ticks

    @property
    def by_timers(self) -> bool:
        """Whether timers start its slots; a baseline that knows no slots has no use for them."""
        return (self.slot_source is SlotSource.TIMER
                and self.algorithm not in (*EAGER, *ALONE))

    @property
    def timer_period_ns(self) -> int:
        """Period of a worker's timer when timers are the slot source."""
        return self.cycle_ticks * self.period_ns

    def timer_offset_ns(self, worker: int) -> int:
        """Stagger of a worker's timer after the effective tick: equal parts of the period."""
        return self.active.index(worker) * self.timer_period_ns // len(self.active)

    @property
    def _holds(self) -> bool:
        return self.algorithm in HOLDING and self.generation > 0


def workers_of_process(process: int, processes: int, workers: int) -> tuple[int, ...]:
    """Ids of the workers that process `process` of `processes` hosts: neighbours live apart."""
    return tuple(range(process, workers, processes))


def spaced_start_ns(
    ready_ns: int, free_from_ns: int, duration_ns: int, learners: int
) -> tuple[int, int]:
    """When a learner that is ready starts its update, and when the next one may.

    Learners have no ticks to be dealt: each starts when it is ready, but never sooner than an
    `learners`-th of an update's duration after the start before it, whosever that was. Equal
    learners then start evenly, as staggered workers do, and one that is slow or dead is not
    waited for.

    Args:
        ready_ns: when it could start.
        free_from_ns: what the start before gave as the next one's.
        duration_ns: of one update, not counting what was waited for.
        learners: how many learn beside one another, 1 or more.
    """
    start_ns = max(ready_ns, free_from_ns)
    return start_ns, start_ns + duration_ns // learners
