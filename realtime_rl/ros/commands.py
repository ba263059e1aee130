"""The `command` topic in the type that the plant or robot takes (DESIGN: section 3).

A command is stamped when it is sent, as drives brake for what is older than their timeout. A
gamepad's `frame_id` says on whose behalf it is given. In a robot's message `frame_id` is a frame,
so that this goes beside it, on `origin`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from geometry_msgs.msg import TwistStamped
from sensor_msgs.msg import JointState, Joy
from trajectory_msgs.msg import JointTrajectory

from realtime_rl.core.control.gamepad import GamepadLayout, pad_layout, unknown_axes
from realtime_rl.core.control.latch import CommandLatch
from realtime_rl.core.errors import ConfigError, choices
from realtime_rl.core.messages import cdr, joy_wire, wire
from realtime_rl.core.messages.joy_wire import JoyValues
from realtime_rl.core.messages.records import Command
from realtime_rl.core.robot import message_types
from realtime_rl.core.robot.command_writing import TWIST_AXES, Order, check_command_type
from realtime_rl.core.types import Action, ActionSpace
from realtime_rl.ros import message_classes
from realtime_rl.ros.messages import deserialize, to_joy_values, to_ns


@dataclass(frozen=True, slots=True)
class CommandCodec:
    """Commands to and from messages of one type."""

    message_type: type
    write: Callable[..., Any]
    """Puts an action into a message, with the time at which it is sent and its frame."""
    read: Callable[[Any], Action]
    stamped: bool = True
    """Whether messages say when they were sent."""

    @property
    def names_origin(self) -> bool:
        """Whether the message says on whose behalf it is sent; else that goes to `origin`."""
        return False

    def decode(self, data: bytes) -> Any:  # noqa: ANN401 - what `offer` takes
        """Read a serialized message; `WireError` when it is none."""
        return deserialize(data, self.message_type)

    def encode(self, command: Command, sent_ns: int, frame_id: str = "") -> Any:  # noqa: ANN401 - a message of `message_type`
        """Make the message for `command`, which may be serialized already.

        Args:
            command: what to do.
            sent_ns: the time [ns, ROS time].
            frame_id: the frame in which a robot's command is given.
        """
        return self.write(self.message_type(), command.action, sent_ns, frame_id)

    def offer(self, message: Any, latch: CommandLatch) -> bool:  # noqa: ANN401 - from `decode`
        """Give a command to the plant's latch; return whether the plant can apply it.

        Raises:
            WireError: it is none.
        """
        action = self.read(message)
        return latch.offer_bare(action, to_ns(message.header.stamp) if self.stamped else 0)


class _PadCodec(CommandCodec):
    """Commands as a gamepad's messages, which say whose they are in their `frame_id`.

    Of both, `write` gives axes and buttons, and `read` takes `JoyValues`.
    """

    @property
    def names_origin(self) -> bool:
        return True

    def decode(self, data: bytes) -> JoyValues:
        return to_joy_values(data)

    def encode(self, command: Command, sent_ns: int, frame_id: str = "") -> bytes:
        del frame_id
        axes, buttons = self.write(command.action)
        return cdr.write_joy(JoyValues(sent_ns, joy_wire.command_words(command), axes, buttons))

    def offer(self, message: JoyValues, latch: CommandLatch) -> bool:
        return latch.offer(joy_wire.command_from(message.frame_id, self.read(message)))


def command_codec(kind: str, space: ActionSpace, gamepad_layout: str) -> CommandCodec:
    """Return the codec of a command type; `ConfigError` when the action space does not fit it."""
    check_command_type(kind, space)
    if space.discrete:
        layout = GamepadLayout.parse(gamepad_layout, space)
        return _PadCodec(Joy, layout.encode, lambda joy: layout.decode(joy.axes, joy.buttons))
    codecs: dict[str, Callable[[ActionSpace], CommandCodec]] = {
        "joy": partial(_joy_axes, gamepad_layout=gamepad_layout), "twist": _twist,
        "joint_state": _joint_state,
        "joint_trajectory": _joint_trajectory, "float64_multi_array": _float64_multi_array}
    if kind not in codecs:
        raise ConfigError(f"command_type: {kind!r} is not one of {choices(codecs)}")
    return codecs[kind](space)


def _joy_axes(space: ActionSpace, gamepad_layout: str) -> CommandCodec:
    """Our own commands have one value an axis; a bare gamepad's are read by its layout."""
    layout = pad_layout(gamepad_layout, space)

    def read(joy: JoyValues) -> Action:
        if "cause" in wire.words_of(joy.frame_id):
            return joy.axes
        problem = unknown_axes(space) if layout is None else layout.problem(joy.axes)
        if layout is None or problem is not None:
            raise wire.WireError(f"gamepad: {problem}")
        return layout.decode(joy.axes, joy.buttons)

    return _PadCodec(Joy, lambda action: (action, ()), read)


def _robot(kind: str, read: Callable[[Any], Action], space: ActionSpace) -> CommandCodec:
    """Commands as messages of a robot, whose elements are the labels of the actions."""
    action_type = message_types.action(kind)

    def write(message: Any, action: Action, sent_ns: int, frame_id: str) -> Any:  # noqa: ANN401
        return action_type.fill(message, Order(space.labels, action), message_classes.empty,
                                sent_ns, frame_id)

    return CommandCodec(message_classes.find(kind), write, read,
                        action_type.has_header and action_type.stamped)


def _twist(space: ActionSpace) -> CommandCodec:
    def read(message: TwistStamped) -> Action:
        return tuple(float(getattr(getattr(message.twist, part), axis))
                     for part, axis in (TWIST_AXES[label] for label in space.labels))

    return _robot("geometry_msgs/msg/TwistStamped", read, space)


def _joint_state(space: ActionSpace) -> CommandCodec:
    def read(message: JointState) -> Action:
        return _by_name(message.name, message.position, space)

    return _robot("sensor_msgs/msg/JointState", read, space)


def _joint_trajectory(space: ActionSpace) -> CommandCodec:
    def read(message: JointTrajectory) -> Action:
        positions = message.points[0].positions if message.points else ()
        return _by_name(message.joint_names, positions, space)

    return _robot("trajectory_msgs/msg/JointTrajectory", read, space)


def _by_name(names: Sequence[str], values: Sequence[float], space: ActionSpace) -> Action:
    """Whoever sends the command, in whatever order: each joint gets its own value."""
    given = dict(zip(names, values, strict=False))
    absent = [label for label in space.labels if label not in given]
    if absent:
        raise wire.WireError(f"command has no value for {absent[0]!r}, only for {choices(given)}")
    return tuple(float(given[label]) for label in space.labels)


def _float64_multi_array(space: ActionSpace) -> CommandCodec:
    return _robot("std_msgs/msg/Float64MultiArray", lambda message: tuple(message.data), space)
