"""What a robot may be asked for: position, velocity, acceleration, step, effort.

A limiter is of one action. It knows what was sent last, says what of a target may be sent next,
and keeps that only once it was sent (`keep`). Whatever the targets are, its limits hold; a target
that itself keeps them is sent as it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from realtime_rl.core.robot.sections import Excess, Limit, Mode

_RESOLUTION = 2.0**-22
"""Actions travel as float32: a target that is missed by so much of it was not limited."""
_TINY = 1e-3
"""Of targets nearer to zero, so much of this."""
_SLACK = 1e-10
"""Velocities may be too large by so much [m/s or rad/s]: what rounding does to those allowed."""
_PLANNED = 1.0 - 1e-6
"""Share of the acceleration with which braking is planned: the rest makes up for rounding."""
_FAR = 1e150
"""Positions [rad or m] without limits."""

Values = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """What may be sent next."""

    values: Values
    limited: tuple[bool, ...]
    """Which elements do not do all that was asked for."""
    targets: Values
    """What was asked for."""


class Limiter:
    """Of the elements of one action."""

    def __init__(self, limits: Sequence[Limit], excess: Excess, period_s: float) -> None:
        """Limit elements as `limits` says, in order; `period_s` is between two commands."""
        self._limits = tuple(limits)
        self._excess = excess
        self._period_s = period_s
        self.values: Values = (0.0,) * len(self._limits)
        """What was sent last."""

    def begin(self, values: Values) -> None:
        """Go on from `values`, at rest."""
        self.values = values

    def towards(self, targets: Values, *, stepwise: bool = False) -> Step:
        """Return what of finite `targets` may be sent next.

        Args:
            targets: one an element.
            stepwise: they are no places to arrive at but steps, as those of `Mode.DELTA`.
        """
        raise NotImplementedError

    def keep(self, step: Step) -> None:
        """Remember that it was sent."""
        self.values = step.values

    @property
    def resting(self) -> Values:
        """Where the elements are when they have come to rest as soon as they can."""
        return (0.0,) * len(self.values)


def limiter(mode: Mode, limits: Sequence[Limit], excess: Excess, period_s: float) -> Limiter:
    """Make the limiter of an action of that mode."""
    kind = {Mode.VELOCITY: VelocityLimiter, Mode.EFFORT: EffortLimiter}.get(mode, PositionLimiter)
    return kind(limits, excess, period_s)


@dataclass(slots=True)
class _Joint:
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


class PositionLimiter(Limiter):
    """Of positions: braking before a limit is always possible, a target is never passed by."""

    def __init__(self, limits: Sequence[Limit], excess: Excess, period_s: float) -> None:
        """See `Limiter`."""
        super().__init__(limits, excess, period_s)
        self._joints = tuple(_joint(limit, period_s) for limit in limits)

    def begin(self, values: Values) -> None:
        """Go on from `values`, at rest."""
        super().begin(values)
        for joint, value in zip(self._joints, values, strict=True):
            joint.step = joint.target_step = 0.0
            joint.target = value
            joint.arrived = True

    def towards(self, targets: Values, *, stepwise: bool = False) -> Step:
        """Return what of finite `targets` may be sent next; see `Limiter`."""
        ways, steps, bounds = [], [], []
        for joint, value, asked in zip(self._joints, self.values, targets, strict=True):
            target = min(max(asked, joint.low), joint.high)
            way = target - value
            least, most = joint.bounds(value)
            allowed = least - joint.slack <= way <= most + joint.slack
            if allowed and (joint.arrived or stepwise):
                step = way
            else:
                step = way if stepwise else joint.approach(way, target)
                step = min(max(step, least), most)
            ways.append(way)
            steps.append(step)
            bounds.append((least, most))
        if self._excess is Excess.SCALE and steps != ways:
            share = _share(ways, steps, bounds)
            if share is not None:
                steps = [share * way for way in ways]
        values = tuple(
            min(max(asked if step == way else value + step, joint.low), joint.high)
            for joint, value, asked, way, step in zip(
                self._joints, self.values, targets, ways, steps, strict=True))
        return Step(values, tuple(map(_missed, values, targets)), targets)

    def keep(self, step: Step) -> None:
        """Remember that it was sent."""
        for joint, value, sent, asked in zip(self._joints, self.values, step.values,
                                             step.targets, strict=True):
            target = min(max(asked, joint.low), joint.high)
            joint.step = sent - value
            joint.target_step = target - joint.target
            joint.target = target
            joint.arrived = not _missed(sent, target)
        super().keep(step)

    @property
    def resting(self) -> Values:
        """Where the elements are when they have come to rest as soon as they can."""
        return tuple(value + joint.rest_way(joint.step)
                     for joint, value in zip(self._joints, self.values, strict=True))


class VelocityLimiter(Limiter):
    """Of velocities: how large they are, and how quickly they change."""

    def __init__(self, limits: Sequence[Limit], excess: Excess, period_s: float) -> None:
        """See `Limiter`."""
        super().__init__(limits, excess, period_s)
        self._most = tuple(limit.max_velocity or math.inf for limit in limits)
        self._change = tuple(limit.max_acceleration * period_s or math.inf for limit in limits)

    def towards(self, targets: Values, *, stepwise: bool = False) -> Step:
        """Return what of finite `targets` may be sent next; see `Limiter`."""
        del stepwise
        scale = self._excess is Excess.SCALE
        aims = _within(targets, self._most, scale=scale)
        changes = tuple(aim - value for aim, value in zip(aims, self.values, strict=True))
        allowed = _within(changes, self._change, scale=scale)
        values = tuple(aim if done == change else value + done for aim, value, change, done
                       in zip(aims, self.values, changes, allowed, strict=True))
        return Step(values, tuple(map(_missed, values, targets)), targets)


class EffortLimiter(Limiter):
    """Of efforts: how large they are."""

    def towards(self, targets: Values, *, stepwise: bool = False) -> Step:
        """Return what of finite `targets` may be sent next; see `Limiter`."""
        del stepwise
        most = tuple(limit.max_effort or math.inf for limit in self._limits)
        values = _within(targets, most, scale=self._excess is Excess.SCALE)
        return Step(values, tuple(map(_missed, values, targets)), targets)


def _joint(limit: Limit, period_s: float) -> _Joint:
    low, high = ((limit.min_position, limit.max_position) if limit.has_positions
                 else (-_FAR, _FAR))
    fastest = min(limit.max_velocity * period_s or math.inf, limit.max_step or math.inf)
    change = limit.max_acceleration * period_s**2 or math.inf
    joint = _Joint(low, high, fastest, change, change * _PLANNED, _SLACK * period_s)
    if math.isfinite(fastest + change):
        joint.braking = fastest + joint.rest_way(fastest)
    return joint


def _share(ways: Sequence[float], steps: Sequence[float],
           bounds: Sequence[tuple[float, float]]) -> float | None:
    """Return the share of their ways that all elements can do at once; `None`: there is none."""
    least, most = 0.0, 1.0
    for way, step, (low, high) in zip(ways, steps, bounds, strict=True):
        if way == 0.0:
            if step != 0.0:
                return None
            continue
        most = min(most, step / way)
        least = max(least, (low if way > 0 else high) / way)
    return most if most >= least else None


def _within(values: Values, most: Values, *, scale: bool) -> Values:
    """Return values not larger than `most`: each by itself, or all by one factor."""
    if scale:
        share = min((bound / abs(value) for value, bound in zip(values, most, strict=True)
                     if abs(value) > bound), default=1.0)
        values = values if share == 1.0 else tuple(share * value for value in values)
    return tuple(min(max(value, -bound), bound) for value, bound in zip(values, most, strict=True))


def _missed(value: float, target: float) -> bool:
    return abs(value - target) > _RESOLUTION * max(abs(target), _TINY)
