"""Which workers of a process are idle: who computes is not, nor who counts as computing."""

from __future__ import annotations

import bisect
from collections.abc import Iterable

from realtime_rl.core.schedule.stagger import Schedule


class Roster:
    """The workers of one process; one is idle from a time on, or its computation is in flight."""

    def __init__(self, workers: Iterable[int]) -> None:
        """Begin with all of them idle."""
        self._idle_from_ns: dict[int, int] = dict.fromkeys(workers, 0)
        self._in_flight: set[int] = set()
        self._resting_from_ns: list[int] = [0] * len(self._idle_from_ns)
        """When those that are not in flight became idle, or will: sorted."""
        self._hosted: tuple[Schedule | None, list[int]] = (None, [])

    def __contains__(self, worker: object) -> bool:
        """Whether it is a worker of this process."""
        return worker in self._idle_from_ns

    def idle_from_ns(self, worker: int) -> int | None:
        """When it became idle, or will; `None` while its computation is in flight."""
        return None if worker in self._in_flight else self._idle_from_ns[worker]

    def is_idle(self, worker: int, now_ns: int) -> bool:
        """Whether it may take a slot."""
        return worker not in self._in_flight and self._idle_from_ns[worker] <= now_ns

    def idle(self, schedule: Schedule, now_ns: int) -> list[int]:
        """Return those of the workers that `schedule` has active that may take a slot."""
        busy, idle_from_ns = self._in_flight, self._idle_from_ns
        return [worker for worker in self._active(schedule)
                if worker not in busy and idle_from_ns[worker] <= now_ns]

    def rested(self, idle: Iterable[int]) -> int:
        """Return the one that rested longest: the turn order, as long as nobody overruns."""
        return min(idle, key=lambda worker: self._idle_from_ns[worker])

    def busy(self, now_ns: int) -> int:
        """How many are not idle: their computation is in flight, or counts as such."""
        resting = self._resting_from_ns
        return len(self._in_flight) + len(resting) - bisect.bisect_right(resting, now_ns)

    def claim(self, worker: int) -> int:
        """Have a worker compute; return it."""
        if worker not in self._in_flight:
            self._leave(worker)
            self._in_flight.add(worker)
        return worker

    def rest(self, worker: int, from_ns: int) -> None:
        """A worker's computation is over; it counts as idle from `from_ns` on."""
        if worker not in self._in_flight:
            self._leave(worker)
        self._in_flight.discard(worker)
        self._idle_from_ns[worker] = from_ns
        bisect.insort(self._resting_from_ns, from_ns)

    def _leave(self, worker: int) -> None:
        resting = self._resting_from_ns
        del resting[bisect.bisect_left(resting, self._idle_from_ns[worker])]

    def _active(self, schedule: Schedule) -> list[int]:
        """The workers here that a schedule has active."""
        if self._hosted[0] is not schedule:
            active = set(schedule.active)
            self._hosted = (schedule, [each for each in self._idle_from_ns if each in active])
        return self._hosted[1]
