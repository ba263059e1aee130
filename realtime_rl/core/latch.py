"""The plant's side of a command: the newest one counts, once; silence means the safe command."""

from __future__ import annotations

from realtime_rl.core.records import Command
from realtime_rl.core.types import Action, ActionSpace, Cause


class CommandLatch:
    """Holds the newest command until a tick latches it.

    A command is latched once. A tick that finds none was left alone by the actuator: it gets the
    safe command and the cause `NONE`, which is the plant's own watchdog.
    """

    def __init__(self, space: ActionSpace, safe: Action | None = None) -> None:
        """Apply `safe` (the no-op when not given) where the actuator is silent."""
        self._space = space
        self._safe = space.noop if safe is None else safe
        self._newest: Command | None = None
        self.refused = 0
        """How many commands were not in the action space."""

    def offer(self, command: Command) -> bool:
        """Take a command in; return whether it is one that the plant can apply."""
        if self._space.problem(command.action) is not None:
            self.refused += 1
            return False
        self._newest = command
        return True

    def latch(self) -> Command:
        """Return what acts at this tick."""
        newest, self._newest = self._newest, None
        return newest if newest is not None else Command(0, Cause.NONE, self._safe)
