"""Commands on their way: sent to the plant, and no tick is known yet to have latched them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from realtime_rl.core.enumerations import Reason
from realtime_rl.core.messages.records import ActionMessage, Command, Timestep, Verdict
from realtime_rl.core.types import Cause

_FORGOTTEN_AFTER_TICKS, _FORGOTTEN_AFTER_NS = 64, 1_000_000_000
"""A command that the plant has not latched after both was lost with the plant."""
_MOST = 8192
"""Commands that wait at most, as when the plant is never heard of."""


@dataclass(frozen=True, slots=True)
class Received:
    """An action as it reached the actuator."""

    message: ActionMessage
    arrival_s: float
    """Since the actuator's start."""
    age_s: float = math.nan
    """How long before that its observation's tick was."""

    def applied(self, tick: int, rows: int = 0) -> Verdict:
        """The plant latched it at `tick`; of a chunk `rows` of its rows, from that tick on."""
        return Verdict.applied(self.message, tick, self.arrival_s, self.age_s, rows)

    def superseded(self) -> Verdict:
        """A newer command takes its place."""
        return Verdict.superseded(self.message, self.arrival_s, self.age_s)

    def rejected(self, reason: Reason) -> Verdict:
        """It is refused."""
        return Verdict.rejected(self.message, reason, self.arrival_s, self.age_s)


@dataclass(frozen=True, slots=True)
class _Sent:
    command: Command
    target_tick: int
    received: Received | None
    number: int
    """Commands are numbered as they are sent."""


class InFlight:
    """Remembers commands in the order in which they were sent."""

    def __init__(self, period_ns: int) -> None:
        """Begin with none."""
        self._sent: list[_Sent] = []
        self._numbered = 0
        self._latched_number = 0
        self._forgotten_after = max(_FORGOTTEN_AFTER_TICKS, -(-_FORGOTTEN_AFTER_NS // period_ns))

    def add(self, command: Command, target_tick: int, received: Received | None) -> list[Received]:
        """Take in a command for `target_tick`, and the action that it carries out.

        Returns:
            Actions that are given up for it.
        """
        self._numbered += 1
        self._sent.append(_Sent(command, target_tick, received, self._numbered))
        return self._give_up(max(0, len(self._sent) - _MOST))

    def reach(self, tick: int, settled: bool) -> bool:
        """Whether there is a command that `tick` may latch.

        An action meant for the tick before may have missed it: unless that tick's record shows it
        latched, it counts, as filling the tick in vain would cost the action. Other commands only
        count for their own tick, or once the tick before is `settled` without them.
        """
        return any(
            sent.number > self._latched_number
            and sent.target_tick >= (tick - 1 if sent.received is not None
                                     or (settled and sent.command.cause is not Cause.DEFAULT)
                                     else tick)
            for sent in self._sent)

    def carries_row_of(self, observation_tick: int) -> bool:
        """Whether a row of the chunk of that observation is on its way."""
        return any(sent.command.observation_tick == observation_tick and sent.command.row >= 0
                   for sent in self._sent)

    def settle(self, step: Timestep) -> tuple[list[Received], Received | None]:
        """Match what the plant latched with what was sent.

        Two defaults look alike in a timestep: the oldest that fits is taken, so that no action
        is called superseded that may still be latched. A robot may latch an action and not carry
        it out, as when it is stopped: its timestep then names the action and another cause.

        Returns:
            The actions that were superseded, and the one that was applied.
        """
        like = [index for index, sent in enumerate(self._sent) if _same(sent.command, step)]
        superseded, applied = [], None
        if like:
            self._latched_number = self._sent[like[-1]].number
            superseded = self._give_up(like[0])
            latched = self._sent.pop(0)
            if latched.command.cause is step.cause:
                applied = latched.received
            elif latched.received is not None:
                superseded.append(latched.received)
        return superseded + self.forget(step.tick), applied

    def forget(self, tick: int) -> list[Received]:
        """Give up what should have been latched long before `tick`; return its actions."""
        lost = 0
        while lost < len(self._sent) \
                and self._sent[lost].target_tick < tick - self._forgotten_after:
            lost += 1
        return self._give_up(lost)

    def clear(self) -> list[Received]:
        """Give up all; return the actions."""
        return self._give_up(len(self._sent))

    def _give_up(self, count: int) -> list[Received]:
        """Forget the oldest commands."""
        given_up, self._sent[:count] = self._sent[:count], []
        return [sent.received for sent in given_up if sent.received is not None]


def _same(command: Command, step: Timestep) -> bool:
    return (command.worker == step.worker and command.observation_tick == step.observation_tick
            and command.row == step.row
            and (command.cause is step.cause or command.observation_tick >= 0))
