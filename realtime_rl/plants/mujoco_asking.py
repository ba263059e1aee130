"""From a policy's action to what a robot is sent, as the robot's node makes it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from realtime_rl.core.enumerations import Phase
from realtime_rl.core.errors import PlantError
from realtime_rl.core.messages.records import Command
from realtime_rl.core.robot.contract import Contract
from realtime_rl.core.robot.motion import Motion
from realtime_rl.core.types import Action, Cause
from realtime_rl.plants.mujoco_observing import Seen


class Asking:
    """Starts, blends, scales and limits; an episode's own."""

    def __init__(self, contract: Contract, seen: Seen, held_at: Mapping[str, float]) -> None:
        """Hold the robot where its motors do; `PlantError` where it cannot be started there.

        Args:
            contract: of the robot.
            seen: at the first tick.
            held_at: positions that its elements were sent last, as between two episodes; of those
                without, they are as measured.
        """
        self._motion = Motion(contract)
        self._motion.start()
        held = self._motion.tick(Command(Cause.DEFAULT, contract.spec.actions.noop),
                                 {**seen.positions, **held_at}, seen.now_ns)
        if held.phase is Phase.WAITING:
            raise PlantError(f"plant 'mujoco': the robot cannot start: {held.why}")
        self._last = tuple(0.0 if math.isnan(value) else value for value in held.elements)

    @property
    def last(self) -> tuple[float, ...]:
        """What was sent last, a value an element."""
        return self._last

    def command(self, action: Action, seen: Seen) -> tuple[float, ...]:
        """Return what is sent for an action, a value an element."""
        sent = self._motion.tick(Command(Cause.POLICY, action), seen.positions, seen.now_ns)
        self._last = tuple(last if math.isnan(value) else value
                           for last, value in zip(self._last, sent.elements, strict=True))
        return self._last
