"""The steps of one element with a position: each keeps its limits, and leaves room to brake."""

from __future__ import annotations

import math
from dataclasses import dataclass

from realtime_rl.core.robot.sections import Limit

_SLACK = 1e-10
"""Velocities may be too large by so much [m/s or rad/s]: what rounding does to those allowed."""
_PLANNED = 1.0 - 1e-6
"""Share of the acceleration with which braking is planned: the rest makes up for rounding."""
_FAR = 1e150
"""Positions [rad or m] without limits."""


@dataclass(slots=True)
class Joint:
    """An element with a position: its limits by the tick, and how it moves."""

    low: float
    high: float
    fastest: float
    """Longest step of a tick."""
    change: float
    """By how much a step may differ from the one before."""
    planned: float
    """By how much it does when it comes to rest."""
    slack: float
    braking: float = math.inf
    """Way from the fastest step to rest."""
    step: float = 0.0
    """The last one."""
    target: float = 0.0
    target_step: float = 0.0
    arrived: bool = True
    """The last command was the target."""

    def reach(self, way: float) -> float:
        """Return the longest step after which rest is possible within `way`, the step included.

        From a step u, the ways of the ticks are u, u - c, u - 2c, … until rest (c: the change
        planned); their sum is piecewise linear in u, and is inverted here.
        """
        if way <= self.planned:
            return min(max(way, 0.0), self.fastest)
        if way >= self.braking:
            return self.fastest
        ticks = math.floor((math.sqrt(1.0 + 8.0 * way / self.planned) - 1.0) / 2.0)
        return min(way / (ticks + 1) + self.planned * ticks / 2.0, self.fastest)

    def rest_way(self, step: float) -> float:
        """Return the way that is made after a step until rest, as soon as possible."""
        if math.isinf(self.planned):
            return 0.0
        ticks = math.floor(abs(step) / self.planned)
        return math.copysign(ticks * abs(step) - self.planned * ticks * (ticks + 1) / 2.0, step)

    def bounds(self, value: float) -> tuple[float, float]:
        """Return the least and the largest step that keep all limits, now and later on."""
        least = max(self.step - self.change, -self.fastest, -self.reach(value - self.low))
        most = min(self.step + self.change, self.fastest, self.reach(self.high - value))
        if least > most:  # by rounding: the position's limit counts
            return (most, most) if self.step > 0 else (least, least)
        return least, most

    def approach(self, way: float, target: float) -> float:
        """Return the step that reaches a target `way` ahead without passing it.

        The target may move on as it did, by what both of its last steps had in common, and come
        to rest as soon as this joint could: that is where this joint can come to rest, too.
        """
        moved = target - self.target
        steady = (min(abs(moved), abs(self.target_step), self.fastest)
                  if moved * self.target_step > 0 else 0.0)
        steady = math.copysign(steady, moved)
        if abs(way - steady) <= self.planned:
            return way
        rest = way + self.rest_way(steady)
        return math.copysign(self.reach(abs(rest)), rest)


def joint_of(limit: Limit, period_s: float) -> Joint:
    """Make a joint, at rest, of its limits; `period_s` is between two commands."""
    low, high = ((limit.min_position, limit.max_position) if limit.has_positions
                 else (-_FAR, _FAR))
    fastest = min(limit.max_velocity * period_s or math.inf, limit.max_step or math.inf)
    change = limit.max_acceleration * period_s**2 or math.inf
    joint = Joint(low, high, fastest, change, change * _PLANNED, _SLACK * period_s)
    if math.isfinite(fastest + change):
        joint.braking = fastest + joint.rest_way(fastest)
    return joint
