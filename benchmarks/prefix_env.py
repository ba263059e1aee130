"""A Gymnasium environment: an arm whose command creeps towards a goal, and is not seen.

As a plant: `gymnasium` with `id=benchmarks.prefix_env:Creep-v0`. The two joints of
`examples/robot_sim/arm.xml` are driven to the positions that are commanded; what is seen is where
they are, with noise, and the goal, which is drawn anew now and then. A shove pushes the arm away.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import mujoco
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

JOINTS = 2
SEEN = 3 * JOINTS
"""Positions, speeds and the goal."""
ID = "benchmarks.prefix_env:Creep-v0"
CREEP = 0.03
"""By so much a careful hand changes its command a tick [rad]."""
TICKS = 250
_HZ = 50
_NOISE = 0.03
_GOAL_EVERY, _SHOVE_EVERY = 70.0, 60.0
"""Ticks in the mean."""
_SHOVE_NM, _REACH = 4.0, 1.8
_MODEL = Path(__file__).resolve().parent.parent / "examples" / "robot_sim" / "arm.xml"

Values = NDArray[np.float64]


def hand(command: Values, goal: Values, ticks: int) -> Values:
    """Return the next commands of the scripted hand, `(ticks, JOINTS)`, if the goal stays.

    It sees the goal, and knows its command; that is not seen.
    """
    way = CREEP * np.arange(1, ticks + 1)[:, None]
    return np.asarray(command + np.clip(goal - command, -way, way))


class Creep(gymnasium.Env):
    """An episode has `TICKS` ticks; a tick costs how far the joints are from the goal [rad]."""

    metadata: ClassVar[dict[str, Any]] = {"render_fps": _HZ, "render_modes": []}
    observation_space = spaces.Box(-20.0, 20.0, (SEEN,), np.float32)
    action_space = spaces.Box(-2.6, 2.6, (JOINTS,), np.float32)

    def __init__(self) -> None:
        self._model = mujoco.MjModel.from_xml_path(str(_MODEL))
        self._data = mujoco.MjData(self._model)
        self._steps = round(1 / _HZ / self._model.opt.timestep)
        self.goal = np.zeros(JOINTS)
        self._age = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        mujoco.mj_resetData(self._model, self._data)
        self._age = 0
        self._draw()
        return self._seen(), {}

    def step(self, action: Any) -> Any:
        random = self.np_random
        self._data.ctrl[:JOINTS] = action
        shove = random.normal(0.0, _SHOVE_NM, JOINTS) if random.random() < 1 / _SHOVE_EVERY else 0.0
        self._data.qfrc_applied[:JOINTS] = shove
        mujoco.mj_step(self._model, self._data, self._steps)
        off = float(np.abs(self._data.qpos[:JOINTS] - self.goal).mean())
        if random.random() < 1 / _GOAL_EVERY:
            self._draw()
        self._age += 1
        return self._seen(), -off, False, self._age == TICKS, {}

    def _draw(self) -> None:
        self.goal = self.np_random.uniform(-_REACH, _REACH, JOINTS)

    def _seen(self) -> NDArray[np.float32]:
        data, noise = self._data, self.np_random.normal(0.0, _NOISE, JOINTS)
        return np.concatenate([data.qpos[:JOINTS] + noise, data.qvel[:JOINTS], self.goal]
                              ).astype(np.float32)


gymnasium.register("Creep-v0", Creep, disable_env_checker=True)
