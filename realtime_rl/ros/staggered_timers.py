"""Staggered ROS timers, one a worker, kept in phase with the observations that arrive."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from rclpy.node import Node
from rclpy.timer import Timer

from realtime_rl.core.schedule.stagger import Schedule
from realtime_rl.core.schedule.tick_grid import TickGrid, next_on_grid_ns
from realtime_rl.ros import steady


class StaggeredTimers:
    """Fires `fire(worker)` at `effective tick + phase + offset + n·period` of the schedule.

    Offset and period are the schedule's. Each firing aims the next anew at the estimated grid of
    the plant, so that neither clocks nor callbacks drift the phase.
    """

    def __init__(self, node: Node, grid: TickGrid, phase_ns: int,
                 fire: Callable[[int], None]) -> None:
        """Begin without timers; `follow` starts them."""
        self._node = node
        self._grid = grid
        self._phase_ns = phase_ns
        self._fire = fire
        self._timers: dict[int, Timer] = {}
        self._schedule: Schedule | None = None

    def follow(self, schedule: Schedule, workers: tuple[int, ...]) -> None:
        """Run a timer for each of `workers` that `schedule` has active; stop the others."""
        if schedule == self._schedule:
            return
        self._schedule = schedule
        active = set(workers) & set(schedule.active)
        for worker in set(self._timers) - active:
            self._node.destroy_timer(self._timers.pop(worker))
        for worker in active:
            if worker not in self._timers:
                self._timers[worker] = steady.create_timer(
                    self._node, 1.0, partial(self._on_timer, worker))
            self._aim(worker)

    def stop(self) -> None:
        """Stop every timer."""
        self._schedule = None
        while self._timers:
            self._node.destroy_timer(self._timers.popitem()[1])

    def _on_timer(self, worker: int) -> None:
        self._fire(worker)
        self._aim(worker)

    def _aim(self, worker: int) -> None:
        schedule = self._schedule
        if schedule is None:
            return
        now_ns = time.monotonic_ns()
        anchor_ns = (self._grid.predict_ns(schedule.effective_tick) + self._phase_ns
                     + schedule.timer_offset_ns(worker))
        timer = self._timers[worker]
        next_ns = next_on_grid_ns(anchor_ns, schedule.timer_period_ns, now_ns)
        timer.timer_period_ns = next_ns - now_ns
        timer.reset()
