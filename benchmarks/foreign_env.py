"""An arm of two joints with a camera: a Gymnasium environment for policies of two inputs.

As a plant: `gymnasium` with `id=benchmarks.foreign_env:Arm-v0` and `colour=true`. The joints go
towards what they are sent; the nearer to the mark, the better.
"""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces

SIDE = 32
JOINTS = 2
_LENGTH = 200


class Arm(gymnasium.Env[dict[str, Any], Any]):
    """Targets of two joints within -1 … 1; an episode has 200 steps at 50 a second."""

    metadata: ClassVar[dict[str, Any]] = {"render_fps": 50, "render_modes": []}
    observation_space = spaces.Dict({
        "front": spaces.Box(0, 255, (SIDE, SIDE, 3), np.uint8),
        "state": spaces.Box(-1.0, 1.0, (JOINTS,), np.float32)})
    action_space = spaces.Box(-1.0, 1.0, (JOINTS,), np.float32)

    def __init__(self) -> None:
        """Begin in the middle."""
        self._joints = self._mark = np.zeros(JOINTS, np.float32)
        self._age = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None
              ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Put the mark somewhere."""
        super().reset(seed=seed)
        self._joints = np.zeros(JOINTS, np.float32)
        self._mark = self.np_random.uniform(-0.9, 0.9, JOINTS).astype(np.float32)
        self._age = 0
        return self._seen(), {}

    def step(self, action: Any) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Go a fifth of the way to the targets."""
        self._joints = self._joints + 0.2 * (np.asarray(action, np.float32) - self._joints)
        self._age += 1
        reward = -float(np.abs(self._joints - self._mark).sum())
        return self._seen(), reward, False, self._age >= _LENGTH, {}

    def _seen(self) -> dict[str, Any]:
        image = np.zeros((SIDE, SIDE, 3), np.uint8)
        for place, channel in ((self._joints, 0), (self._mark, 2)):
            column, row = np.clip(((place + 1) / 2 * (SIDE - 1)).round(), 0, SIDE - 1).astype(int)
            image[max(0, row - 1):row + 2, max(0, column - 1):column + 2, channel] = 255
        return {"front": image, "state": self._joints.astype(np.float32)}


gymnasium.register("Arm-v0", Arm, disable_env_checker=True)
