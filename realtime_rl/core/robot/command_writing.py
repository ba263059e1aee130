"""Writes what a robot is to do into messages of ROS, in a function for each layout of them."""

from __future__ import annotations

import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from realtime_rl.core.errors import ConfigError, choices
from realtime_rl.core.robot.contract_choices import Mode
from realtime_rl.core.types import ActionSpace

TWIST_AXES = {f"{letter}{axis}": (part, axis)
              for letter, part in (("v", "linear"), ("w", "angular")) for axis in "xyz"}
"""What the elements of a twist are called, and where they stand."""
_ON = 0.5
"""A value from here on presses a button and is true."""
_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Order:
    """What is to stand in a command."""

    names: tuple[str, ...]
    values: tuple[float, ...]
    """A value each."""
    mode: Mode = Mode.POSITION
    period_ns: int = 0
    """In which it is to be reached, where the type can say so."""


Write = Callable[[Any, Order, Callable[[str], Any]], None]
"""Puts an order into an empty message; the last makes an empty message of a type by its name."""


def check_command_type(kind: str, space: ActionSpace) -> None:
    """`ConfigError` where commands of that `command_type` cannot say the actions of `space`."""
    if kind == "joy":
        return
    if space.discrete:
        raise ConfigError(f"command_type: {kind!r} needs a continuous action space, "
                          f"not '{space}'; use 'joy'")
    strangers = [label for label in space.labels if label not in TWIST_AXES]
    if kind == "twist" and strangers:
        raise ConfigError(f"command_type 'twist': action {strangers[0]!r} is not one of "
                          f"{choices(TWIST_AXES)}")


def put_time(message: Any, stamp_ns: int) -> None:  # noqa: ANN401 - a Time or a Duration
    """Write a time [ns] into its two fields."""
    message.sec, message.nanosec = divmod(stamp_ns, _SECOND_NS)


def write_twist(twist: Any, order: Order) -> None:  # noqa: ANN401 - a Twist
    """Write velocities by their axes; the others stay 0."""
    for name, value in zip(order.names, order.values, strict=True):
        part, axis = TWIST_AXES[name]
        setattr(getattr(twist, part), axis, float(value))


def write_array(message: Any, order: Order, make: Callable[[str], Any]) -> None:  # noqa: ANN401
    """Write the values in their order."""
    del make
    message.data = array.array("d", order.values)


def write_joints(message: Any, order: Order, make: Callable[[str], Any]) -> None:  # noqa: ANN401
    """Write names and values, as what the mode says."""
    del make
    message.name = list(order.names)
    target = {Mode.VELOCITY: "velocity", Mode.EFFORT: "effort"}.get(order.mode, "position")
    setattr(message, target, array.array("d", order.values))


def write_trajectory(message: Any, order: Order, make: Callable[[str], Any]) -> None:  # noqa: ANN401
    """Write one point, to be reached in the order's period."""
    point = make("trajectory_msgs/msg/JointTrajectoryPoint")
    values = array.array("d", order.values)
    if order.mode is Mode.VELOCITY:
        point.velocities = values
    else:
        point.positions = values
    put_time(point.time_from_start, order.period_ns)
    message.joint_names = list(order.names)
    message.points = [point]


def write_joy(message: Any, order: Order, make: Callable[[str], Any]) -> None:  # noqa: ANN401
    """Axes and buttons that are not named are 0."""
    del make
    placed: dict[str, dict[int, float]] = {"axes": {}, "buttons": {}}
    for name, value in zip(order.names, order.values, strict=True):
        kind, _, place = name.rstrip("]").partition("[")
        placed[kind][int(place)] = value
    axes, buttons = (
        [given.get(place, 0.0) for place in range(max(given, default=-1) + 1)]
        for given in placed.values())
    message.axes = array.array("f", axes)
    message.buttons = array.array("i", [int(value >= _ON) for value in buttons])


def write_bool(message: Any, order: Order, make: Callable[[str], Any]) -> None:  # noqa: ANN401
    """Write whether the one value is on."""
    del make
    message.data = order.values[0] >= _ON
