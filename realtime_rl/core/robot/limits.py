"""What a robot may be asked for: position, velocity, acceleration, step, effort.

A limiter is of one action. It knows what was sent last, says what of a target may be sent next,
and keeps that only once it was sent (`keep`). Whatever the targets are, its limits hold; a target
that itself keeps them is sent as it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from realtime_rl.core.robot.contract_choices import Excess, Mode
from realtime_rl.core.robot.joint_steps import joint_of
from realtime_rl.core.robot.sections import Limit

_RESOLUTION = 2.0**-22
"""Actions travel as float32: a target that is missed by so much of it was not limited."""
_TINY = 1e-3
"""Of targets nearer to zero, so much of this."""

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


class PositionLimiter(Limiter):
    """Of positions: braking before a limit is always possible, a target is never passed by."""

    def __init__(self, limits: Sequence[Limit], excess: Excess, period_s: float) -> None:
        """See `Limiter`."""
        super().__init__(limits, excess, period_s)
        self._joints = tuple(joint_of(limit, period_s) for limit in limits)

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
