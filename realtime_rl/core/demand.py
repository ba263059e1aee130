"""What the measured durations demand: `T`, the promised delay `D`, the required workers `N*`."""

from __future__ import annotations

from dataclasses import dataclass

from realtime_rl.core.durations import DurationWindow, is_far, without_burst
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
_RECENT, _RECENT_NS = 32, 500_000_000
"""Newest durations that are looked at by themselves, so many or of so long, so that a model that
became slower is met before the whole window shows it."""
_OVER, _OVER_NS = 128, 2_000_000_000
"""A burst of outliers is over after so many durations, and so long."""


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
        self._over_after = max(_OVER, _OVER_NS // setting.period_ns)
        self.durations = DurationWindow(setting.window, warmup, most_ns)
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
        values = without_burst(self.durations.values(), self._over_after)
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
                without_burst(self.durations.values(), self._over_after), workers,
                self._required_of_window, self._setting)
        return self._cycles[workers]


@dataclass(frozen=True, slots=True)
class Settling:
    """After how many looks in a row that ask for it a number changes."""

    raise_after: int
    lower_after: int
    far_after: int = 0
    """The same for a fall by far, if it is more than 0."""
    rest: int = 0
    """A fall by far is believed so soon once in so many looks: after another burst, it is late."""
    unit_ns: int = 1
    """What the number counts, to tell what is far (`is_far`)."""


class Hysteresis:
    """Lets a number rise soon and fall late: too little costs more than too much."""

    def __init__(self, settling: Settling) -> None:
        """Take the first number that is wanted."""
        self._settling = settling
        self._rested = settling.rest
        self._direction = 0
        self._agreed = 0
        self._settled: int | None = None

    def settle(self, wanted: int) -> int:
        """Return the number that holds after one more look."""
        self._rested += 1
        if self._settled is None or wanted == self._settled:
            self._settled, self._direction, self._agreed = wanted, 0, 0
            return wanted
        direction = 1 if wanted > self._settled else -1
        self._agreed = self._agreed + 1 if direction == self._direction else 1
        self._direction = direction
        if self._agreed >= self._needed(self._settled, wanted):
            self._settled, self._direction, self._agreed = wanted, 0, 0
        return self._settled

    def _needed(self, settled: int, wanted: int) -> int:
        settling = self._settling
        if wanted > settled:
            return settling.raise_after
        far = is_far(settled * settling.unit_ns, wanted * settling.unit_ns)
        if not far or not settling.far_after or self._rested < settling.rest \
                or self._agreed < settling.far_after:
            return settling.lower_after
        self._rested = 0
        return settling.far_after
