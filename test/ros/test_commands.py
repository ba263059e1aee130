"""Commands in every message type, there and back."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
from geometry_msgs.msg import TwistStamped
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import JointState, Joy
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory

from realtime_rl.core.control.gamepad import AUTO, XBOX
from realtime_rl.core.control.latch import CommandLatch
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.messages.records import Command, CommandOrigin
from realtime_rl.core.messages.wire import WireError
from realtime_rl.core.settings.parameters import COMMAND_TYPES
from realtime_rl.core.types import ActionSpace, Cause
from realtime_rl.ros.commands import CommandCodec, command_codec
from realtime_rl.ros.messages import from_joy, to_ns

PAD = ActionSpace(("A", "LEFT", "A+LEFT", "NOOP"), (3.0,))
BASE = ActionSpace(("vx", "wz"), (0.0, 0.0), (-1.0, -2.0), (1.0, 2.0))
STAMP = 1_700_000_000_123_456_789


def sent(message: Any) -> Any:
    """The message as a subscriber gets it."""
    if isinstance(message, bytes):
        return deserialize_message(message, Joy)
    return deserialize_message(serialize_message(message), type(message))


def latched(codec: CommandCodec, space: ActionSpace, message: Any,
            origin: CommandOrigin | None = None) -> Command:
    """What a plant makes of a message."""
    latch = CommandLatch(space)
    if origin is not None:
        latch.note(origin)
    assert codec.offer(codec.decode(serialize_message(message)), latch)
    return latch.latch()


@pytest.mark.parametrize("layout", [XBOX, AUTO])
@pytest.mark.parametrize("index", range(PAD.size))
def test_a_gamepad_command_comes_back(index: int, layout: str) -> None:
    codec = command_codec("joy", PAD, layout)
    command = Command(Cause.POLICY, (float(index),), 3, 17, 9)
    message = sent(codec.encode(command, STAMP))
    assert isinstance(message, Joy)
    assert latched(codec, PAD, message) == command


@pytest.mark.parametrize(("kind", "message_type"), [
    ("joy", Joy), ("twist", TwistStamped), ("joint_trajectory", JointTrajectory),
    ("joint_state", JointState), ("float64_multi_array", Float64MultiArray)])
@pytest.mark.parametrize("cause", Cause)
def test_a_continuous_command_comes_back(kind: str, message_type: type, cause: Cause) -> None:
    codec = command_codec(kind, BASE, "")
    assert codec.message_type is message_type
    command = Command(cause, (0.5, -2.0), 3, 17, 9)
    message = sent(codec.encode(command, STAMP))
    assert isinstance(message, message_type)
    beside = CommandOrigin(STAMP, cause, 3, 17, 9, command.action)
    assert latched(codec, BASE, message, None if kind == "joy" else beside) == command


@pytest.mark.parametrize("kind", [kind for kind in COMMAND_TYPES if kind != "joy"])
def test_a_robots_message_holds_nothing_that_is_ours(kind: str) -> None:
    """Its frame is a frame, and its stamp the time at which it was sent: drives look at both."""
    message = command_codec(kind, BASE, "").encode(
        Command(Cause.POLICY, (0.5, -2.0), 3, 17, 9), STAMP, "base_link")
    if kind == "float64_multi_array":
        assert message.layout.dim == []
        return
    assert message.header.frame_id == "base_link"
    # a trajectory begins at once: a controller refuses one that is over
    assert to_ns(message.header.stamp) == (0 if kind == "joint_trajectory" else STAMP)


def test_every_type_that_may_be_configured_has_a_codec() -> None:
    for kind in COMMAND_TYPES:
        command_codec(kind, BASE, AUTO)


def test_a_twist_puts_each_label_on_its_axis() -> None:
    labels = ("vx", "vy", "vz", "wx", "wy", "wz")
    space = ActionSpace(labels, (0.0,) * 6, (-9.0,) * 6, (9.0,) * 6)
    twist = command_codec("twist", space, "").encode(
        Command(Cause.POLICY, (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)), STAMP).twist
    assert (twist.linear.x, twist.linear.y, twist.linear.z) == (1.0, 2.0, 3.0)
    assert (twist.angular.x, twist.angular.y, twist.angular.z) == (4.0, 5.0, 6.0)


def test_a_trajectory_names_its_joints() -> None:
    message = command_codec("joint_trajectory", BASE, "").encode(
        Command(Cause.POLICY, (0.5, -2.0)), STAMP)
    assert message.joint_names == ["vx", "wz"]
    assert [list(point.positions) for point in message.points] == [[0.5, -2.0]]


@pytest.mark.parametrize("kind", ["joint_state", "joint_trajectory"])
def test_joints_are_known_by_name_not_by_place(kind: str) -> None:
    codec = command_codec(kind, BASE, "")
    message = codec.encode(Command(Cause.POLICY, (0.5, -2.0)), STAMP)
    names = message.name if kind == "joint_state" else message.joint_names
    names.reverse()
    latch = CommandLatch(ActionSpace(("vx", "wz"), (0.0, 0.0), (-2.0, -2.0), (2.0, 2.0)))
    codec.offer(message, latch)
    assert latch.latch().action == (-2.0, 0.5)
    names[0] = "elbow"
    with pytest.raises(WireError, match="command has no value for 'wz', only for 'elbow', 'vx'"):
        codec.offer(message, latch)


@pytest.mark.parametrize("message", [JointState(), JointTrajectory(),
                                     JointState(name=["vx", "wz"], position=[0.5]),
                                     JointTrajectory(joint_names=["vx", "wz"])])
def test_a_command_without_values_is_refused(message: Any) -> None:
    kind = "joint_state" if isinstance(message, JointState) else "joint_trajectory"
    with pytest.raises(WireError, match="command has no value for"):
        command_codec(kind, BASE, "").offer(message, CommandLatch(BASE))


def test_a_bare_driver_is_a_person() -> None:
    joy = Joy(axes=[0.0] * 8, buttons=[1] + [0] * 10)
    joy.header.frame_id = "joy"
    assert latched(command_codec("joy", PAD, XBOX), PAD, joy) == Command(Cause.OPERATOR, (0.0,))
    array = Float64MultiArray(data=[0.5, 1.0])
    assert latched(command_codec("float64_multi_array", BASE, ""), BASE, array) == Command(
        Cause.OPERATOR, (0.5, 1.0))


def test_a_bare_pad_drives_a_continuous_plant_by_its_layout() -> None:
    codec = command_codec("joy", BASE, "vx=axis1+ wz=axis3*-1.0")
    joy = Joy(axes=[0.0, 1.0, 1.0, 0.5, 0.0, 1.0, 0.0, 0.0], buttons=[0] * 11)
    joy.header.frame_id = "joy"
    command = latched(codec, BASE, joy)
    assert command.cause is Cause.OPERATOR
    assert command.action == pytest.approx((1.0, -(0.5 - 0.1) / 0.9))
    own = sent(codec.encode(Command(Cause.POLICY, (0.01, 2.0), 3, 17, 9), STAMP))
    assert latched(codec, BASE, own).action == pytest.approx((0.01, 2.0)), "ours have no dead zone"


@pytest.mark.parametrize(("layout", "message"), [
    ("vx=axis1+ wz=axis9+", "gamepad: 8 axes, the layout needs axis 9")])
def test_a_bare_pad_that_does_not_fit_is_refused(layout: str, message: str) -> None:
    with pytest.raises(WireError, match=message):
        command_codec("joy", BASE, layout).offer(from_joy(Joy(axes=[0.0] * 8)), CommandLatch(BASE))


def test_which_axis_is_which_is_not_guessed() -> None:
    space = ActionSpace(("u0", "u1"), (0.0, 0.0), (-1.0, -1.0), (1.0, 1.0))
    with pytest.raises(WireError, match="gamepad: which axis of a gamepad is 'u0'"):
        command_codec("joy", space, AUTO).offer(from_joy(Joy(axes=[0.5, 0.5])), CommandLatch(space))


def test_words_that_are_no_command_are_refused() -> None:
    codec = command_codec("joy", PAD, XBOX)
    message = replace(codec.decode(codec.encode(Command(Cause.POLICY, (0.0,)), STAMP)),
                      frame_id="cause=nobody")
    with pytest.raises(WireError, match="command frame_id"):
        codec.offer(message, CommandLatch(PAD))


def test_values_outside_the_space_are_left_to_the_latch() -> None:
    message = TwistStamped()
    message.twist.linear.x = math.nan
    latch = CommandLatch(BASE)
    assert not command_codec("twist", BASE, "").offer(message, latch)
    assert latch.latch().cause is Cause.NONE


@pytest.mark.parametrize(("kind", "space", "message"), [
    ("twist", PAD, "command_type: 'twist' needs a continuous action space, not 'A LEFT A.LEFT "
                   "NOOP = NOOP'; use 'joy'"),
    ("twist", ActionSpace(("vx", "grip"), (0.0, 0.0), (-1.0, 0.0), (1.0, 1.0)),
     "command_type 'twist': action 'grip' is not one of 'vx', 'vy', 'vz', 'wx', 'wy', 'wz'"),
    ("wheel", BASE, "command_type: 'wheel' is not one of 'float64_multi_array', 'joint_state', "
                    "'joint_trajectory', 'joy', 'twist'"),
    ("joy", ActionSpace(("JUMP", "NOOP"), (1.0,)), "gamepad layout has no place for JUMP")])
def test_an_action_space_that_does_not_fit_the_type_is_refused(kind: str, space: ActionSpace,
                                                               message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        command_codec(kind, space, XBOX)
