"""When inferences end whose durations are known: the rules of `WorkerPool`, without bookkeeping.

Each yields tick and end [ns] of every inference; `draws` has a duration for each tick.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from itertools import cycle as repeat

from realtime_rl.core.schedule.stagger import is_slot


def fixed(draws: list[int], workers: int, cycle: int, period_ns: int
          ) -> Iterator[tuple[int, int]]:
    """Deal slots in a fixed order; a worker that is still busy misses its own."""
    free = [0] * workers
    turn = -1
    for tick, duration_ns in enumerate(draws):
        if is_slot(tick, workers, cycle):
            turn = (turn + 1) % workers
            now_ns = tick * period_ns
            if free[turn] <= now_ns:
                free[turn] = now_ns + duration_ns
                yield tick, free[turn]


def pooled(draws: list[int], workers: int, cycle: int, processes: int, period_ns: int
           ) -> Iterator[tuple[int, int]]:
    """Whoever is idle takes a slot, among the workers of the process whose turn it is."""
    pools = [[0] * len(range(process, workers, processes)) for process in range(processes)]
    turn = -1
    every = cycle <= workers
    for tick, duration_ns in enumerate(draws):
        if every or is_slot(tick, workers, cycle):
            turn = (turn + 1) % workers
            idle_from = pools[turn % processes]
            now_ns = tick * period_ns
            if idle_from[0] <= now_ns:
                heapq.heapreplace(idle_from, now_ns + duration_ns)
                yield tick, now_ns + duration_ns


def batched(draws: list[int], workers: int, size: int, period_ns: int
            ) -> Iterator[tuple[int, int]]:
    """Every tick is a slot; `Batch` says how long those of a run wait for each other."""
    idle_from = [0] * workers
    waiting: list[int] = []
    for tick, duration_ns in enumerate(draws):
        now_ns = tick * period_ns
        if idle_from and idle_from[0] <= now_ns:
            heapq.heappop(idle_from)
            waiting.append(tick)
        if waiting and (len(waiting) == size or tick - waiting[0] >= size - 1):
            for each in waiting:
                heapq.heappush(idle_from, now_ns + duration_ns)
                yield each, now_ns + duration_ns
            waiting = []


def eager(draws: list[int], workers: int, period_ns: int,
          crowd: Callable[[int], float] | None = None) -> Iterator[tuple[int, int]]:
    """Each worker starts when it is free, on the newest observation, once on each."""
    free = [(0, -1)] * workers
    ends: list[int] = []
    durations = repeat(draws)
    while (now_ns := free[0][0]) < len(draws) * period_ns:
        tick, used = now_ns // period_ns, free[0][1]
        if tick == used:
            heapq.heapreplace(free, ((tick + 1) * period_ns, tick))
            continue
        duration_ns = next(durations)
        if crowd is not None:
            while ends and ends[0] <= now_ns:
                heapq.heappop(ends)
            duration_ns = round(duration_ns * crowd(len(ends) + 1))
            heapq.heappush(ends, now_ns + duration_ns)
        end_ns = now_ns + duration_ns
        heapq.heapreplace(free, (end_ns, tick))
        yield tick, end_ns
