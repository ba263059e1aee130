"""One axis of a gamepad: how far it is moved, wherever it rests.

Sticks rest at 0, triggers at one end: `joy_node` sends +1 for an Xbox pad's trigger that nobody
touches, and -1 for one that is pulled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from realtime_rl.core.errors import ConfigError

DEADZONE = 0.1
"""Share of the travel that counts as at rest: sticks seldom come back to the middle exactly."""


@dataclass(frozen=True, slots=True)
class JoystickAxis:
    """An axis of a `Joy` message, of which it is known where it rests."""

    index: int
    rest: float = 0.0
    """Its value when nobody touches it, in [-1, 1]."""

    def __post_init__(self) -> None:
        """Refuse a rest that no axis can have."""
        if not -1.0 <= self.rest <= 1.0:
            raise ConfigError(f"axis {self.index} cannot rest at {self.rest!r}: its values are "
                              "-1 … 1")

    def travels(self, sign: int) -> bool:
        """Whether it can be moved in that direction (1 or -1) from where it rests."""
        return self.rest != sign

    def moved(self, axes: Sequence[float], deadzone: float = 0.0) -> float:
        """Return how far it is moved, in [-1, 1]: 0 at rest, 1 or -1 at an end of its travel.

        Args:
            axes: of the message; one that it does not have is not moved.
            deadzone: share of the travel that counts as at rest; the rest of it counts from 0 on.
        """
        if self.index >= len(axes):
            return 0.0
        deflection = axes[self.index] - self.rest
        travel = 1.0 - self.rest if deflection > 0 else 1.0 + self.rest
        share = min(1.0, abs(deflection) / travel) if travel else 0.0
        return math.copysign(max(0.0, (share - deadzone) / (1.0 - deadzone)), deflection)
