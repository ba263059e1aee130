"""What a robot is sent at a tick, and why: nothing moves it unasked, nothing jumps.

It waits until it knows where the robot is, holds it there, blends into what a policy or a person
asks for, and follows that within the limits; then stops, and episodes that end. Times are in
nanoseconds on one monotonic clock.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from realtime_rl.core.enumerations import Phase, StopCause
from realtime_rl.core.messages.records import Command
from realtime_rl.core.robot.action_motion import ActionMotion
from realtime_rl.core.robot.contract import Contract
from realtime_rl.core.robot.contract_choices import Behaviour, Excess, OnEnd
from realtime_rl.core.robot.guards import NOTHING, Stops
from realtime_rl.core.robot.limits import Values
from realtime_rl.core.types import Action, Cause

_ACTS = (Cause.POLICY, Cause.OPERATOR)
_SERVICE = "stopped by the service stop"
_SILENCE, _UNHEARD = "the actuator is silent", "waiting for the actuator"


@dataclass(frozen=True, slots=True)
class Sent:
    """What a tick came to."""

    values: tuple[Values | None, ...]
    """To each action's topic, in the robot's units; `None`: nothing is sent there."""
    elements: Values
    """The same, one an element; NaN: nothing."""
    phase: Phase
    cause: Cause
    """Of what was sent: the command's own, where it was carried out."""
    acted: Action
    """What was done, as the policy would have asked for it."""
    limited: tuple[bool, ...] = ()
    """Of each element: less was done than was asked for."""
    stopped_by: StopCause = NOTHING
    why: str = ""
    """In one line, why the robot does not do what is asked for; empty: it does."""


class Motion:
    """Decides what a robot is sent."""

    def __init__(self, contract: Contract) -> None:
        """Move a robot as its contract says."""
        self._contract = contract
        self._space = contract.spec.actions
        self._parts = tuple(ActionMotion(contract, group) for group in contract.actions)
        self._allowed = not contract.start.require_service
        self._begun = False
        self._actor: Cause | Phase | None = None
        """Whom it follows: a cause, or `ENDED` to its pose."""
        self._overdue = False
        self._heard = False
        self._since_ns = 0
        self._acted_ns = 0

    def start(self) -> None:
        """Let policies act: the service `start` was called."""
        self._allowed = True

    @property
    def at_pose(self) -> bool:
        """Whether all that goes to a pose between two episodes is there."""
        return all(part.at_pose for part in self._parts if _poses(part))

    def tick(self, command: Command, positions: Mapping[str, float], now_ns: int, *,
             stops: Stops | None = None, waiting: Sequence[str] = (), ended: bool = False,
             overdue: bool = False) -> Sent:
        """Say what is sent.

        Args:
            command: that was latched.
            positions: of elements, as measured; those that are unknown are absent.
            now_ns: monotonic time.
            stops: of the robot's own.
            waiting: for which sources, in words.
            ended: an episode did, and the next has not begun.
            overdue: the next tick is due already, as after a pause of this process. Nothing is
                sent then, so that the robot gets no two commands at once; the next one goes on
                from the last one that was sent, by no more than a tick's step.
        """
        self._overdue = overdue
        self._heard |= command.cause is not Cause.NONE
        stopped_by, reasons = _stopped_by(command, stops or Stops(),
                                          _SILENCE if self._heard else _UNHEARD)
        lacking = "; ".join(waiting)
        begun = [part.begin(positions, now_ns, mute=overdue) for part in self._parts]
        problem = next(filter(None, begun), "")
        if not self._begun and (lacking or problem):
            return self._sent([None] * len(self._parts), Phase.WAITING, _cause_of_stop(stopped_by),
                              stopped_by=stopped_by, why="; ".join((*reasons, lacking or problem)))
        self._begun = True
        if stopped_by:
            if stopped_by != StopCause.SILENCE or self._silent(now_ns):
                self._actor = None
            return self._behave(Phase.STOPPED, positions, now_ns, cause=_cause_of_stop(stopped_by),
                                stopped_by=stopped_by, why="; ".join(reasons))
        if ended:
            return self._end(positions, now_ns, lacking or problem)
        if self._silent(now_ns) or lacking:
            self._actor = None
        if command.cause not in _ACTS or lacking or problem:
            return self._idle(positions, now_ns, lacking or problem)
        return self._follow(command, positions, now_ns)

    def _follow(self, command: Command, positions: Mapping[str, float], now_ns: int) -> Sent:
        """Do what a policy or a person asks for, as far as it may be done."""
        asked = self._asked(command.action)
        if asked is None:
            return self._idle(positions, now_ns, f"action {command.action} is not in the space "
                                                 f"'{self._space}'")
        if self._actor is not command.cause:
            problem = self._refused(command.cause, asked, positions)
            if problem:
                self._actor = None
                return self._idle(positions, now_ns, problem)
            self._depart(command.cause, now_ns)
        share = self._share(now_ns)
        steps = [part.propose(asked[part.group.places], share) for part in self._parts]
        limited = tuple(each for step in steps for each in step.limited)
        if share >= 1.0 and self._contract.excess is Excess.REJECT and any(limited):
            self._acted_ns = now_ns
            return self._behave(
                Phase.ACTING, positions, now_ns, limited=limited, why="the action is beyond the "
                f"limits of {self._contract.elements[limited.index(True)]!r}, of which limits."
                "policy rejects all")
        self._acted_ns = now_ns
        values = [part.act(step, now_ns) for part, step in zip(self._parts, steps, strict=True)]
        phase = Phase.ACTING if share >= 1.0 else Phase.BLENDING
        return self._sent(values, phase, command.cause, limited=limited,
                          acted=command.action if self._space.discrete else None)

    def _asked(self, action: Action) -> Values | None:
        """Return what an action asks of each element, in the robot's units; `None`: nonsense."""
        if self._space.problem(action) is not None:
            return None
        values = (self._contract.choices[self._space.labels[int(action[0])]]
                  if self._space.discrete else action)
        asked = tuple(value * scale + offset for value, (scale, offset)
                      in zip(values, self._contract.scales, strict=True))
        return asked if all(map(math.isfinite, asked)) else None

    def _refused(self, actor: Cause, asked: Values, positions: Mapping[str, float]) -> str:
        """Say why nobody may begin to act so; empty: he may."""
        if actor is Cause.POLICY and not self._allowed:
            return "waiting for the service start (start.require_service)"
        most = self._contract.start.max_first_step
        return next(filter(None, (part.first_problem(asked[part.group.places], positions, most)
                                  for part in self._parts)), "")

    def _end(self, positions: Mapping[str, float], now_ns: int, problem: str) -> Sent:
        """Stay, or go to the pose, until the next episode."""
        if problem or not self._allowed:
            return self._behave(Phase.ENDED, positions, now_ns, cause=Cause.STOP, why=problem)
        if self._actor is not Phase.ENDED:
            self._depart(Phase.ENDED, now_ns)
        share = self._share(now_ns)
        self._acted_ns = now_ns
        return self._sent(
            [part.pose(share, now_ns) if _poses(part) else
             part.behave(part.group.default, positions, now_ns) for part in self._parts],
            Phase.ENDED, Cause.STOP)

    def _idle(self, positions: Mapping[str, float], now_ns: int, why: str = "") -> Sent:
        """No action acts at this tick, or may."""
        phase = Phase.HOLDING if self._actor is None else (
            Phase.ACTING if self._share(now_ns) >= 1.0 else Phase.BLENDING)
        return self._behave(phase, positions, now_ns, why=why)

    def _behave(self, phase: Phase, positions: Mapping[str, float], now_ns: int, *,
                cause: Cause = Cause.DEFAULT, limited: tuple[bool, ...] = (),
                stopped_by: StopCause = NOTHING, why: str = "") -> Sent:
        behaviours: list[Behaviour] = [
            part.group.on_stop if stopped_by else part.group.default for part in self._parts]
        values = [part.behave(behaviour, positions, now_ns)
                  for part, behaviour in zip(self._parts, behaviours, strict=True)]
        return self._sent(values, phase, cause, limited=limited, stopped_by=stopped_by, why=why)

    def _sent(self, values: Sequence[Values | None], phase: Phase, cause: Cause, *,
              limited: tuple[bool, ...] = (), stopped_by: StopCause = NOTHING, why: str = "",
              acted: Action | None = None) -> Sent:
        if self._overdue and cause in _ACTS:
            cause, acted = Cause.DEFAULT, None
        elements = tuple(
            value for part, each in zip(self._parts, values, strict=True)
            for value in each or (math.nan,) * len(part.group.config.names))
        return Sent(tuple(values), elements, phase, cause, self._done() if acted is None else acted,
                    limited or (False,) * len(elements), stopped_by, why)

    def _done(self) -> Action:
        """Return what was done, as the policy would have asked for it, and could have."""
        if self._space.discrete:
            return self._space.noop
        done = (value for part in self._parts
                for value in part.done(self._space.noop[part.group.places]))
        return tuple(min(max(value, low), high) for value, low, high
                     in zip(done, self._space.low, self._space.high, strict=True))

    def _depart(self, actor: Cause | Phase, now_ns: int) -> None:
        """Begin to blend into what somebody asks for."""
        self._actor, self._since_ns = actor, now_ns
        for part in self._parts:
            part.depart()

    def _share(self, now_ns: int) -> float:
        """Return how much of what is asked for counts beside what was held: from 0 to 1.

        It begins and ends without a jump of the velocity: 3 s² - 2 s³ (smoothstep).
        """
        ramp_ns = self._contract.start.ramp * 1e9
        elapsed = (now_ns - self._since_ns) / ramp_ns if ramp_ns else 1.0
        return 1.0 if elapsed >= 1.0 else elapsed * elapsed * (3.0 - 2.0 * elapsed)

    def _silent(self, now_ns: int) -> bool:
        """Whether nobody acted for so long that the next action is a first one."""
        return now_ns - self._acted_ns > self._contract.silence_ns


def _poses(part: ActionMotion) -> bool:
    return part.group.config.on_end == OnEnd.POSE.word


def _stopped_by(command: Command, stops: Stops, silence: str
                ) -> tuple[StopCause, tuple[str, ...]]:
    """Return what stops the robot at a tick, and the reasons in words."""
    causes, reasons = stops.causes, stops.reasons
    if command.cause is Cause.OPERATOR and causes == StopCause.DEADMAN:
        return NOTHING, ()  # a person acts: the deadman is the policy's
    if command.cause is Cause.STOP:
        return causes | StopCause.SERVICE, (*reasons, _SERVICE)
    if command.cause is Cause.NONE:
        return causes | StopCause.SILENCE, (*reasons, silence)
    return causes, reasons


def _cause_of_stop(stopped_by: StopCause) -> Cause:
    if not stopped_by:
        return Cause.DEFAULT
    return Cause.NONE if stopped_by == StopCause.SILENCE else Cause.STOP
