"""An arm: joints that are told positions, sensors at rates of their own, a place to reach."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from geometry_msgs.msg import PointStamped
from sensor_msgs.msg import CompressedImage, Image, Imu, JointState
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory

from examples.robot_sim import messages, physics, picture
from examples.robot_sim.controllers import ForwardController, TrajectoryController
from examples.robot_sim.errors import SimulatorError
from examples.robot_sim.log import rounded
from examples.robot_sim.physics import Values
from examples.robot_sim.robot import Asked, CommandTopic, Received, Source, Target

FORWARD, TRAJECTORY = "forward_position", "joint_trajectory"
IMAGE, COMPRESSED = "front/image_raw", "front/image_raw/compressed"
_RADIANS_PER_S = 1.5
_POSITION_NOISE, _VELOCITY_NOISE = 1e-4, 2e-3


@dataclass(frozen=True, slots=True)
class ArmOptions:
    """How an arm is set up."""

    model: str = physics.SO101
    tip: str = ""
    gripper: str = ""
    """Its joint; "": the one whose name begins with "grip"; "none"."""
    controller: str = FORWARD
    moving: tuple[str, ...] = ()
    """Joints that are needed to reach a target; none: all but the gripper's."""
    reach: float = 0.4
    """How far from home targets are, as a share of the joints' ranges."""
    tolerance_m: float = 0.03
    renew_s: float = 0.0
    renew_home: bool = False
    noise: float = 1.0
    camera: tuple[int, int] = (160, 120)
    seed: int = 0
    rates: dict[str, float] = field(default_factory=dict)
    """Of sources, where they differ from the usual ones [Hz]."""


class ArmRobot:
    """See `Robot`."""

    def __init__(self, options: ArmOptions) -> None:
        self._options = options
        self._arm = arm = physics.Arm(physics.load(physics.find(options.model)), options.tip)
        self.joints, self.step_s = arm.names, float(arm.model.opt.timestep)
        gripper = _gripper(options.gripper, arm.names)
        self._own_order = tuple(sorted(arm.names))
        self._order = [arm.names.index(name) for name in self._own_order]
        kind = {FORWARD: ForwardController, TRAJECTORY: TrajectoryController}[options.controller]
        self._main = kind(tuple(name for name in arm.names if name not in gripper), ())
        self._gripper = ForwardController(gripper, ())
        self._own = np.array([name not in gripper for name in arm.names])
        self._setpoint = arm.home
        self._homing = False
        self._random = np.random.default_rng(options.seed)
        moving = options.moving or self._main.names
        if strangers := set(moving) - set(arm.names):
            raise SimulatorError(f"joint {min(strangers)!r} is not one of {', '.join(arm.names)}")
        self._moving = np.array([name in moving for name in arm.names])
        self.target = Target("base", self._draw_target, options.tolerance_m, options.renew_s,
                             self._random, options.renew_home)
        self._camera = picture.Camera(*options.camera, arm.model.stat.center,
                                      float(arm.model.stat.extent), options.seed)
        self._restart_controllers()
        self.sources = self._sources()
        self.commands = self._commands()

    def _sources(self) -> tuple[Source, ...]:
        rates = {"joints": 100.0, "camera": 30.0, "imu": 100.0, "tip": 100.0, **self._options.rates}
        return (
            Source("joints", {"joint_states": JointState}, rates["joints"], self._joint_state),
            Source("camera", {IMAGE: Image, COMPRESSED: CompressedImage}, rates["camera"],
                   self._pictures, lazy=True),
            Source("imu", {"imu": Imu}, rates["imu"], self._imu, lazy=True),
            Source("tip", {"tip": PointStamped}, rates["tip"], self._tip),
        )

    def _commands(self) -> tuple[CommandTopic, ...]:
        if self._options.controller == FORWARD:
            main = self._forwarding("forward_position_controller/commands", self._main)
        else:
            main = CommandTopic("joint_trajectory_controller/joint_trajectory", JointTrajectory,
                                self._trajectory, "joint_trajectory_controller",
                                {"joints": list(self._main.names)})
        if not self._gripper.names:
            return (main,)
        return (main, self._forwarding("gripper/commands", self._gripper))

    def _forwarding(self, topic: str, controller: ForwardController) -> CommandTopic:
        return CommandTopic(
            topic, Float64MultiArray, lambda message, *_: self._forward(controller, message),
            topic.partition("/")[0],
            {"joints": list(controller.names), "interface_name": "position"})

    def _forward(self, controller: ForwardController, message: Any) -> Received:  # noqa: ANN401
        values = tuple(message.data)
        problem = "on the way home" if self._homing else controller.offer(values)
        return Received(controller.names, values, 0, problem)

    def _trajectory(self, message: Any, now_ns: int, clock_ns: int) -> Received:  # noqa: ANN401
        assert isinstance(self._main, TrajectoryController)
        names, stamp_ns = tuple(message.joint_names), messages.to_ns(message.header.stamp)
        points = [(tuple(point.positions), messages.to_ns(point.time_from_start) / 1e9)
                  for point in message.points]
        problem = "on the way home" if self._homing else self._main.offer_trajectory(
            names, points, clock_ns - stamp_ns if stamp_ns else 0, now_ns)
        return Received(names, points[-1][0] if points else (), stamp_ns, problem)

    def step(self, now_ns: int, count: int) -> None:
        if self._homing:
            most = _RADIANS_PER_S * self.step_s * count
            self._setpoint += np.clip(self._arm.home - self._setpoint, -most, most)
            self._homing = bool(np.abs(self._setpoint - self._arm.home).max() > 1e-9)
            if not self._homing:
                self._restart_controllers()
                self.target.renew()
        else:
            self._setpoint = self._gathered(now_ns)
        self._arm.step(self._setpoint, count)
        self.target.look(self._arm.tip_position, now_ns)
        self.target.commanded(float(np.abs(self._setpoint - self._arm.home)[self._own].max()),
                              now_ns)

    def _gathered(self, now_ns: int) -> Values:
        values = dict(zip(self._main.names, self._main.setpoint(now_ns), strict=True))
        values |= zip(self._gripper.names, self._gripper.setpoint(now_ns), strict=True)
        return np.array([values[name] for name in self.joints])

    def _restart_controllers(self) -> None:
        home = dict(zip(self.joints, self._arm.home.tolist(), strict=True))
        for controller in (self._main, self._gripper):
            controller.restart([home[name] for name in controller.names])

    def state(self, now_ns: int) -> dict[str, list[float]]:
        del now_ns
        return {"position": rounded(self._arm.position), "velocity": rounded(self._arm.velocity),
                "setpoint": rounded(self._setpoint)}

    def begin_reset(self, now_ns: int) -> None:
        del now_ns
        self._homing = True
        self._setpoint = np.array(self._setpoint)

    @property
    def resetting(self) -> bool:
        return self._homing

    def _draw_target(self, random: np.random.Generator) -> Values:
        arm = self._arm
        while True:
            share = random.uniform(-1, 1, len(arm.names)) * self._options.reach * self._moving
            position = np.clip(arm.home + share * (arm.high - arm.low) / 2, arm.low, arm.high)
            place = arm.tip_at(position)
            if place[2] > 0.03 and np.linalg.norm(place - arm.tip_at(arm.home)) > 0.08:
                return place

    def _joint_state(self, asked: Asked) -> dict[str, Any]:
        noise = self._options.noise
        position = self._arm.position + self._random.normal(
            0, noise * _POSITION_NOISE, len(self.joints))
        velocity = self._arm.velocity + self._random.normal(
            0, noise * _VELOCITY_NOISE, len(self.joints))
        return {"joint_states": messages.joint_state(
            asked.stamp, self._own_order, position[self._order], velocity[self._order])}

    def _pictures(self, asked: Asked) -> dict[str, Any]:
        shown = self._camera.draw(self._arm.bodies(), self.target.place)
        if asked.half_size:
            shown = picture.half(shown)
        makers = {IMAGE: messages.image, COMPRESSED: messages.compressed}
        return {topic: make(asked.stamp, shown) for topic, make in makers.items()
                if topic in asked.topics}

    def _imu(self, asked: Asked) -> dict[str, Any]:
        body = int(self._arm.model.site_bodyid[self._arm.tip])
        return {"imu": messages.imu(asked.stamp, "tip", physics.motion(
            self._arm.model, self._arm.data, body))}

    def _tip(self, asked: Asked) -> dict[str, Any]:
        return {"tip": messages.point(asked.stamp, "base", self._arm.tip_position)}


def _gripper(wanted: str, names: tuple[str, ...]) -> tuple[str, ...]:
    found = tuple(name for name in names
                  if name == wanted or (not wanted and name.startswith("grip")))
    if wanted == "none" or (not wanted and not found):
        return ()
    if len(found) != 1:
        raise SimulatorError(f"gripper {wanted!r} is not one of {', '.join(names)}; name it with "
                             "--gripper, or none")
    return found
