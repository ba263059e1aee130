"""What a simulated robot's sources say, as the messages of their types would: by their fields."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from realtime_rl.core.errors import PlantError, choices
from realtime_rl.core.robot.contract import SourceSpec
from realtime_rl.plants.mujoco_model import Body, Values, library

TARGET = "target"
Say = Callable[[], Any]
"""Makes a source's message."""


@dataclass(slots=True)
class Scene:
    """What there is beside the robot."""

    target: Values
    """A place that is to be reached [m]."""
    random: np.random.Generator
    noise: float
    """Standard deviation of measured joints [rad or m]."""


class Place:
    """A site or body of the model: where it is, how it lies, how it moves."""

    def __init__(self, body: Body, name: str) -> None:
        """Find it by name; `PlantError`."""
        self._mujoco, self._body = library(), body
        kinds = self._mujoco.mjtObj
        for kind in (kinds.mjOBJ_SITE, kinds.mjOBJ_XBODY):
            self.index = self._mujoco.mj_name2id(
                body.model, kinds.mjOBJ_BODY if kind == kinds.mjOBJ_XBODY else kind, name)
            self._kind = kind
            if self.index >= 0:
                return
        sites = [body.model.site(index).name for index in range(body.model.nsite)]
        bodies = [body.model.body(index).name for index in range(1, body.model.nbody)]
        raise PlantError(f"plant 'mujoco': the model has no site or body {name!r}; name what the "
                         f"source is about with the option places, of {choices(sites)} and "
                         f"{choices(bodies)}")

    @property
    def _site(self) -> bool:
        return bool(self._kind == self._mujoco.mjtObj.mjOBJ_SITE)

    @property
    def position(self) -> Values:
        """In the world [m]."""
        data = self._body.data
        return np.array(data.site_xpos[self.index] if self._site else data.xpos[self.index])

    @property
    def rotation(self) -> Values:
        """As a matrix of 3 x 3."""
        data = self._body.data
        return np.array(data.site_xmat[self.index] if self._site
                        else data.xmat[self.index]).reshape(3, 3)

    @property
    def orientation(self) -> SimpleNamespace:
        """As a quaternion."""
        w_first = np.zeros(4)
        self._mujoco.mju_mat2Quat(w_first, self.rotation.ravel())
        w, x, y, z = w_first.tolist()
        return SimpleNamespace(x=x, y=y, z=z, w=w)

    @property
    def twist(self) -> SimpleNamespace:
        """Velocities in its own frame [m/s, rad/s]."""
        found = np.zeros(6)
        self._mujoco.mj_objectVelocity(self._body.model, self._body.data, self._kind, self.index,
                                       found, 1)
        return SimpleNamespace(linear=xyz(found[3:]), angular=xyz(found[:3]))

    @property
    def acceleration(self) -> SimpleNamespace:
        """As an accelerometer feels it, in its own frame [m/s²]."""
        found = np.zeros(6)
        self._mujoco.mj_rnePostConstraint(self._body.model, self._body.data)
        self._mujoco.mj_objectAcceleration(self._body.model, self._body.data, self._kind,
                                           self.index, found, 1)
        return xyz(found[3:])


def xyz(values: Values) -> SimpleNamespace:
    """Return a vector's fields."""
    x, y, z = values.tolist()
    return SimpleNamespace(x=x, y=y, z=z)


def saying(source: SourceSpec, body: Body, scene: Scene, places: Mapping[str, str],
           scan: str) -> Say:
    """Return what makes a source's messages; `PlantError` where nothing can."""
    kind = source.config.type.rpartition("/")[2]
    if kind == "JointState":
        return _joints(source, body, scene)
    name = places.get(source.name, source.name)
    if kind == "PointStamped" and name == TARGET:
        return lambda: SimpleNamespace(point=xyz(scene.target))
    makers: dict[str, Callable[[Place], Say]] = {
        "PointStamped": lambda place: lambda: SimpleNamespace(point=xyz(place.position)),
        "PoseStamped": lambda place: lambda: SimpleNamespace(pose=_pose(place)),
        "Twist": lambda place: lambda: place.twist,
        "TwistStamped": lambda place: lambda: SimpleNamespace(twist=place.twist),
        "Imu": lambda place: lambda: SimpleNamespace(
            orientation=place.orientation, angular_velocity=place.twist.angular,
            linear_acceleration=place.acceleration),
        "Odometry": lambda place: lambda: SimpleNamespace(
            pose=SimpleNamespace(pose=_pose(place)), twist=SimpleNamespace(twist=place.twist)),
        "LaserScan": lambda place: _scanner(body, place, scan),
    }
    if kind not in makers:
        raise PlantError(f"plant 'mujoco': source.{source.name}: a {kind} cannot be simulated in "
                         f"virtual time; types that can: {choices(('JointState', *makers))}")
    return makers[kind](Place(body, name))


def _pose(place: Place) -> SimpleNamespace:
    return SimpleNamespace(position=xyz(place.position), orientation=place.orientation)


def _joints(source: SourceSpec, body: Body, scene: Scene) -> Say:
    """All joints; those that the contract asks for must be there."""
    for element in source.elements:
        body.joint(element.partition(".")[2])
    names, data = list(body.joints), body.data
    at, speeds_at = body.at(names), body.speeds_at(names)

    def say() -> SimpleNamespace:
        position = data.qpos[at]
        if scene.noise:
            position += scene.random.normal(0.0, scene.noise, len(names))
        return SimpleNamespace(name=names, position=position, velocity=data.qvel[speeds_at],
                               effort=data.qfrc_actuator[speeds_at])
    return say


def _scanner(body: Body, place: Place, text: str) -> Say:
    """Rays all around a place, in its plane."""
    try:
        count, least, most, group = text.split()
        rays, nearest, farthest, seen = int(count), float(least), float(most), int(group)
        step = 2 * math.pi / rays
    except (ValueError, ZeroDivisionError) as error:
        raise PlantError(f"plant 'mujoco', option scan: {text!r}: write it like "
                         "'72 0.12 3.5 1'") from error
    angles = -math.pi + np.arange(rays) * step
    ways = np.stack([np.cos(angles), np.sin(angles), np.zeros(rays)], 1)
    groups = (np.arange(6) == seen).astype(np.uint8)
    met, ray = np.zeros(1, np.int32), library().mj_ray

    def look() -> SimpleNamespace:
        origin = place.position
        found = np.array([ray(body.model, body.data, origin, way, groups, 1, -1, met)
                          for way in ways @ place.rotation.T])
        found[(found < nearest) | (found > farthest)] = math.inf  # -1: nothing is met
        return SimpleNamespace(ranges=found, intensities=(), angle_min=-math.pi,
                               angle_max=math.pi - step, angle_increment=step, time_increment=0.0,
                               scan_time=0.0, range_min=nearest, range_max=farthest)
    return look
