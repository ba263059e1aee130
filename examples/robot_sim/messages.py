"""ROS messages: made from values, and spoiled as the faults demand."""

from __future__ import annotations

import array
import math
from collections.abc import Sequence
from typing import Any

from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, PointStamped, Quaternion, Vector3
from nav_msgs.msg import Odometry
from sensor_msgs.msg import CompressedImage, Image, Imu, JointState, Joy, LaserScan
from std_msgs.msg import Bool, Float64, Header

from examples.robot_sim import picture
from examples.robot_sim.physics import Values


def to_time(ns: int) -> Time:
    return Time(sec=ns // 1_000_000_000, nanosec=ns % 1_000_000_000)


def to_ns(time: Any) -> int:  # noqa: ANN401 - builtin_interfaces.msg.Time
    return int(time.sec) * 1_000_000_000 + int(time.nanosec)


def joint_state(stamp: Time, names: Sequence[str], position: Values,
                velocity: Values) -> JointState:
    return JointState(header=Header(stamp=stamp), name=list(names),
                      position=array.array("d", position), velocity=array.array("d", velocity))


def point(stamp: Time, frame: str, place: Values) -> PointStamped:
    x, y, z = place.tolist()
    return PointStamped(header=Header(stamp=stamp, frame_id=frame), point=Point(x=x, y=y, z=z))


def imu(stamp: Time, frame: str, values: tuple[Values, Values, Values]) -> Imu:
    orientation, turning, acceleration = (each.tolist() for each in values)
    return Imu(header=Header(stamp=stamp, frame_id=frame), orientation=quaternion(orientation),
               angular_velocity=vector(turning), linear_acceleration=vector(acceleration))


def quaternion(values: Sequence[float]) -> Quaternion:
    x, y, z, w = values
    return Quaternion(x=x, y=y, z=z, w=w)


def vector(values: Sequence[float]) -> Vector3:
    x, y, z = values
    return Vector3(x=x, y=y, z=z)


def odometry(stamp: Time, pose: tuple[float, float, float], forward: float,
             turn: float) -> Odometry:
    """Make odometry of x, y and yaw, and of the velocities along and about."""
    x, y, yaw = pose
    message = Odometry(header=Header(stamp=stamp, frame_id="odom"), child_frame_id="base_link")
    message.pose.pose.position = Point(x=x, y=y, z=0.0)
    message.pose.pose.orientation = Quaternion(z=math.sin(yaw / 2), w=math.cos(yaw / 2))
    message.twist.twist.linear.x, message.twist.twist.angular.z = forward, turn
    return message


def laser_scan(stamp: Time, ranges: Values, nearest: float, farthest: float,
               period_s: float) -> LaserScan:
    step = 2 * math.pi / len(ranges)
    return LaserScan(header=Header(stamp=stamp, frame_id="laser"), angle_min=-math.pi,
                     angle_max=math.pi - step, angle_increment=step, scan_time=period_s,
                     range_min=nearest, range_max=farthest, ranges=array.array("f", ranges))


def image(stamp: Time, shown: picture.Picture) -> Image:
    height, width, _ = shown.shape
    return Image(header=Header(stamp=stamp, frame_id="front"), height=height, width=width,
                 encoding="rgb8", step=3 * width, data=array.array("B", shown.tobytes()))


def compressed(stamp: Time, shown: picture.Picture) -> CompressedImage:
    return CompressedImage(header=Header(stamp=stamp, frame_id="front"),
                           format="rgb8; jpeg compressed bgr8",
                           data=array.array("B", picture.jpeg(shown)))


def joy(stamp: Time, *, held: bool) -> Joy:
    """Make a gamepad's message; its shoulder button, 4, is the dead man's."""
    buttons = [0] * 11
    buttons[4] = int(held)
    return Joy(header=Header(stamp=stamp), axes=[0.0] * 8, buttons=buttons)


def spoil(message: Any) -> None:  # noqa: ANN401 - any of the above
    """Put a NaN in the place of a message's first number; a picture has none."""
    if isinstance(message, JointState):
        message.position[0] = math.nan
    elif isinstance(message, LaserScan):
        message.ranges[0] = math.nan
    elif isinstance(message, PointStamped):
        message.point.x = math.nan
    elif isinstance(message, Odometry):
        message.pose.pose.position.x = math.nan
    elif isinstance(message, Imu):
        message.angular_velocity.x = math.nan
    elif isinstance(message, Float64):
        message.data = math.nan
    elif isinstance(message, Joy):
        message.axes[0] = math.nan


def in_other_units(message: Any) -> None:  # noqa: ANN401 - any of the above
    """Say degrees for radians, and millimetres for metres."""
    if isinstance(message, JointState):
        message.position = array.array("d", map(math.degrees, message.position))
    elif isinstance(message, LaserScan):
        message.ranges = array.array("f", (1e3 * each for each in message.ranges))
    elif isinstance(message, PointStamped | Odometry):
        place = message.point if isinstance(message, PointStamped) else message.pose.pose.position
        place.x, place.y, place.z = 1e3 * place.x, 1e3 * place.y, 1e3 * place.z


def restamp(message: Any, stamp: Time) -> None:  # noqa: ANN401 - any of the above
    if not isinstance(message, Bool | Float64):
        message.header.stamp = stamp
