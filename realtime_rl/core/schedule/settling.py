"""When a schedule's numbers count as settled: soon where more is wanted, late where less is."""

from __future__ import annotations

from dataclasses import dataclass

from realtime_rl.core.schedule.durations import is_far


@dataclass(frozen=True, slots=True)
class Settling:
    """After how many looks in a row that ask for it a number changes."""

    raise_after: int
    lower_after: int
    back_after: int
    """The same for going back after an excursion: by far (`is_far`), and not for long."""
    excursion: int
    """It asked for more in so many looks at most, and for no more in as many before them."""
    unit_ns: int
    """What the number counts."""


class Hysteresis:
    """Lets a number rise soon and fall late: too little costs more than too much."""

    def __init__(self, settling: Settling) -> None:
        """Take the first number that is wanted."""
        self._settling = settling
        self._direction = 0
        self._agreed = 0
        self._settled: int | None = None
        self._calm = 0
        """Looks since more was wanted than had settled, or since that changed."""
        self._before: int | None = None
        """What had settled before an excursion, during one."""
        self._excursion_looks = 0
        """Looks of the excursion that did not ask to go back."""

    def settle(self, wanted: int) -> int:
        """Return the number that holds after one more look."""
        if self._settled is None:
            self._settled = wanted
        self._follow(self._settled, wanted)
        if wanted == self._settled:
            self._direction, self._agreed = 0, 0
            return wanted
        direction = 1 if wanted > self._settled else -1
        self._agreed = self._agreed + 1 if direction == self._direction else 1
        self._direction = direction
        if self._agreed >= self._needed(self._settled, wanted):
            if direction < 0:
                self._before = None
            self._settled, self._direction, self._agreed, self._calm = wanted, 0, 0, 0
        return self._settled

    def _follow(self, settled: int, wanted: int) -> None:
        """Notice how an excursion begins, goes on, and becomes how things are."""
        if wanted > settled and self._before is None and self._calm >= self._settling.excursion:
            self._before, self._excursion_looks = settled, 0
        self._calm = 0 if wanted > settled else self._calm + 1
        if self._before is not None and not self._is_back(settled, wanted):
            self._excursion_looks += 1
            if self._excursion_looks > self._settling.excursion:
                self._before = None

    def _is_back(self, settled: int, wanted: int) -> bool:
        unit_ns = self._settling.unit_ns
        return (self._before is not None and wanted <= self._before
                and is_far(settled * unit_ns, wanted * unit_ns))

    def _needed(self, settled: int, wanted: int) -> int:
        if wanted > settled:
            return self._settling.raise_after
        return (self._settling.back_after if self._is_back(settled, wanted)
                else self._settling.lower_after)


class SettledNumbers:
    """The numbers of a schedule, each with its own hysteresis."""

    def __init__(self, settling: Settling) -> None:
        """Take the first numbers as they are wanted."""
        self._settling = settling
        self.anew()

    def anew(self) -> None:
        """Take the next numbers as they are wanted: nothing has settled yet."""
        self.delay = Hysteresis(self._settling)
        """Of the promised delay [ticks]."""
        self.required = Hysteresis(self._settling)
        """Of the required workers."""
        self._cycle = Hysteresis(self._settling)
        self._cycle_is_for = 0
        """Workers that the cycle was settled for."""

    def cycle(self, workers: int, wanted: int) -> int:
        """Return the ticks in which each of so many workers is to have one slot."""
        if workers != self._cycle_is_for:
            self._cycle_is_for = workers
            self._cycle = Hysteresis(self._settling)
        return self._cycle.settle(wanted)
