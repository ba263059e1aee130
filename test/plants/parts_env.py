"""A Gymnasium environment whose observations are a coloured picture and a vector of six values.

As a plant: `gymnasium` with `id=plants.parts_env:Reach-v0`. A dot moves on a line; the action that
takes it towards the mark pays 1.
"""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces

_SIDE = 96
_STEP = 6


class Reach(gymnasium.Env):
    """LEFT, STAY or RIGHT; an episode has 200 steps at 50 a second."""

    metadata: ClassVar[dict[str, Any]] = {"render_fps": 50, "render_modes": []}
    observation_space = spaces.Dict({
        "image": spaces.Box(0, 255, (_SIDE, _SIDE, 3), np.uint8),
        "state": spaces.Box(-1.0, 1.0, (6,), np.float32)})
    action_space = spaces.Discrete(3)

    def __init__(self) -> None:
        self._dot = self._mark = self._moved = self._age = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self._dot, self._mark = (int(value) for value in self.np_random.integers(_SIDE, size=2))
        self._moved = self._age = 0
        return self._seen(), {}

    def step(self, action: int) -> Any:
        before = abs(self._dot - self._mark)
        self._moved = _STEP * (int(action) - 1)
        self._dot = min(max(self._dot + self._moved, 0), _SIDE - 1)
        self._age += 1
        nearer = abs(self._dot - self._mark) < before
        return self._seen(), float(nearer), False, self._age == 200, {}

    def _seen(self) -> dict[str, np.ndarray[Any, Any]]:
        image = np.zeros((_SIDE, _SIDE, 3), np.uint8)
        image[40:56, max(0, self._dot - 3):self._dot + 4, 0] = 255
        image[60:76, max(0, self._mark - 3):self._mark + 4, 2] = 255
        place, mark = (2 * value / (_SIDE - 1) - 1 for value in (self._dot, self._mark))
        state = np.array([place, mark, (mark - place) / 2, self._moved / _STEP,
                          self._age / 200, 0.0], np.float32)
        return {"image": image, "state": state}


gymnasium.register("Reach-v0", Reach, disable_env_checker=True)
