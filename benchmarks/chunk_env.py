"""A Gymnasium environment of joints that are to follow marks which nobody can foresee.

As a plant: `gymnasium` with `id=benchmarks.chunk_env:Sway-v0`. An action says where each joint is
put; a tick costs how far they are from the marks in the mean. The observation is the marks, so that
a policy that says what it sees is as good as its feedback is young.
"""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces

JOINTS = 14
ID = "benchmarks.chunk_env:Sway-v0"
_PULL, _SHOVE = 0.02, 0.05


class Sway(gymnasium.Env):
    """Marks wander about the middle; an episode has 500 ticks."""

    metadata: ClassVar[dict[str, Any]] = {"render_fps": 60, "render_modes": []}
    observation_space = spaces.Box(-1.0, 1.0, (JOINTS,), np.float32)
    action_space = spaces.Box(-1.0, 1.0, (JOINTS,), np.float32)

    def __init__(self) -> None:
        self._marks = np.zeros(JOINTS)
        self._age = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self._marks = np.zeros(JOINTS)
        self._age = 0
        return self._marks.astype(np.float32), {}

    def step(self, action: Any) -> Any:
        off = float(np.abs(np.asarray(action) - self._marks).mean())
        shoves = self.np_random.normal(0.0, _SHOVE, JOINTS)
        self._marks = np.clip(self._marks * (1.0 - _PULL) + shoves, -1.0, 1.0)
        self._age += 1
        return self._marks.astype(np.float32), -off, False, self._age == 500, {}


gymnasium.register("Sway-v0", Sway, disable_env_checker=True)
