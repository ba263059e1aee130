"""What stands between a command topic and the motors, as in ros2_control. Pure.

The time is an argument, in nanoseconds. A command that is refused changes nothing; why is returned,
"" when it is taken.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Point = tuple[Sequence[float], float]
"""Positions, and after how many seconds they are to be reached."""


class ForwardController:
    """Hands values on as they come and holds the last ones for ever: it has no timeout."""

    def __init__(self, names: tuple[str, ...], start: Sequence[float]) -> None:
        self.names = names
        self._held = tuple(start)

    def offer(self, values: Sequence[float]) -> str:
        if len(values) != len(self.names):
            return f"{len(values)} values for {len(self.names)} joints"
        if not all(map(math.isfinite, values)):
            return "not finite"
        self._held = tuple(values)
        return ""

    def setpoint(self, now_ns: int) -> tuple[float, ...]:
        del now_ns
        return self._held

    def restart(self, start: Sequence[float]) -> None:
        self._held = tuple(start)


class TrajectoryController(ForwardController):
    """Goes through a trajectory's points in straight lines, from where its setpoint is."""

    def __init__(self, names: tuple[str, ...], start: Sequence[float]) -> None:
        super().__init__(names, start)
        self._path: list[tuple[int, tuple[float, ...]]] = []

    def offer_trajectory(self, names: Sequence[str], points: Sequence[Point], age_ns: int,
                         now_ns: int) -> str:
        """Take a trajectory that began `age_ns` ago by its stamp; without a stamp 0."""
        if sorted(names) != sorted(self.names):
            return f"joints {', '.join(names)}, not {', '.join(self.names)}"
        if not points:
            return "no points"
        begin = now_ns - age_ns
        path = [(now_ns, self.setpoint(now_ns))]
        for positions, after_s in points:
            if len(positions) != len(names) or not all(map(math.isfinite, positions)):
                return "a point without a finite position for each joint"
            given = dict(zip(names, positions, strict=True))
            path.append((begin + round(after_s * 1e9), tuple(given[name] for name in self.names)))
        if path[-1][0] < now_ns:
            return "it is over already"
        self._path = path
        return ""

    def setpoint(self, now_ns: int) -> tuple[float, ...]:
        while len(self._path) > 1 and self._path[1][0] <= now_ns:
            self._path.pop(0)
        if not self._path:
            return self._held
        begin_ns, begin = self._path[0]
        if len(self._path) == 1:
            self._held, self._path = begin, []
            return begin
        end_ns, end = self._path[1]
        share = (now_ns - begin_ns) / (end_ns - begin_ns)
        return tuple(a + share * (b - a) for a, b in zip(begin, end, strict=True))

    def restart(self, start: Sequence[float]) -> None:
        super().restart(start)
        self._path = []


class DriveController:
    """A differential drive: brakes on silence, and ignores commands that are too old."""

    def __init__(self, radius_m: float, separation_m: float, timeout_s: float = 0.5,
                 braking: float = 2.0) -> None:
        self._radius, self._separation = radius_m, separation_m
        self._timeout_ns = round(timeout_s * 1e9)
        self._braking = braking
        self._wanted = self._now = (0.0, 0.0)
        self._received_ns = self._updated_ns = -1

    def offer(self, forward: float, turn: float, age_ns: int, now_ns: int) -> str:
        """Take velocities [m/s, rad/s] and their age by their stamp; a Twist has none: 0."""
        if not (math.isfinite(forward) and math.isfinite(turn)):
            return "not finite"
        if age_ns > self._timeout_ns:
            return f"{age_ns / 1e9:.3f} s old"
        self._wanted, self._received_ns = (forward, turn), now_ns
        return ""

    def velocity(self, now_ns: int) -> tuple[float, float]:
        """Return what is driven now [m/s, rad/s]: on silence it falls to 0 steadily."""
        since_s = max(0, now_ns - self._updated_ns) / 1e9 if self._updated_ns >= 0 else 0.0
        self._updated_ns = now_ns
        if self._received_ns >= 0 and now_ns - self._received_ns <= self._timeout_ns:
            self._now = self._wanted
        else:
            forward, turn = self._now
            self._now = (_towards_zero(forward, self._braking * since_s),
                         _towards_zero(turn, 2 * self._braking * since_s))
        return self._now

    def wheels(self, now_ns: int) -> tuple[float, float]:
        """Return the speeds of the left and the right wheel [rad/s]."""
        forward, turn = self.velocity(now_ns)
        half = turn * self._separation / 2
        return (forward - half) / self._radius, (forward + half) / self._radius

    def restart(self) -> None:
        self._wanted = self._now = (0.0, 0.0)
        self._received_ns = -1


def _towards_zero(value: float, by: float) -> float:
    return math.copysign(max(0.0, abs(value) - by), value)
