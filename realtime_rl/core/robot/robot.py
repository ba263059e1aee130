"""A robot at its ticks: what it is sent, what is seen of it, and what is kept of both.

Times are in nanoseconds on one monotonic clock.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from realtime_rl.core.messages.records import Command, RobotRecord
from realtime_rl.core.observations import Observation
from realtime_rl.core.robot.contract import Contract
from realtime_rl.core.robot.contract_choices import OnStale
from realtime_rl.core.robot.episodes import Episodes, Outcome
from realtime_rl.core.robot.guards import Guards
from realtime_rl.core.robot.motion import Motion, Sent
from realtime_rl.core.robot.observing import Observed, Observer


@dataclass(frozen=True, slots=True)
class RobotTick:
    """What a tick came to."""

    command: Command
    """What was done, and on whose behalf; the worker and the observation are those of what was
    latched, carried out or not."""
    sent: Sent
    observed: Observed
    outcome: Outcome
    remark: str = ""
    """In one line, what is to be said of it; empty: nothing new."""

    @property
    def observation(self) -> Observation | None:
        """What a policy sees; `None`: the tick has no observation."""
        return self.observed.observation

    def record(self, stamp_ns: int, tick: int, elements: tuple[str, ...]) -> RobotRecord:
        """Say it as a record, of commanded `elements`, of a tick with its stamp."""
        return RobotRecord(
            stamp_ns, tick, self.sent.phase, int(self.sent.stopped_by), self.sent.elements,
            tuple(self.observed.positions.get(name, math.nan) for name in elements),
            tuple(map(int, self.sent.limited)), self.observed.ages, self.observed.repeated)


class Robot:
    """Composes what listens to a robot, what guards it, and what moves it."""

    def __init__(self, contract: Contract, stops: Mapping[str, str]) -> None:
        """Begin with the robot of a contract, and with what `stops` it, from `self.stops`."""
        self.observer = Observer(contract)
        self.guards = Guards(contract)
        self.guards.restore(stops)
        self.motion = Motion(contract)
        self.episodes = Episodes(contract)
        self._why = ""

    @property
    def stops(self) -> dict[str, str]:
        """What stays stopped until it is released."""
        return self.guards.snapshot()

    def missing(self) -> str:
        """Say in one line which sources have not spoken yet; empty: all have."""
        return "; ".join(f"source.{name}: {why}" for name, why in self.observer.missing().items())

    def tick(self, command: Command, now_ns: int, *, overdue: bool = False) -> RobotTick:
        """Say what the robot is sent at a tick that latched `command`, and what is seen of it.

        `overdue`: the next tick is due already.
        """
        observed = self.observer.observe(now_ns)
        self.guards.on_sources(observed.stale[OnStale.STOP], now_ns)
        missing = self.missing()
        sent = self.motion.tick(
            command, observed.positions, now_ns, stops=self.guards.stops(now_ns),
            waiting=(missing,) if missing else (), ended=self.episodes.between,
            overdue=overdue)
        done = replace(command, cause=sent.cause, action=sent.acted)
        outcome = self.episodes.tick(observed.observation, now_ns, at_pose=self.motion.at_pose)
        remark = sent.why if sent.why != self._why else ""
        self._why = sent.why
        return RobotTick(done, sent, observed, outcome, remark)
