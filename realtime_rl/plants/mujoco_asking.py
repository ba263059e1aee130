"""From a policy's action to what a robot is sent, as the robot's node makes it."""

from __future__ import annotations

import math

from realtime_rl.core.enumerations import Phase
from realtime_rl.core.errors import PlantError
from realtime_rl.core.messages.records import Command
from realtime_rl.core.robot.contract import Contract
from realtime_rl.core.robot.motion import Motion, Sent
from realtime_rl.core.types import Action, Cause
from realtime_rl.plants.mujoco_observing import Seen


class Asking:
    """Starts, blends, scales and limits; an episode's own."""

    def __init__(self, contract: Contract, seen: Seen) -> None:
        """Hold the robot where it is measured; `PlantError` where it cannot be started there."""
        self._motion = Motion(contract)
        self._motion.start()
        held = self._tick(Cause.DEFAULT, contract.spec.actions.noop, seen)
        if held.phase is Phase.WAITING:
            raise PlantError(f"plant 'mujoco': the robot cannot start: {held.why}")
        self._last = tuple(0.0 if math.isnan(value) else value for value in held.elements)

    def command(self, action: Action, seen: Seen) -> tuple[float, ...]:
        """Return what is sent for an action, a value an element."""
        sent = self._tick(Cause.POLICY, action, seen)
        self._last = tuple(last if math.isnan(value) else value
                           for last, value in zip(self._last, sent.elements, strict=True))
        return self._last

    def _tick(self, cause: Cause, action: Action, seen: Seen) -> Sent:
        return self._motion.tick(Command(cause, action), seen.positions, seen.now_ns)
