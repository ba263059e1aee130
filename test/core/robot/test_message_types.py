"""The types of a robot's messages: each entry is of a real type, and says what it can say."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.robot import message_types
from realtime_rl.core.robot.command_writing import Order
from realtime_rl.core.robot.contract_choices import Mode
from realtime_rl.core.robot.message_types import ACTIONS, SOURCES

SENT_NS = 1_700_000_000_250_000_000


def namespace(name: str) -> Any:
    """A message of any type, as empty as one."""
    part = SimpleNamespace

    def vector() -> SimpleNamespace:
        return part(x=0.0, y=0.0, z=0.0)

    def time() -> SimpleNamespace:
        return part(sec=0, nanosec=0)

    header = part(stamp=time(), frame_id="")
    if name.endswith("JointTrajectoryPoint"):
        return part(positions=[], velocities=[], time_from_start=time())
    return part(header=header, linear=vector(), angular=vector(), name=[], joint_names=[],
                twist=part(linear=vector(), angular=vector()))


def filled(kind: str, names: tuple[str, ...], values: tuple[float, ...],
           mode: Mode = Mode.POSITION) -> Any:
    action = message_types.action(kind)
    action.check(names, mode)
    return action.fill(namespace(kind), Order(names, values, mode, 20_000_000), namespace,
                       SENT_NS, "base")


def test_a_twist_has_its_values_where_their_names_say() -> None:
    stamped = filled("geometry_msgs/msg/TwistStamped", ("wz", "vx"), (-0.5, 0.25), Mode.VELOCITY)
    bare = filled("geometry_msgs/msg/Twist", ("wz", "vx"), (-0.5, 0.25), Mode.VELOCITY)
    for twist in (stamped.twist, bare):
        assert (twist.linear.x, twist.angular.z, twist.linear.y) == (0.25, -0.5, 0.0)
    assert (stamped.header.stamp.sec, stamped.header.stamp.nanosec) == (1_700_000_000, 250_000_000)
    assert stamped.header.frame_id == "base"
    assert bare.header.frame_id == ""


@pytest.mark.parametrize(("mode", "array"), [
    (Mode.POSITION, "position"), (Mode.DELTA, "position"), (Mode.VELOCITY, "velocity"),
    (Mode.EFFORT, "effort")])
def test_a_joint_state_says_what_its_mode_is(mode: Mode, array: str) -> None:
    message = filled("sensor_msgs/msg/JointState", ("j2", "j1"), (0.5, 1.0), mode)
    assert message.name == ["j2", "j1"]
    assert list(getattr(message, array)) == [0.5, 1.0]


@pytest.mark.parametrize(("mode", "array"), [
    (Mode.POSITION, "positions"), (Mode.DELTA, "positions"), (Mode.VELOCITY, "velocities")])
def test_a_trajectory_begins_at_once_and_takes_a_period(mode: Mode, array: str) -> None:
    message = filled("trajectory_msgs/msg/JointTrajectory", ("j1",), (0.5,), mode)
    (point,) = message.points
    assert message.joint_names == ["j1"]
    assert list(getattr(point, array)) == [0.5]
    assert point.time_from_start.nanosec == 20_000_000
    assert message.header.stamp.sec == message.header.stamp.nanosec == 0


def test_what_is_not_named_of_a_pad_is_let_go() -> None:
    message = filled("sensor_msgs/msg/Joy", ("axes[2]", "buttons[1]", "axes[0]"), (0.5, 0.9, -1.0))
    assert list(message.axes) == [-1.0, 0.0, 0.5]
    assert list(message.buttons) == [0, 1]


@pytest.mark.parametrize(("value", "true"), [(0.0, False), (0.49, False), (0.5, True), (1.0, True)])
def test_half_of_one_is_true(value: float, true: bool) -> None:
    assert filled("std_msgs/msg/Bool", ("grip",), (value,)).data is true


def test_an_array_has_no_names() -> None:
    message = filled("std_msgs/msg/Float64MultiArray", ("a", "b"), (0.1, math.pi), Mode.EFFORT)
    assert list(message.data) == [0.1, math.pi]


@pytest.mark.parametrize(("kind", "names", "mode", "said"), [
    ("geometry_msgs/msg/Twist", ("vx",), Mode.POSITION, "mode: 'position'"),
    ("geometry_msgs/msg/Twist", ("v",), Mode.VELOCITY, "names: 'v'.*'vx'"),
    ("trajectory_msgs/msg/JointTrajectory", ("j1",), Mode.EFFORT, "mode: 'effort'"),
    ("sensor_msgs/msg/Joy", ("axis",), Mode.POSITION, r"names: 'axis'.*'axes\[0\]'"),
    ("std_msgs/msg/Bool", ("a", "b"), Mode.POSITION, "names: 2 of std_msgs/msg/Bool.* 1 at most"),
    ("std_msgs/msg/Float64MultiArray", ("a", "a"), Mode.POSITION, "each once"),
    ("std_msgs/msg/Float64MultiArray", (), Mode.POSITION, "names: 'none'"),
])
def test_a_command_that_a_type_cannot_say_is_refused(kind: str, names: tuple[str, ...], mode: Mode,
                                                     said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        message_types.action(kind).check(names, mode)


@pytest.mark.parametrize(("name", "said"), [
    ("JointState", "write it as 'sensor_msgs/msg/JointState'"),
    ("sensor_msgs/JointState", "write it as 'sensor_msgs/msg/JointState'"),
    ("std_msgs/msg/String", "is not one of .*Bool")])
def test_an_unknown_type_is_refused_with_the_known_ones(name: str, said: str) -> None:
    for known in (message_types.source, message_types.action):
        with pytest.raises(ConfigError, match=said):
            known(name)


def test_names_are_those_of_their_entries() -> None:
    assert all(name == kind.name for table in (SOURCES, ACTIONS) for name, kind in table.items())
