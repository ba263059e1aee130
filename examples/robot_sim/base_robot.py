"""A base with two driven wheels in a room: odometry of its wheels, a laser scanner, a target."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import mujoco
import numpy as np
from geometry_msgs.msg import Twist, TwistStamped
from nav_msgs.msg import Odometry
from sensor_msgs.msg import Imu, JointState, LaserScan

from examples.robot_sim import messages, physics
from examples.robot_sim.controllers import DriveController
from examples.robot_sim.log import rounded
from examples.robot_sim.physics import Values
from examples.robot_sim.robot import Asked, CommandTopic, Received, Source, Target

_RADIUS_M, _SEPARATION_M = 0.1, 0.34
_NEAREST_M, _FARTHEST_M, _RAYS = 0.12, 3.5, 72
_WHEELS = ("left_wheel_joint", "right_wheel_joint")


@dataclass(frozen=True, slots=True)
class BaseOptions:
    """How a base is set up."""

    model: str = str(physics.HERE / "base.xml")
    stamped: bool = True
    """Whether it takes a TwistStamped, else a Twist."""
    timeout_s: float = 0.5
    tolerance_m: float = 0.3
    renew_s: float = 0.0
    patience_s: float = 0.0
    noise: float = 1.0
    seed: int = 0
    rates: dict[str, float] = field(default_factory=dict)


class BaseRobot:
    """See `Robot`; a model of another base needs the same wheels, `base_link` and `laser`."""

    joints = _WHEELS

    def __init__(self, options: BaseOptions) -> None:
        self._options = options
        self._model = model = physics.load(physics.find(options.model))
        self._data = mujoco.MjData(model)
        self.step_s = float(model.opt.timestep)
        self._wheels = [int(model.joint(name).qposadr[0]) for name in _WHEELS]
        self._turning = [int(model.joint(name).dofadr[0]) for name in _WHEELS]
        self._body = int(model.body("base_link").id)
        self._laser = int(model.site("laser").id)
        self._drive = DriveController(_RADIUS_M, _SEPARATION_M, options.timeout_s)
        self._random = np.random.default_rng(options.seed)
        self._pose = (0.0, 0.0, 0.0)
        self._rolled = [0.0, 0.0]
        self._wanted: tuple[float, float] = (0.0, 0.0)
        self._resetting = False
        self.restart()
        self.target = Target("odom", self._draw_target, options.tolerance_m, options.renew_s,
                             self._random, patience_s=options.patience_s)
        rates = {"odom": 50.0, "scan": 10.0, "imu": 100.0, "joints": 50.0, **options.rates}
        self.sources = (
            Source("odom", {"odom": Odometry}, rates["odom"], self._odometry),
            Source("scan", {"scan": LaserScan}, rates["scan"], self._scan),
            Source("imu", {"imu": Imu}, rates["imu"], self._imu, lazy=True),
            Source("joints", {"joint_states": JointState}, rates["joints"], self._joint_state),
        )
        self.commands = (CommandTopic("cmd_vel", TwistStamped if options.stamped else Twist,
                                      self._take, "diff_drive_controller",
                                      {"cmd_vel_timeout": options.timeout_s}),)

    def restart(self) -> None:
        mujoco.mj_resetData(self._model, self._data)
        mujoco.mj_forward(self._model, self._data)
        self._drive.restart()
        self._pose, self._rolled = (0.0, 0.0, 0.0), [0.0, 0.0]

    def _take(self, message: Any, now_ns: int, clock_ns: int) -> Received:  # noqa: ANN401
        stamped = isinstance(message, TwistStamped)
        twist = message.twist if stamped else message
        stamp_ns = messages.to_ns(message.header.stamp) if stamped else 0
        forward, turn = twist.linear.x, twist.angular.z
        problem = self._drive.offer(forward, turn, clock_ns - stamp_ns if stamp_ns else 0, now_ns)
        return Received(("linear.x", "angular.z"), (forward, turn), stamp_ns, problem)

    def step(self, now_ns: int, count: int) -> None:
        if self._resetting:  # somebody carries it back
            self.restart()
            self.target.renew()
            self._resetting = False
        self._wanted = self._drive.wheels(now_ns)
        self._data.ctrl[:] = self._wanted
        mujoco.mj_step(self._model, self._data, count)
        self._follow()
        self.target.look(np.array([*self._pose[:2], 0.0]), now_ns)  # as its frame says

    def _follow(self) -> None:
        """Reckon the odometry from how far the wheels turned."""
        rolled = [float(self._data.qpos[at]) for at in self._wheels]
        left, right = (_RADIUS_M * (new - old)
                       for new, old in zip(rolled, self._rolled, strict=True))
        x, y, yaw = self._pose
        middle = yaw + (right - left) / _SEPARATION_M / 2
        way = (left + right) / 2
        self._pose = (x + way * math.cos(middle), y + way * math.sin(middle),
                      yaw + (right - left) / _SEPARATION_M)
        self._rolled = rolled

    def state(self, now_ns: int) -> dict[str, list[float]]:
        del now_ns
        x, y = self._data.xpos[self._body, :2]
        return {"position": rounded(self._data.qpos[self._wheels]),
                "velocity": rounded(self._data.qvel[self._turning]),
                "setpoint": rounded(self._wanted), "place": rounded((x, y))}

    def begin_reset(self, now_ns: int) -> None:
        del now_ns
        self._resetting = True

    @property
    def resetting(self) -> bool:
        return self._resetting

    def _draw_target(self, random: np.random.Generator) -> Values:
        """Draw a place that is nearer than what the rays show, and not where it starts."""
        while True:
            distance, angle = random.uniform(0.8, 1.6), random.uniform(-math.pi, math.pi)
            place = np.array([distance * math.cos(angle), distance * math.sin(angle), 0.0])
            if self._ray(np.array([0, 0, 0.25]), place / distance) > distance + 0.5:
                return place

    def _odometry(self, asked: Asked) -> dict[str, Any]:
        left, right = (_RADIUS_M * float(self._data.qvel[at]) for at in self._turning)
        noise = self._random.normal(0, 0.002 * self._options.noise, 2)
        return {"odom": messages.odometry(
            asked.stamp, self._pose, (left + right) / 2 + float(noise[0]),
            (right - left) / _SEPARATION_M + float(noise[1]))}

    def _scan(self, asked: Asked) -> dict[str, Any]:
        origin = np.array(self._data.site_xpos[self._laser])
        turned = np.array(self._data.site_xmat[self._laser]).reshape(3, 3)
        angles = -math.pi + np.arange(_RAYS) * 2 * math.pi / _RAYS
        ways = np.stack([np.cos(angles), np.sin(angles), np.zeros(_RAYS)], 1) @ turned.T
        found = np.array([self._ray(origin, way) for way in ways])
        found += self._random.normal(0, 0.005 * self._options.noise, _RAYS)
        found[(found < _NEAREST_M) | (found > _FARTHEST_M)] = math.inf
        return {"scan": messages.laser_scan(asked.stamp, found, _NEAREST_M, _FARTHEST_M,
                                            1 / self.sources[1].rate_hz)}

    def _ray(self, origin: Values, way: Values) -> float:
        """Return how far the nearest wall or box is [m]; inf: there is none."""
        walls = np.array([0, 1, 0, 0, 0, 0], np.uint8)
        far = mujoco.mj_ray(self._model, self._data, origin.astype(float), way, walls, 1,
                            self._body, np.zeros(1, np.int32))
        return math.inf if far < 0 else float(far)

    def _imu(self, asked: Asked) -> dict[str, Any]:
        return {"imu": messages.imu(asked.stamp, "base_link", physics.motion(
            self._model, self._data, self._body))}

    def _joint_state(self, asked: Asked) -> dict[str, Any]:
        return {"joint_states": messages.joint_state(
            asked.stamp, _WHEELS, self._data.qpos[self._wheels], self._data.qvel[self._turning])}
