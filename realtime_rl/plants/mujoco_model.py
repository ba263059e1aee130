"""A MuJoCo model whose joints are called as the elements of a robot's contract."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.errors import PlantError, choices
from realtime_rl.core.robot.contract import Contract
from realtime_rl.core.robot.contract_choices import Mode
from realtime_rl.plants.libraries import load_library

EXTRA = "mujoco"
Values = NDArray[np.float64]
_TWIST = ("vx", "wz")
_SETTLES_WITHIN = 200
"""Periods in which a start comes to rest, or does not."""
_AT_REST = 1e-3
"""Slower is at rest [rad/s or m/s]."""


def library() -> Any:  # noqa: ANN401 - the module
    """Return MuJoCo; `MissingDependencyError`."""
    return load_library("mujoco", EXTRA)


@lru_cache(maxsize=4)
def load(path: Path) -> Any:  # noqa: ANN401 - mujoco.MjModel
    """Load a model, which is shared and not to be changed; `PlantError`."""
    try:
        return library().MjModel.from_xml_path(str(path))
    except ValueError as error:
        raise PlantError(f"model {str(path)!r}: {' '.join(str(error).split())}") from error


class Body:
    """A robot's body: what it is told, and where it is."""

    def __init__(self, model: Any, contract: Contract, drive: str) -> None:  # noqa: ANN401
        """Find the motors of the contract's elements.

        Raises:
            PlantError: there is none for one, or not of its mode; or a period is no whole number
                of the model's steps.
        """
        self._mujoco = library()
        self.model, self.data = model, self._mujoco.MjData(model)
        self._tried = self._mujoco.MjData(model)
        steps = contract.robot.period / model.opt.timestep
        if abs(steps - round(steps)) > 1e-6 or round(steps) < 1:
            raise PlantError(f"plant 'mujoco': period {contract.robot.period} s is no whole number "
                             f"of the model's time steps of {model.opt.timestep} s")
        self._steps = round(steps)
        self.joints = tuple(str(model.joint(index).name) for index in range(model.njnt)
                            if model.jnt_type[index] != self._mujoco.mjtJoint.mjJNT_FREE)
        self._wheels = _Wheels(self, drive) if drive else None
        self._motors = self._wheels.motors if self._wheels else [
            self._motor(name, mode)
            for name, mode in zip(contract.elements, contract.modes, strict=True)]
        if self._wheels and contract.elements != _TWIST:
            raise PlantError(f"plant 'mujoco', option drive: is for the elements {_TWIST}, not for "
                             f"{contract.elements}")
        self._home = self._found_home()
        self._rest = self._settled()

    def joint(self, name: str) -> int:
        """Return the place of a joint; `PlantError`."""
        if name not in self.joints:
            hint = "; option drive says which wheels a base has" if name in _TWIST else ""
            raise PlantError(f"plant 'mujoco': joint {name!r} is not in the model, which has "
                             f"{choices(self.joints)}{hint}")
        return int(self.model.joint(name).id)

    def at(self, names: Sequence[str]) -> list[int]:
        """Return the places of joints' positions."""
        return [int(self.model.jnt_qposadr[self.joint(name)]) for name in names]

    def speeds_at(self, names: Sequence[str]) -> list[int]:
        """Return the places of joints' velocities."""
        return [int(self.model.jnt_dofadr[self.joint(name)]) for name in names]

    def motor_of(self, name: str) -> int:
        """Return the one motor of a joint; `PlantError`."""
        joint = self.joint(name)
        of_joint = self._mujoco.mjtTrn.mjTRN_JOINT
        found = [index for index in range(self.model.nu)
                 if self.model.actuator_trntype[index] == of_joint
                 and self.model.actuator_trnid[index, 0] == joint]
        if len(found) != 1:
            raise PlantError(f"plant 'mujoco': joint {name!r} has {len(found)} actuators in the "
                             "model, not one")
        return found[0]

    def _motor(self, name: str, mode: Mode) -> int:
        motor = self.motor_of(name)
        gain, bias = self.model.actuator_gainprm[motor, 0], self.model.actuator_biasprm[motor]
        kind = (Mode.POSITION if bias[1] == -gain else Mode.VELOCITY if bias[2] == -gain
                else Mode.EFFORT)
        if kind is not (Mode.POSITION if mode is Mode.DELTA else mode):
            raise PlantError(f"plant 'mujoco': the contract gives {name!r} a mode of {mode.word!r},"
                             f" but its actuator in the model takes a {kind.word}")
        return motor

    def _found_home(self) -> Any:  # noqa: ANN401 - mujoco.MjData
        """Return the start: the model's first keyframe, or its zeros within the joints' ranges."""
        data = self._mujoco.MjData(self.model)
        if self.model.nkey:
            self._mujoco.mj_resetDataKeyframe(self.model, data, 0)
        for index, name in enumerate(self.model.joint(each).name for each in
                                     range(self.model.njnt)):
            if name in self.joints and self.model.jnt_limited[index]:
                at = self.model.jnt_qposadr[index]
                data.qpos[at] = np.clip(data.qpos[at], *self.model.jnt_range[index])
        of_joint = self._mujoco.mjtTrn.mjTRN_JOINT
        for motor in range(self.model.nu):  # what nobody commands stays where it is
            holds = self.model.actuator_biasprm[motor, 1] < 0
            if holds and self.model.actuator_trntype[motor] == of_joint:
                joint = self.model.actuator_trnid[motor, 0]
                data.ctrl[motor] = data.qpos[self.model.jnt_qposadr[joint]]
        return data

    def _settled(self) -> Any:  # noqa: ANN401 - mujoco.MjData
        """Return the start as its motors hold it, where gravity has it; as it is, if they do not.

        A robot that was at its start for a while is there: it sagged already.
        """
        data = self._mujoco.MjData(self.model)
        data.qpos[:], data.ctrl[:] = self._home.qpos, self._home.ctrl
        for _ in range(_SETTLES_WITHIN):
            self._mujoco.mj_step(self.model, data, self._steps)
            if np.abs(data.qvel).max() < _AT_REST:
                return data
        return self._home

    @property
    def start(self) -> Values:
        """Return the positions of all joints, free ones too, at the start, at rest."""
        return np.array(self._rest.qpos)

    @property
    def positions(self) -> Values:
        """Return those of now."""
        return np.array(self.data.qpos)

    def restart(self, positions: Values) -> None:
        """Go to `positions`, at rest, with the start's commands."""
        self._mujoco.mj_resetData(self.model, self.data)
        self.data.qpos[:], self.data.ctrl[:] = positions, self._rest.ctrl
        self._mujoco.mj_forward(self.model, self.data)

    def held(self, names: Sequence[str]) -> dict[str, float]:
        """Return the positions at which motors hold joints now; none of a base's."""
        return {} if self._wheels else dict(zip(names, self.data.ctrl[self._motors].tolist(),
                                                strict=True))

    def advance(self, command: Sequence[float]) -> None:
        """Advance by a period, with a value for each of the contract's elements."""
        self.data.ctrl[self._motors] = self._wheels.speeds(command) if self._wheels else command
        self._mujoco.mj_step(self.model, self.data, self._steps)

    def tip_with(self, joints: list[int], positions: Values, site: int) -> Values:
        """Return where a site [m] is when the joints' places have these positions."""
        self._tried.qpos[:] = self._home.qpos
        self._tried.qpos[joints] = positions
        self._mujoco.mj_kinematics(self.model, self._tried)
        return np.array(self._tried.site_xpos[site])

    @property
    def home(self) -> Values:
        """The positions at the start."""
        return np.array(self._home.qpos)


class _Wheels:
    """Two driven wheels, for which velocities along and about are meant."""

    def __init__(self, body: Body, text: str) -> None:
        try:
            left, right, radius, separation = text.split()
            self._radius, self._separation = float(radius), float(separation)
        except ValueError as error:
            raise PlantError(f"plant 'mujoco', option drive: {text!r}: write it like "
                             "'left_wheel_joint right_wheel_joint 0.1 0.34'") from error
        self.motors = [body.motor_of(left), body.motor_of(right)]

    def speeds(self, command: Sequence[float]) -> tuple[float, float]:
        forward, turn = command
        half = turn * self._separation / 2
        return (forward - half) / self._radius, (forward + half) / self._radius
