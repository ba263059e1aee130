"""How a graph is at this moment: who acts, and whether the plant still ticks."""

from __future__ import annotations

import math
from dataclasses import dataclass

from realtime_rl.core.enumerations import Phase, StopCause
from realtime_rl.core.figures.robot_figures import words_of
from realtime_rl.core.messages.records import RobotRecord, Timestep
from realtime_rl.core.types import Cause

_APART_TICKS = 2
"""A robot's newest record is at most so far from the newest tick, or it says nothing of that."""
_STILL_PERIODS, _STILL_S = 4, 0.25
"""A plant that starts no tick for longer than both stands still: it is not merely late."""


def still_s(period_ns: int) -> float:
    """Return from how long without a tick on a plant stands still [s]."""
    return max(_STILL_PERIODS * period_ns / 1e9, _STILL_S)


@dataclass(frozen=True, slots=True)
class Present:
    """The newest tick, and what of the last seconds still counts now."""

    step: Timestep | None = None
    silent_s: float = 0.0
    """How long ago the newest tick was heard of [s]."""
    stood_still_s: float = 0.0
    """The longest time between two ticks, where the plant stood still for it [s]; 0: it did not."""
    since_s: float = math.nan
    """How long ago it went on [s]."""
    operator_s: float = math.nan
    """How long ago a person acted [s]; NaN: nobody did."""
    robot: RobotRecord | None = None
    """The newest of a robot; `None`: the plant is none, or its record is not heard."""

    @property
    def stopped(self) -> bool:
        """Whether a stop is in force: a robot's cause is that, too, between two episodes."""
        if self.step is None or self.step.cause is not Cause.STOP:
            return False
        return self._doing is None or self._doing.phase is not Phase.ENDED

    @property
    def stop(self) -> str:
        """Say whether a stop is in force."""
        if not self.stopped:
            return "released"
        by = StopCause(0 if self._doing is None else self._doing.stopped_by)
        return f"in force{f' ({words_of(by)})' if by else ''}, until it is released"

    @property
    def _doing(self) -> RobotRecord | None:
        """What the robot says of the newest tick."""
        if self.step is None or self.robot is None:
            return None
        return self.robot if abs(self.robot.tick - self.step.tick) <= _APART_TICKS else None

    @property
    def silent(self) -> bool:
        """Whether the plant is not heard any more."""
        return self.step is not None and self.silent_s > still_s(self.step.period_ns)

    @property
    def standstill(self) -> str:
        """Say that the plant stands still, or stood still just now; empty where it did not."""
        if self.silent:
            return f"no tick for {self.silent_s:.1f} s: the plant stands still, or is not heard"
        if self.stood_still_s:
            return f"the plant stood still for {self.stood_still_s:.1f} s, {self.since_s:.0f} s ago"
        return ""

    @property
    def who(self) -> str:
        """Say who acts."""
        step = self.step
        if step is None or self.silent:
            return "nobody: no tick is heard"
        if step.cause is Cause.POLICY:
            return f"policy: worker {step.worker}, version {step.version}"
        return {Cause.DEFAULT: "default policy: no action came in time",
                Cause.OPERATOR: "operator",
                Cause.STOP: ("stop: the safe command" if self.stopped
                             else "nobody: between two episodes"),
                Cause.NONE: "nobody: no command came"}[step.cause]

    @property
    def operator(self) -> str:
        """Say whether a person acts."""
        if self.step is not None and self.step.cause is Cause.OPERATOR and not self.silent:
            return "acts"
        return ("has not acted" if math.isnan(self.operator_s)
                else f"acted {self.operator_s:.0f} s ago")
