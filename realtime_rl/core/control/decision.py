"""What the arbiter decided: what is to be sent now, and to whom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from realtime_rl.core.control.in_flight import Received
from realtime_rl.core.messages.plan import Plan
from realtime_rl.core.messages.records import Command, Verdict


@dataclass(slots=True)
class Decision:
    """What to send now: commands to the plant, verdicts for the record, plans to the workers."""

    commands: list[Command] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)

    def supersede(self, received: Iterable[Received]) -> None:
        """Say of actions that newer commands take their place."""
        self.verdicts += [each.superseded() for each in received]
