"""How one action's elements move: from what they are measured at, by behaviours and by orders."""

from __future__ import annotations

from collections.abc import Mapping

from realtime_rl.core.robot import measuring
from realtime_rl.core.robot.contract import ActionGroup, Contract
from realtime_rl.core.robot.contract_choices import Behaviour, Mode
from realtime_rl.core.robot.limits import Step, Values, limiter

_POSITIONS = (Mode.POSITION, Mode.DELTA)
_ROUNDING = 1e-6
"""A measured position may be so far beyond its limits [rad or m]."""


class ActionMotion:
    """Of one action; `begin` must have succeeded before anything is sent.

    Limits hold between two commands that are sent, as if a period lay between them, however many
    ticks did: a robot that was sent nothing meanwhile holds what it was sent last.
    """

    def __init__(self, contract: Contract, group: ActionGroup) -> None:
        """Move as a contract says for one of its actions."""
        self.group = group
        self._limits = contract.limits[group.places]
        self._scales = contract.scales[group.places]
        self._limiter = limiter(group.mode, self._limits, contract.excess, contract.robot.period)
        self._by_position = group.mode in _POSITIONS
        self._measured = self._by_position and measuring.source_of(contract, group) is not None
        self._forgotten_after_ns = contract.silence_ns
        self._sent_ns: int | None = None
        self._begun = False
        self._hold: Values | None = None
        self._origin: Values = ()
        self._last_step: Values | None = None
        self._mute = False

    def begin(self, positions: Mapping[str, float], now_ns: int, *, mute: bool = False) -> str:
        """Stand where the elements are measured, or go on from the last command.

        Args:
            positions: of elements, as measured.
            now_ns: monotonic time.
            mute: nothing is sent until the next call, whatever is asked for.

        Returns:
            why that cannot be, in one line; empty: it stands.
        """
        self._mute = mute
        if self._sent_ns is not None and now_ns - self._sent_ns <= self._forgotten_after_ns:
            return ""
        self._begun, self._hold = False, None
        if self._by_position and not self._measured:
            return ""
        values = (0.0,) * len(self._limits)
        if self._by_position:
            absent = [name for name in self.group.config.names if name not in positions]
            if absent:
                return f"action.{self.group.name}: {absent[0]!r} has no measured position"
            values = tuple(positions[name] for name in self.group.config.names)
            for name, value, limit in zip(self.group.config.names, values, self._limits,
                                          strict=True):
                if limit.has_positions and not (limit.min_position - _ROUNDING <= value
                                                <= limit.max_position + _ROUNDING):
                    return (f"limits.{name}: it is at {value:.4f}, which is beyond "
                            f"{limit.min_position:g} … {limit.max_position:g}; move it there by "
                            "hand, or widen its limits")
        self._start(values)
        return ""

    def depart(self) -> None:
        """Begin to blend from where it comes to rest."""
        self._origin = self._limiter.resting

    def first_problem(self, values: Values, positions: Mapping[str, float], most: float) -> str:
        """Say in one line why a first order is refused; empty: it is not.

        Args:
            values: of the order, as `propose` takes them.
            positions: as measured.
            most: the farthest that a target may be from there; 0: anywhere.
        """
        if not self._begun or not self._by_position or not most:
            return ""
        for name, value, last in zip(self.group.config.names, values, self._limiter.values,
                                     strict=True):
            target = last + value if self.group.mode is Mode.DELTA else value
            here = positions.get(name, last)
            if abs(target - here) > most:
                return (f"action.{self.group.name}: first target of {name!r} is {target:.4f}, it "
                        f"is at {here:.4f}: {abs(target - here):.4f} away, start.max_first_step "
                        f"allows {most:g}")
        return ""

    def propose(self, values: Values, share: float) -> Step:
        """Return what of an order may be sent; `act` sends it.

        Args:
            values: in the robot's units; of `Mode.DELTA` the steps.
            share: of the blend from where it departed; 1: it is over.
        """
        if not self._begun:  # nobody knows where it is, as of a button
            self._start(values)
        if self.group.mode is Mode.DELTA:
            return self._limiter.towards(tuple(
                last + share * value for last, value in
                zip(self._limiter.values, values, strict=True)), stepwise=True)
        return self._blend(values, share)

    def act(self, step: Step, now_ns: int) -> Values | None:
        """Send what `propose` returned."""
        self._hold = None
        return self._send(step, now_ns)

    def behave(self, behaviour: Behaviour, positions: Mapping[str, float], now_ns: int
               ) -> Values | None:
        """Return what is sent where no order is; `None`: nothing."""
        self._last_step = None
        if behaviour is Behaviour.SEND_NOTHING or not self._begun:
            return None
        if behaviour is Behaviour.ZERO_VELOCITY:
            zeros = (0.0,) * len(self._limits)
            return self._send(Step(zeros, (), zeros), now_ns)
        if behaviour is Behaviour.DECELERATE:
            return self._send(self._limiter.towards((0.0,) * len(self._limits)), now_ns)
        if self._hold is None:
            resting = self._limiter.resting
            self._hold = resting if behaviour is Behaviour.HOLD_LAST else tuple(
                positions.get(name, rest)
                for name, rest in zip(self.group.config.names, resting, strict=True))
        return self._send(self._limiter.towards(self._hold), now_ns)

    def pose(self, share: float, now_ns: int) -> Values | None:
        """Send the next step to the pose between two episodes."""
        return self.act(self._blend(self.group.config.pose, share), now_ns)

    @property
    def at_pose(self) -> bool:
        """Whether it was sent its pose."""
        return self._limiter.values == self.group.config.pose

    def done(self, noop: Values) -> Values:
        """Return what was sent last, as the policy would have asked for it."""
        if self._last_step is None:
            return noop
        values = (self._last_step if self.group.mode is Mode.DELTA else self._limiter.values)
        return tuple((value - offset) / scale
                     for value, (scale, offset) in zip(values, self._scales, strict=True))

    def _blend(self, values: Values, share: float) -> Step:
        return self._limiter.towards(values if share >= 1.0 else tuple(
            start + share * (value - start)
            for start, value in zip(self._origin, values, strict=True)))

    def _start(self, values: Values) -> None:
        self._limiter.begin(values)
        self._origin = values
        self._begun, self._hold = True, None

    def _send(self, step: Step, now_ns: int) -> Values | None:
        if self._mute:
            self._last_step = (0.0,) * len(self._limits)
            return None
        self._last_step = tuple(sent - last for sent, last in
                                zip(step.values, self._limiter.values, strict=True))
        self._limiter.keep(step)
        self._sent_ns = now_ns
        return step.values
