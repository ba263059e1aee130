"""A Gymnasium environment of an arm that is pushed while it follows a mark nobody can foresee.

As a plant: `gymnasium` with `id=benchmarks.chunk_arm_env:Pushed-v0`, 50 ticks a second. MuJoCo
moves the two turning joints of `examples/robot_sim/arm.xml`. An action is where the motors are to
hold them. The mark goes straight on and turns off at chance; pushes bend the joints for a while
against their motors. Neither depends on what is done: episodes of one seed are alike.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import mujoco
import numpy as np
from gymnasium import spaces

ID = "benchmarks.chunk_arm_env:Pushed-v0"
TICKS = 500
RATE_HZ = 50
_MODEL = Path(__file__).resolve().parent.parent / "examples" / "robot_sim" / "arm.xml"
_LINKS_M = 0.2, 0.18
_STIFFNESS = 40.0
"""Of the motors in the model [N·m/rad]."""
_HOME, _SPAN = np.array([-0.7, 1.45]), np.array([1.5, 0.9])
"""Joints [rad] for an action of 0, and how far one of 1 is from there."""
_NEAR = np.array([0.2, -1.0])
_FAR = np.array([0.34, 1.0])
"""Where the mark may be: distance [m] and angle [rad]."""
_FASTEST = np.array([0.12, 1.0])
_TURNS, _BEGINS, _ENDS = 1 / 35, 1 / 100, 1 / 40
"""Probability at a tick: the mark turns off; a joint is pushed; a push ends."""
_PUSH = 4.0
"""Strongest [N·m]."""
_LEAD_S = 0.09
"""So long the motors lag behind, which the expert knows."""


class Pushed(gymnasium.Env):
    """It observes joints, their speeds, where motors hold them, the mark and how it moves."""

    metadata: ClassVar[dict[str, Any]] = {"render_fps": RATE_HZ, "render_modes": []}
    observation_space = spaces.Box(-10.0, 10.0, (10,), np.float32)
    action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)

    def __init__(self) -> None:
        self._model = mujoco.MjModel.from_xml_path(str(_MODEL))
        self._data = mujoco.MjData(self._model)
        self._tip = self._model.site("tip").id
        self._steps = round(1 / RATE_HZ / self._model.opt.timestep)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        mujoco.mj_resetData(self._model, self._data)
        self._data.qpos[:2] = self._data.ctrl[:2] = _HOME
        mujoco.mj_forward(self._model, self._data)
        self._age = 0
        self._polar = np.array([0.27, 0.0])
        self._speed = np.zeros(2)
        self._pushes = np.zeros(2)
        return self._observed(), {}

    def step(self, action: Any) -> Any:
        self._data.ctrl[:2] = _HOME + np.clip(action, -1.0, 1.0) * _SPAN
        self._data.qfrc_applied[:2] = self._pushes
        mujoco.mj_step(self._model, self._data, self._steps)
        self._go_on()
        self._age += 1
        return self._observed(), -self.error_m, False, self._age == TICKS, {}

    def _go_on(self) -> None:
        """Move the mark and change the pushes; as many numbers are drawn at every tick."""
        chance, value = self.np_random.random(3), self.np_random.uniform(-1.0, 1.0, 4)
        if chance[0] < _TURNS:
            self._speed = value[:2] * _FASTEST
        self._polar = self._polar + self._speed / RATE_HZ
        outside = (self._polar < _NEAR) | (self._polar > _FAR)
        self._speed = np.where(outside, -self._speed, self._speed)
        self._polar = np.clip(self._polar, _NEAR, _FAR)
        pushed = self._pushes != 0.0
        changes = chance[1:] < np.where(pushed, _ENDS, _BEGINS)
        self._pushes = np.where(changes, np.where(pushed, 0.0, value[2:] * _PUSH), self._pushes)

    @property
    def mark_m(self) -> np.ndarray:
        """Where the mark is."""
        return _place(self._polar)

    @property
    def error_m(self) -> float:
        """How far the arm's tip is from the mark."""
        return math.dist(self._data.site_xpos[self._tip][:2], self.mark_m)

    def expert(self) -> np.ndarray:
        """Return what one would do who feels the pushes, too: an action for the next tick."""
        ahead = np.clip(self._polar + self._speed * _LEAD_S, _NEAR, _FAR)
        joints = _reaching(ahead) - self._pushes / _STIFFNESS
        return np.clip((joints - _HOME) / _SPAN, -1.0, 1.0)

    def _observed(self) -> np.ndarray:
        ahead = _place(self._polar + self._speed / RATE_HZ)
        return np.concatenate([
            (self._data.qpos[:2] - _HOME) / _SPAN, self._data.qvel[:2] / 5.0,
            (self._data.ctrl[:2] - _HOME) / _SPAN, self.mark_m / 0.3,
            (ahead - self.mark_m) * RATE_HZ / 0.3]).astype(np.float32)


def _place(polar: np.ndarray) -> np.ndarray:
    distance, angle = polar
    return np.array([distance * math.cos(angle), distance * math.sin(angle)])


def _reaching(polar: np.ndarray) -> np.ndarray:
    """Return the joints [rad] that bring the tip to a place."""
    distance, angle = polar
    upper, lower = _LINKS_M
    bent = math.acos((distance**2 - upper**2 - lower**2) / (2 * upper * lower))
    return np.array([angle - math.atan2(lower * math.sin(bent), upper + lower * math.cos(bent)),
                     bent])


gymnasium.register("Pushed-v0", Pushed, disable_env_checker=True)
