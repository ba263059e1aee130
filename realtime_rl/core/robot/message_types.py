"""Types of messages that robots speak, one entry each: all that is special of a type stands there.

Messages are taken as they come, by the names of their fields, so that nothing of ROS is imported
here. A test compares the fields with those of the real classes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from realtime_rl.core.errors import ConfigError, choices
from realtime_rl.core.robot.command_writing import (
    TWIST_AXES,
    Order,
    Write,
    put_time,
    write_array,
    write_bool,
    write_joints,
    write_joy,
    write_trajectory,
    write_twist,
)
from realtime_rl.core.robot.contract_choices import Mode

Structure = Mapping[str, "Structure | int"]
"""Fields that hold numbers, by name: a nested message, or how many numbers there are."""
NUMBER, SEQUENCE = 1, 0
"""One number; any count of them. A greater one is an array of that many."""

_VECTOR: Structure = dict.fromkeys("xyz", NUMBER)
QUATERNION: Structure = dict.fromkeys("xyzw", NUMBER)
_POSE: Structure = {"position": _VECTOR, "orientation": QUATERNION}
_TWIST: Structure = {"linear": _VECTOR, "angular": _VECTOR}
_PAD = re.compile(r"(axes|buttons)\[(\d{1,2})\]")


@dataclass(frozen=True, slots=True)
class SourceType:
    """A type that a source may have."""

    name: str
    structure: Structure = field(default_factory=dict)
    has_header: bool = True
    is_image: bool = False
    arrays: tuple[str, ...] = ()
    """Arrays whose values are called by the messages' `name`, as of a JointState."""
    default: tuple[str, ...] = ()
    """Fields that are taken where none are asked for."""
    velocities: Mapping[str, str] = field(default_factory=dict)
    """Paths of velocities that are called as the elements of commands are."""


@dataclass(frozen=True, slots=True)
class ActionType:
    """A type that commands may have."""

    name: str
    write: Write
    modes: tuple[Mode, ...] = tuple(Mode)
    has_header: bool = True
    stamped: bool = True
    """Its header says when it was sent. A trajectory's says when it begins, 0: now; controllers
    refuse one that is over."""
    element: Callable[[str], bool] = bool
    """Whether an element may be called so."""
    elements: str = "joints"
    """What its elements are called, in words."""
    most: int = 1024
    """Elements."""
    measurable: bool = True
    """Whether others measure where its elements are, or how fast."""

    def fill(self, message: Any, order: Order, make: Callable[[str], Any],  # noqa: ANN401 - of any type
             sent_ns: int = 0, frame: str = "") -> Any:  # noqa: ANN401
        """Make an empty message a command; return it.

        Args:
            message: of this type.
            order: what stands in it.
            make: makes an empty message of a type by its name, as `pkg/msg/Type`.
            sent_ns: now [ns, ROS time].
            frame: of its header, where it has one.
        """
        self.write(message, order, make)
        if self.has_header:
            message.header.frame_id = frame
            if self.stamped:
                put_time(message.header.stamp, sent_ns)
        return message

    def check(self, names: Sequence[str], mode: Mode) -> None:
        """Refuse elements and modes that it has no place for; `ConfigError`."""
        if mode not in self.modes:
            raise ConfigError(f"mode: {mode.word!r} is nothing that {self.name} can say; it says "
                              f"{choices(each.word for each in self.modes)}")
        strangers = [name for name in names if not self.element(name)]
        if strangers or not names:
            raise ConfigError(f"names: {strangers[0] if strangers else 'none'!r}: elements of "
                              f"{self.name} are {self.elements}")
        if len(set(names)) < len(names) or len(names) > self.most:
            raise ConfigError(f"names: {len(names)} of {self.name}, of which it has {self.most} "
                              f"at most, each once: {choices(names)}")


_FIXED = (Mode.POSITION, Mode.VELOCITY, Mode.EFFORT)
"""Of what has no command before it to step from."""
_BASE = ActionType(
    "geometry_msgs/msg/Twist", lambda message, order, _: write_twist(message, order),
    (Mode.VELOCITY,), has_header=False, element=TWIST_AXES.__contains__,
    elements=choices(TWIST_AXES))

SOURCES = {each.name: each for each in (
    SourceType("sensor_msgs/msg/JointState", arrays=("position", "velocity", "effort")),
    SourceType("sensor_msgs/msg/Imu", {
        "orientation": QUATERNION, "angular_velocity": _VECTOR, "linear_acceleration": _VECTOR,
        "orientation_covariance": 9, "angular_velocity_covariance": 9,
        "linear_acceleration_covariance": 9}),
    SourceType("nav_msgs/msg/Odometry", {
        "pose": {"pose": _POSE, "covariance": 36}, "twist": {"twist": _TWIST, "covariance": 36}},
        velocities={name: f"twist.twist.{part}.{axis}"
                    for name, (part, axis) in TWIST_AXES.items()}),
    SourceType("sensor_msgs/msg/LaserScan", {
        **dict.fromkeys(("angle_min", "angle_max", "angle_increment", "time_increment",
                         "scan_time", "range_min", "range_max"), NUMBER),
        "ranges": SEQUENCE, "intensities": SEQUENCE}),
    SourceType("sensor_msgs/msg/Image", is_image=True),
    SourceType("sensor_msgs/msg/CompressedImage", is_image=True),
    SourceType("geometry_msgs/msg/PointStamped", {"point": _VECTOR}),
    SourceType("geometry_msgs/msg/PoseStamped", {"pose": _POSE}),
    SourceType("geometry_msgs/msg/Twist", _TWIST, has_header=False,
               velocities={name: ".".join(path) for name, path in TWIST_AXES.items()}),
    SourceType("geometry_msgs/msg/TwistStamped", {"twist": _TWIST},
               velocities={name: ".".join(("twist", *path))
                           for name, path in TWIST_AXES.items()}),
    SourceType("std_msgs/msg/Float32", {"data": NUMBER}, has_header=False, default=("data",)),
    SourceType("std_msgs/msg/Float64", {"data": NUMBER}, has_header=False, default=("data",)),
    SourceType("std_msgs/msg/Float32MultiArray", {"data": SEQUENCE}, has_header=False),
    SourceType("std_msgs/msg/Float64MultiArray", {"data": SEQUENCE}, has_header=False),
    SourceType("sensor_msgs/msg/Joy", {"axes": SEQUENCE, "buttons": SEQUENCE}),
    SourceType("std_msgs/msg/Bool", {"data": NUMBER}, has_header=False, default=("data",)),
)}

ACTIONS = {each.name: each for each in (
    _BASE,
    ActionType("geometry_msgs/msg/TwistStamped",
               lambda message, order, _: write_twist(message.twist, order), _BASE.modes,
               element=_BASE.element, elements=_BASE.elements),
    ActionType("std_msgs/msg/Float64MultiArray", write_array, has_header=False),
    ActionType("trajectory_msgs/msg/JointTrajectory", write_trajectory,
               (Mode.POSITION, Mode.DELTA, Mode.VELOCITY), stamped=False),
    ActionType("sensor_msgs/msg/JointState", write_joints),
    ActionType("sensor_msgs/msg/Joy", write_joy, _FIXED,
               element=lambda name: bool(_PAD.fullmatch(name)),
               elements="'axes[0]' to 'axes[99]' and 'buttons[0]' to 'buttons[99]'",
               measurable=False),
    ActionType("std_msgs/msg/Bool", write_bool, _FIXED, has_header=False,
               elements="one, of any name", most=1, measurable=False),
)}

_Type = TypeVar("_Type", SourceType, ActionType)


def source(name: str) -> SourceType:
    """Return a source's type by name; `ConfigError` names those that there are."""
    return _find(name, SOURCES)


def action(name: str) -> ActionType:
    """Return a command's type by name; `ConfigError` names those that there are."""
    return _find(name, ACTIONS)


def _find(name: str, known: Mapping[str, _Type]) -> _Type:
    if name in known:
        return known[name]
    alike = [each for each in known if each.rpartition("/")[2] == name.rpartition("/")[2]]
    if alike:
        raise ConfigError(f"type: {name!r}: write it as {alike[0]!r}")
    raise ConfigError(f"type: {name!r} is not one of {choices(known)}")
