"""What the measured durations demand: `T`, the promised delay `D`, the required workers `N*`."""

from __future__ import annotations

from dataclasses import dataclass

from realtime_rl.core.durations import DurationWindow
from realtime_rl.core.planner import (
    Setting,
    hold_ns,
    representative_ns,
    required_workers,
    slot_cycle,
)
from realtime_rl.core.stagger import promised_delay_ticks

_FIRST_AFTER = 8
"""Durations before anything is said: enough to see past one outlier."""
_RECENT = 32
"""Newest durations that are looked at by themselves, so that a model that became slower is met
before the whole window shows it."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What it takes to act at every tick."""

    duration_ns: int
    hold_ns: int
    promised_delay_ticks: int
    required_workers: int


class DemandEstimator:
    """Estimates from a window of durations. Costly parts are worked out once a few durations."""

    def __init__(self, setting: Setting, target: float, warmup: int) -> None:
        """Estimate for `setting`, allowing a share `target` of slots without a worker."""
        self._setting = setting
        self._target = target
        self.durations = DurationWindow(setting.window, warmup)
        self._required = 1
        self._required_of_window = 1
        self._known_at = 0
        self._cycles: dict[int, int] = {}
        """Cycle by number of workers, since the window was looked at."""
        self._pushed = 0

    def push(self, duration_s: float, process: str) -> None:
        """Take in one duration [s] of a process."""
        self._pushed += self.durations.push(duration_s, process)

    def demand(self) -> Demand | None:
        """Say what the window demands; `None` while there are too few durations."""
        values = self.durations.values()
        if len(values) < _FIRST_AFTER:
            return None
        setting = self._setting
        duration_ns = representative_ns(values, setting)
        if self._pushed - self._known_at >= _RECENT or not self._known_at:
            self._known_at = self._pushed
            self._cycles.clear()
            self._required_of_window = required_workers(values, setting, self._target)
            self._required = max(self._required_of_window,
                                 required_workers(values[-_RECENT:], setting, self._target))
        return Demand(duration_ns, hold_ns(values, setting),
                      promised_delay_ticks(duration_ns, setting.handover_ns, setting.period_ns),
                      self._required)

    def cycle(self, workers: int) -> int:
        """Say in how many ticks each of `workers` should have one slot; ask for `demand` first."""
        if workers not in self._cycles:
            self._cycles[workers] = slot_cycle(
                self.durations.values(), workers, self._required_of_window, self._setting)
        return self._cycles[workers]


class Hysteresis:
    """Lets a number rise soon and fall late: too little costs more than too much."""

    def __init__(self, raise_after: int, lower_after: int) -> None:
        """Change after so many looks in a row that ask for it."""
        self._after = {1: raise_after, -1: lower_after}
        self._direction = 0
        self._agreed = 0
        self._settled: int | None = None

    def settle(self, wanted: int) -> int:
        """Return the number that holds after one more look."""
        if self._settled is None or wanted == self._settled:
            self._settled, self._direction, self._agreed = wanted, 0, 0
            return wanted
        direction = 1 if wanted > self._settled else -1
        self._agreed = self._agreed + 1 if direction == self._direction else 1
        self._direction = direction
        if self._agreed >= self._after[direction]:
            self._settled, self._direction, self._agreed = wanted, 0, 0
        return self._settled
