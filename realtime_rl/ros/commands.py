"""The `command` topic in the type that the plant or robot takes (DESIGN: section 3).

A command is stamped when it is sent, as drives brake for what is older than their timeout. A
gamepad's `frame_id` says on whose behalf it is given. In a robot's message `frame_id` is a frame,
so that this goes beside it, on `origin`.
"""

from __future__ import annotations

import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from geometry_msgs.msg import TwistStamped
from sensor_msgs.msg import JointState, Joy
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from realtime_rl.core.control.gamepad import GamepadLayout, pad_layout, unknown_axes
from realtime_rl.core.control.latch import CommandLatch
from realtime_rl.core.errors import ConfigError, choices
from realtime_rl.core.messages import joy_wire, wire
from realtime_rl.core.messages.records import Command
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

    @property
    def names_origin(self) -> bool:
        """Whether the message says on whose behalf it is sent; else that goes to `origin`."""
        return self.message_type is Joy

    def encode(self, command: Command, sent_ns: int, frame_id: str = "") -> Any:  # noqa: ANN401 - a message of `message_type`
        """Make the message for `command`.

        Args:
            command: what to do.
            sent_ns: the time [ns, ROS time].
            frame_id: the frame in which a robot's command is given.
        """
        message = self.message_type()
        self.write(message, command.action)
        if isinstance(message, Float64MultiArray):
            return message
        message.header.frame_id = joy_wire.command_words(command) if self.names_origin else frame_id
        # a trajectory's stamp says when it begins, 0: now; controllers refuse one that is over
        if not isinstance(message, JointTrajectory):
            message.header.stamp = to_time(sent_ns)
        return message

    def offer(self, message: Any, latch: CommandLatch) -> bool:  # noqa: ANN401 - of `message_type`
        """Give a command to the plant's latch; return whether the plant can apply it.

        Raises:
            WireError: it is none.
        """
        action = self.read(message)
        if self.names_origin:
            return latch.offer(joy_wire.command_from(message.header.frame_id, action))
        stamped = not isinstance(message, JointTrajectory | Float64MultiArray)
        return latch.offer_bare(action, to_ns(message.header.stamp) if stamped else 0)


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
