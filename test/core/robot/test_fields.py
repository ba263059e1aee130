"""Fields of a contract: what they are called, what they take, what is refused at load."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from robot_messages import imu, joints, number, odometry, quaternion, scan, vector

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.messages.wire import WireError
from realtime_rl.core.robot import fields, message_types, rotations
from realtime_rl.core.robot.fields import Field

JOINTS = "sensor_msgs/msg/JointState"
IMU = "sensor_msgs/msg/Imu"
ODOM = "nav_msgs/msg/Odometry"
SCAN = "sensor_msgs/msg/LaserScan"
ARRAY = "std_msgs/msg/Float64MultiArray"


def field(text: str, kind: str) -> Field:
    return fields.parse(text, message_types.source(kind))


@pytest.mark.parametrize(("text", "kind", "message", "elements", "values"), [
    ("position.j2", JOINTS, joints(["j1", "j2"], [1.0, 2.0]), ["position.j2"], [2.0]),
    ("effort.arm.j1", JOINTS, joints(["arm.j1"], [], [], [3.0]), ["effort.arm.j1"], [3.0]),
    ("angular_velocity.z", IMU, imu(turning=vector(z=0.5)), ["angular_velocity.z"], [0.5]),
    ("twist.twist.linear.x", ODOM, odometry(moving=vector(0.25)), ["twist.twist.linear.x"],
     [0.25]),
    ("ranges[2]", SCAN, scan([1.0, 2.0, 3.0]), ["ranges[2]"], [3.0]),
    ("ranges[0:5:2]", SCAN, scan([0.0, 1.0, 2.0, 3.0, 4.0, 5.0]),
     ["ranges[0]", "ranges[2]", "ranges[4]"], [0.0, 2.0, 4.0]),
    ("ranges[1:3]", SCAN, scan([0.0, 1.0, 2.0]), ["ranges[1]", "ranges[2]"], [1.0, 2.0]),
    ("data", "std_msgs/msg/Bool", number(True), ["data"], [1.0]),
    ("orientation@gravity", IMU, imu(), [f"orientation@gravity.{axis}" for axis in "xyz"],
     [0.0, 0.0, -1.0]),
    ("pose.pose.orientation@rpy", ODOM,
     odometry(orientation=quaternion(z=math.sin(0.25), w=math.cos(0.25))),
     [f"pose.pose.orientation@rpy.{name}" for name in ("roll", "pitch", "yaw")], [0.0, 0.0, 0.5]),
    ("orientation@xyzw", IMU, imu(quaternion(w=-1.0)),
     [f"orientation@xyzw.{axis}" for axis in "xyzw"], [0.0, 0.0, 0.0, 1.0]),
    ("orientation@rot6d", IMU, imu(),
     [f"orientation@rot6d.{name}" for name in ("xx", "xy", "xz", "yx", "yy", "yz")],
     [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
])
def test_a_field_takes_what_it_names(text: str, kind: str, message: Any, elements: list[str],
                                     values: list[float]) -> None:
    found = field(text, kind)
    assert list(found.elements) == elements
    assert found.read(message) == pytest.approx(values)


@pytest.mark.parametrize(("text", "kind", "said"), [
    ("position", JOINTS, "'position' is no field.*'position.NAME'"),
    ("position.", JOINTS, "no field"),
    ("temperature.j1", JOINTS, "'temperature.j1' is no field.*'velocity.NAME'"),
    ("angular_velocity", IMU, "there are 'angular_velocity.x', 'angular_velocity.y'"),
    ("twist.linear.x", ODOM, "'twist.twist.linear.x'"),
    ("twist.twist.liner.x", ODOM, "'twist.twist.linear.x'"),
    ("angular_velocity.x.y", IMU, "'angular_velocity.x'"),
    ("ranges", SCAN, "many values; say which, as 'ranges\\[0\\]'"),
    ("ranges[4:2]", SCAN, "a range has a first place"),
    ("ranges[0:9:0]", SCAN, "a range has a first place"),
    ("ranges[0:99999]", SCAN, "4096 values at most"),
    ("ranges[:9]", SCAN, "no value"),
    ("ranges[-1]", SCAN, "no value"),
    ("orientation_covariance[9]", IMU, "9 values at most"),
    ("range_max[0]", SCAN, "is one number"),
    ("orientation", IMU, "'orientation@gravity'"),
    ("orientation@euler", IMU, "'euler' is not one of 'gravity', 'rot6d', 'rpy', 'xyzw'"),
    ("angular_velocity@rpy", IMU, "is no quaternion"),
    ("data[0]@rpy", ARRAY, "no value"),
    ("", ARRAY, "there are 'data\\[…\\]'"),
    ("data", "sensor_msgs/msg/Image", "is a picture; it has a section `image`"),
])
def test_a_field_that_is_not_there_is_refused_at_load(text: str, kind: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        field(text, kind)


@pytest.mark.parametrize(("text", "kind", "message", "said"), [
    ("position.j3", JOINTS, joints(["j1"], [1.0]), "'position.j3' is not there.*'j1'"),
    ("position.j1", JOINTS, joints(["j1", "j1"], [1.0, 2.0]), "'j1' is there 2 times"),
    ("velocity.j1", JOINTS, joints(["j1"], [1.0]), "0 values of velocity for 'j1'"),
    ("ranges[0:360:10]", SCAN, scan([1.0] * 180), "ranges has 180 values; .* needs 351"),
    ("orientation@rpy", IMU, imu(quaternion(w=0.0)), "orientation is no rotation"),
    ("orientation@rpy", IMU, imu(quaternion(w=math.nan)), "orientation is no rotation"),
])
def test_a_message_that_has_it_not_is_refused(text: str, kind: str, message: Any, said: str
                                              ) -> None:
    with pytest.raises(WireError, match=said):
        field(text, kind).read(message)


@given(st.lists(st.floats(-1.0, 1.0), min_size=4, max_size=4), st.floats(0.995, 1.005))
def test_the_forms_of_a_rotation_agree(parts: list[float], length: float) -> None:
    """Gravity is the last row of the matrix whose first columns are `rot6d`, and so on."""
    size = math.sqrt(sum(part * part for part in parts))
    if size < 0.01:
        return
    found = rotations.unit(*(part / size * length for part in parts))
    assert found is not None
    six, gravity = rotations.FORMS["rot6d"].of(*found), rotations.FORMS["gravity"].of(*found)
    roll, pitch, yaw = rotations.FORMS["rpy"].of(*found)
    first, second = six[:3], six[3:]
    third_z = first[0] * second[1] - first[1] * second[0]
    assert gravity == pytest.approx((-first[2], -second[2], -third_z), abs=1e-9)
    assert rotations.FORMS["xyzw"].of(*found) == pytest.approx(
        rotations.FORMS["xyzw"].of(*(-part for part in found))) or found[3] == 0
    if abs(math.cos(pitch)) > 1e-3:
        assert first == pytest.approx((math.cos(yaw) * math.cos(pitch),
                                       math.sin(yaw) * math.cos(pitch), -math.sin(pitch)),
                                      abs=1e-6)
        assert second[2] == pytest.approx(math.sin(roll) * math.cos(pitch), abs=1e-6)
