"""What the measured durations demand: `T`, the promised delay `D`, the required workers `N*`."""

from __future__ import annotations

from dataclasses import dataclass

from realtime_rl.core.schedule.durations import DurationWindow
from realtime_rl.core.schedule.planner import (
    Setting,
    hold_ns,
    representative_ns,
    required_workers,
    slot_cycle,
)
from realtime_rl.core.schedule.stagger import promised_delay_ticks

_FIRST_AFTER = 8
"""Durations before anything is said: enough to see past one outlier."""
_RECENT, _RECENT_NS = 32, 500_000_000
"""Newest durations that are looked at by themselves, so many or of so long, so that a model that
became slower is met before the whole window shows it."""
_OVER_AFTER = 32
"""A burst of outliers is over after so many durations; `D` falls when that has held for a while."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What it takes to act at every tick."""

    duration_ns: int
    hold_ns: int
    promised_delay_ticks: int
    required_workers: int


class DemandEstimator:
    """Estimates from a window of durations. Costly parts are worked out once a few durations."""

    def __init__(self, setting: Setting, target: float, warmup: int,
                 most_ns: int | None = None) -> None:
        """Estimate for `setting`, allowing a share `target` of slots without a worker.

        Durations above `most_ns` count as so long.
        """
        self._setting = setting
        self._target = target
        self._recent = max(_RECENT, _RECENT_NS // setting.period_ns)
        self.durations = DurationWindow(setting.window, warmup, most_ns)
        self._required = 1
        self._required_of_window = 1
        self._known_at = 0
        self._cycles: dict[int, int] = {}
        """Cycle by number of workers, since the window was looked at."""
        self._pushed = 0

    def follow(self, setting: Setting, target: float) -> None:
        """Estimate for another setting of the same plant, from the durations that are known."""
        self._setting, self._target = setting, target
        self._known_at = 0

    def push(self, duration_s: float, process: str) -> None:
        """Take in one duration [s] of a process."""
        self._pushed += self.durations.push(duration_s, process)

    def demand(self) -> Demand | None:
        """Say what the window demands; `None` while there are too few durations."""
        self.durations.forget_burst(_OVER_AFTER)
        values = self.durations.values()
        if len(values) < _FIRST_AFTER:
            return None
        setting = self._setting
        duration_ns = representative_ns(values, setting)
        if self._pushed - self._known_at >= self._recent or not self._known_at:
            self._known_at = self._pushed
            self._cycles.clear()
            self._required_of_window = required_workers(values, setting, self._target)
            self._required = max(self._required_of_window,
                                 required_workers(values[-self._recent:], setting, self._target))
        return Demand(duration_ns, hold_ns(values, setting),
                      promised_delay_ticks(duration_ns, setting.handover_ns, setting.period_ns),
                      self._required)

    def cycle(self, workers: int) -> int:
        """Say in how many ticks each of `workers` should have one slot; ask for `demand` first."""
        if workers not in self._cycles:
            self._cycles[workers] = slot_cycle(
                self.durations.values(), workers, self._required_of_window, self._setting)
        return self._cycles[workers]


