"""The `command` topic in the type that the plant or robot takes (DESIGN: section 3).

On whose behalf a command is given travels in `header.frame_id`, whatever the type; a
`Float64MultiArray` has no header and carries it as the label of its only dimension.
"""

from __future__ import annotations

import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from geometry_msgs.msg import TwistStamped
from sensor_msgs.msg import JointState, Joy
from std_msgs.msg import Float64MultiArray, MultiArrayDimension
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from realtime_rl.core import wire
from realtime_rl.core.errors import ConfigError, choices
from realtime_rl.core.gamepad import GamepadLayout, pad_layout, unknown_axes
from realtime_rl.core.records import Command
from realtime_rl.core.types import Action, ActionSpace
from realtime_rl.ros.messages import to_ns, to_time

_TWIST = {"vx": ("linear", "x"), "vy": ("linear", "y"), "vz": ("linear", "z"),
          "wx": ("angular", "x"), "wy": ("angular", "y"), "wz": ("angular", "z")}


@dataclass(frozen=True, slots=True)
class CommandCodec:
    """Commands to and from messages of one type."""

    message_type: type
    write: Callable[[Any, Action], None]
    read: Callable[[Any], Action]

    def encode(self, command: Command) -> Any:  # noqa: ANN401 - a message of `message_type`
        """Make the message for `command`."""
        message = self.message_type()
        words = wire.command_words(command)
        self.write(message, command.action)
        if isinstance(message, Float64MultiArray):
            size = len(message.data)
            message.layout.dim = [MultiArrayDimension(label=words, size=size, stride=size)]
            return message
        message.header.frame_id = words
        # a trajectory's stamp says when it begins, 0: now; controllers refuse one that is over
        if not isinstance(message, JointTrajectory):
            message.header.stamp = to_time(command.stamp_ns)
        return message

    def decode(self, message: Any) -> Command:  # noqa: ANN401 - a message of `message_type`
        """Read a command; `WireError` when it is none."""
        if isinstance(message, Float64MultiArray):
            label = message.layout.dim[0].label if message.layout.dim else ""
            return wire.command_from(0, label, self.read(message))
        return wire.command_from(to_ns(message.header.stamp), message.header.frame_id,
                                 self.read(message))


def command_codec(kind: str, space: ActionSpace, gamepad_layout: str) -> CommandCodec:
    """Return the codec of a command type; `ConfigError` when the action space does not fit it."""
    if kind == "joy" and space.discrete:
        layout = GamepadLayout.parse(gamepad_layout, space)
        return CommandCodec(Joy, lambda message, action: _write_pad(message, layout, action),
                            lambda message: layout.decode(tuple(message.axes),
                                                          tuple(message.buttons)))
    if space.discrete:
        raise ConfigError(f"command_type: {kind!r} needs a continuous action space, "
                          f"not '{space}'; use 'joy'")
    codecs: dict[str, Callable[[ActionSpace], CommandCodec]] = {
        "joy": partial(_joy_axes, gamepad_layout=gamepad_layout), "twist": _twist,
        "joint_state": _joint_state,
        "joint_trajectory": _joint_trajectory, "float64_multi_array": _float64_multi_array}
    if kind not in codecs:
        raise ConfigError(f"command_type: {kind!r} is not one of {choices(codecs)}")
    return codecs[kind](space)


def _write_pad(message: Joy, layout: GamepadLayout, action: Action) -> None:
    axes, buttons = layout.encode(action)
    message.axes = array.array("f", axes)
    message.buttons = array.array("i", buttons)


def _joy_axes(space: ActionSpace, gamepad_layout: str) -> CommandCodec:
    """Our own commands have one value an axis; a bare gamepad's are read by its layout."""
    layout = pad_layout(gamepad_layout, space)

    def write(message: Joy, action: Action) -> None:
        message.axes = array.array("f", action)

    def read(message: Joy) -> Action:
        axes = tuple(message.axes)
        if "cause" in wire.decode_words(message.header.frame_id):
            return axes
        problem = unknown_axes(space) if layout is None else layout.problem(axes)
        if layout is None or problem is not None:
            raise wire.WireError(f"gamepad: {problem}")
        return layout.decode(axes, tuple(message.buttons))

    return CommandCodec(Joy, write, read)


def _twist(space: ActionSpace) -> CommandCodec:
    strangers = [label for label in space.labels if label not in _TWIST]
    if strangers:
        raise ConfigError(f"command_type 'twist': action {strangers[0]!r} is not one of "
                          f"{choices(_TWIST)}")

    def write(message: TwistStamped, action: Action) -> None:
        for label, value in zip(space.labels, action, strict=True):
            part, axis = _TWIST[label]
            setattr(getattr(message.twist, part), axis, float(value))

    def read(message: TwistStamped) -> Action:
        return tuple(float(getattr(getattr(message.twist, part), axis))
                     for part, axis in (_TWIST[label] for label in space.labels))

    return CommandCodec(TwistStamped, write, read)


def _joint_state(space: ActionSpace) -> CommandCodec:
    def write(message: JointState, action: Action) -> None:
        message.name = list(space.labels)
        message.position = array.array("d", action)

    def read(message: JointState) -> Action:
        return _by_name(message.name, message.position, space)

    return CommandCodec(JointState, write, read)


def _joint_trajectory(space: ActionSpace) -> CommandCodec:
    def write(message: JointTrajectory, action: Action) -> None:
        message.joint_names = list(space.labels)
        message.points = [JointTrajectoryPoint(positions=array.array("d", action))]

    def read(message: JointTrajectory) -> Action:
        positions = message.points[0].positions if message.points else ()
        return _by_name(message.joint_names, positions, space)

    return CommandCodec(JointTrajectory, write, read)


def _by_name(names: Sequence[str], values: Sequence[float], space: ActionSpace) -> Action:
    """Whoever sends the command, in whatever order: each joint gets its own value."""
    given = dict(zip(names, values, strict=False))
    absent = [label for label in space.labels if label not in given]
    if absent:
        raise wire.WireError(f"command has no value for {absent[0]!r}, only for {choices(given)}")
    return tuple(float(given[label]) for label in space.labels)


def _float64_multi_array(space: ActionSpace) -> CommandCodec:
    def write(message: Float64MultiArray, action: Action) -> None:
        message.data = array.array("d", action)

    return CommandCodec(Float64MultiArray, write, lambda message: tuple(message.data))
