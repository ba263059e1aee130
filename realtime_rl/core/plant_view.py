"""Where the plant stands, by its own words: what others say of it is measured against that."""

from __future__ import annotations

from realtime_rl.core.records import Timestep

_AHEAD_TICKS = 64
"""So much further than the time allows may a tick be: a plant that was late catches up."""


class PlantView:
    """The newest tick of the plant. A jump that no plant makes is believed when it goes on."""

    def __init__(self, period_ns: int) -> None:
        """Begin without having heard of a tick."""
        self._period_ns = period_ns
        self._newest: Timestep | None = None
        self._heard_ns = 0
        self._doubtful: Timestep | None = None

    @property
    def known(self) -> bool:
        """Whether the plant was heard."""
        return self._newest is not None

    @property
    def tick(self) -> int:
        """Its newest tick; -1 before one is known."""
        return -1 if self._newest is None else self._newest.tick

    def on_timestep(self, step: Timestep, now_ns: int) -> int | None:
        """Take in one of its ticks; some may be left out.

        Args:
            step: the tick.
            now_ns: when it was heard of, on a monotonic clock.

        Returns:
            Stamp of a tick from which on the plant counts anew, if it does; else `None`.
        """
        doubtful, self._doubtful = self._doubtful, None
        if self._newest is None or self._follows(self._newest, step, now_ns):
            self._newest, self._heard_ns = step, now_ns
        elif (step.tick, step.stamp_ns) == (self._newest.tick, self._newest.stamp_ns):
            self._doubtful = doubtful
        elif doubtful is not None and self._follows(doubtful, step, now_ns):
            self._newest, self._heard_ns = step, now_ns
            return doubtful.stamp_ns
        else:
            self._doubtful = step
        return None

    def reach(self, now_ns: int) -> int:
        """The tick at which it may be by now, as it goes on when nothing is heard of it."""
        return self.tick + (now_ns - self._heard_ns) // self._period_ns

    def since_ns(self, stamp_ns: int, now_ns: int) -> int:
        """Time since the tick of that stamp, by the plant's clock; needs `known`."""
        newest_ns = 0 if self._newest is None else self._newest.stamp_ns
        return newest_ns - stamp_ns + now_ns - self._heard_ns

    def _follows(self, before: Timestep, after: Timestep, now_ns: int) -> bool:
        ticks = after.tick - before.tick
        due = (now_ns - self._heard_ns) // self._period_ns
        return after.stamp_ns > before.stamp_ns and 0 < ticks <= _AHEAD_TICKS + due
