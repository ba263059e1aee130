"""What a trainer trains, in this process or in several, and where that stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from realtime_rl.core.experience.assembler import SemiMdpTransition
from realtime_rl.core.messages.policy_metadata import PolicyMetadata


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the training stands."""

    updates: int
    transitions: int
    loss: float
    """Mean since the last look; NaN when there was no update."""
    epsilon: float
    version: int
    exported_ns: int
    """When the newest policy was exported [ns, the caller's clock]; 0: never."""
    dropped: int
    """Transitions that nobody learned from, as they came faster than they were taken."""


class Learns(Protocol):
    """What a trainer trains: in this process, or several processes beside one another."""

    transitions: int
    """Transitions taken so far."""

    @property
    def updates(self) -> int:
        """Gradient updates so far."""

    @property
    def epsilon(self) -> float:
        """Exploration wanted now, in [0, 1]."""

    def add(self, transition: SemiMdpTransition) -> None:
        """Take a transition of one action, in the order in which they happened."""

    def advance(self, allowed: int) -> float | None:
        """Go on while there are fewer than `allowed` updates in all; return at once when not.

        Returns:
            A loss since the last call; `None`: no update since.

        Raises:
            LearningError: the training has to end.
        """

    def metadata(self, version: int) -> PolicyMetadata:
        """Describe the present weights as policy `version`."""

    def close(self) -> None:
        """End whatever goes on. Calling it twice is harmless."""
