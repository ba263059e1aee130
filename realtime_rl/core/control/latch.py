"""The plant's side of a command: the newest one counts, once; silence means the safe command."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from realtime_rl.core.messages.records import Command, CommandOrigin
from realtime_rl.core.types import Action, ActionSpace, Cause

_KEPT = 64
"""Commands of one tick, and origins that wait for theirs: more would come from a fault."""


@dataclass(frozen=True, slots=True)
class _Bare:
    """A command in a robot's own message, which does not say on whose behalf it was sent."""

    action: Action
    stamp_ns: int


class CommandLatch:
    """Holds the newest command until a tick latches it.

    A command is latched once. A tick that finds none was left alone by the actuator: it gets the
    safe command and the cause `NONE`, which is the plant's own watchdog. Where a policy's action
    came, the default policy never replaces it: it was sent for want of that action.
    """

    def __init__(self, space: ActionSpace, safe: Action | None = None) -> None:
        """Apply `safe` (the no-op when not given) where the actuator is silent."""
        self._space = space
        self._safe = space.noop if safe is None else safe
        self._pending: deque[Command | _Bare] = deque(maxlen=_KEPT)
        self._origins: deque[CommandOrigin] = deque(maxlen=_KEPT)
        self.refused = 0
        """How many commands were not in the action space."""

    def offer(self, command: Command) -> bool:
        """Take a command in; return whether it is one that the plant can apply."""
        return self._offer(command)

    def offer_bare(self, action: Action, stamp_ns: int) -> bool:
        """Take in a command whose origin comes beside it (`note`), before or after.

        Args:
            action: what to do.
            stamp_ns: of its message [ns]; 0 for a type that has none: its origin is then the
                oldest one with the same action.
        """
        return self._offer(_Bare(action, stamp_ns))

    def note(self, origin: CommandOrigin) -> None:
        """Take in on whose behalf a command was sent."""
        self._origins.append(origin)

    def latch(self) -> Command:
        """Return what acts at this tick."""
        chosen: Command | None = None
        for each in self._pending:
            command = self._known(each) if isinstance(each, _Bare) else each
            beaten = (chosen is not None and chosen.cause is Cause.POLICY
                      and command.cause is Cause.DEFAULT)
            chosen = chosen if beaten else command
        self._pending.clear()
        return Command(Cause.NONE, self._safe) if chosen is None else chosen

    def _offer(self, command: Command | _Bare) -> bool:
        if self._space.problem(command.action) is not None:
            self.refused += 1
            return False
        self._pending.append(command)
        return True

    def _known(self, bare: _Bare) -> Command:
        """Find a command's origin; one that nobody gives was sent by a person's own driver."""
        for origin in self._origins:
            if origin.action == bare.action and bare.stamp_ns in (0, origin.stamp_ns):
                break
        else:
            return Command(Cause.OPERATOR, bare.action)
        while self._origins.popleft() is not origin:
            continue  # the command of an older one was lost
        return origin.command
