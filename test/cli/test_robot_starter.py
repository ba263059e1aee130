"""A contract that is begun: read as it is it is refused, filled in it is one."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from robot_messages import imu, joints, number, odometry, scan

from realtime_rl.cli import robot_starter
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.robot.contract import Contract
from realtime_rl.core.robot.contract_parameters import OPEN
from realtime_rl.core.robot.facts import Survey, Taken, Told
from realtime_rl.ros import scenario_file, scenario_settings

STAMP_NS = 5_000_000_000
ARRAY = "std_msgs/msg/Float64MultiArray"


def told(topic: str, kind: str, message: Any, every_s: float = 0.01,
         names: tuple[str, ...] = ()) -> Told:
    if hasattr(message, "header"):
        message.header.stamp.sec = 5
    return Told(topic, kind, "best_effort", every_s, message, names)


ARM = Survey((
    told("/joint_states", "sensor_msgs/msg/JointState",
         joints(["j2", "j1"], [0.0, 1.0], [0.0, 0.0]), names=("j2", "j1")),
    told("/imu", "sensor_msgs/msg/Imu", imu()),
    told("/front/image_raw", "sensor_msgs/msg/Image", SimpleNamespace(width=640, height=480)),
    told("/front/image_raw/compressed", "sensor_msgs/msg/CompressedImage", SimpleNamespace(), 0.03),
    told("/estop", "std_msgs/msg/Bool", number(0.0)),
    told("/old", "sensor_msgs/msg/Imu", None, 0.0)), (
    Taken("/forward_position_controller/commands", ARRAY, "/controller", {"joints": ["j1", "j2"]}),
    Taken("/gripper/commands", ARRAY, "/gripper", {}),
    Taken("/horn", "std_msgs/msg/Bool", "/horn", {})), "here")
DRIVE = Taken("/cmd_vel", "geometry_msgs/msg/TwistStamped", "/base", {"cmd_vel_timeout": 0.5})
BASE = Survey((
    told("/odom", "nav_msgs/msg/Odometry", odometry(), 0.02),
    told("/scan", "sensor_msgs/msg/LaserScan",
         SimpleNamespace(**vars(scan([1.0] * 360)), range_max=4.0), 0.1)), (DRIVE,), "here")


def read(text: str, folder: Path) -> Contract:
    path = folder / "contract.yaml"
    path.write_text(text, encoding="utf-8")
    return scenario_settings.contract_of(scenario_file.read_settings(path).settings)


def filled(text: str, **values: str) -> str:
    """What a person makes of it."""
    for key, value in values.items():
        text = text.replace(f"{key}: {OPEN}", f"{key}: {value}")
    return text


def test_what_only_a_person_can_say_is_refused_until_it_is_said(tmp_path: Path) -> None:
    text = robot_starter.write(ARM)
    with pytest.raises(ConfigError, match=r"action.gripper.names: FILL_IN stands there, which a "
                                          r"person must replace; so does it at \d+ more: .*"
                                          r"limits.j1.min_position"):
        read(text, tmp_path)


def test_an_arm_that_is_filled_in_is_a_contract(tmp_path: Path) -> None:
    text = filled(robot_starter.write(ARM), min_position="-1.0", max_position="1.0",
                  max_velocity="1.0", max_first_step="0.1", mode="position")
    contract = read(text.replace(f"names: [{OPEN}]", "names: [grip]").replace(
        "NAME_IN_gripper", "grip"), tmp_path)
    assert contract.elements == ("j1", "j2", "grip")
    assert [part.name for part in contract.observation.parts] == ["state", "front"]
    assert [spec.config.topic for spec in contract.sources] == [
        "/joint_states", "/imu", "/front/image_raw/compressed"]
    assert contract.sources[0].elements == (
        "position.j2", "position.j1", "velocity.j2", "velocity.j1")
    assert contract.sources[0].config.max_age == pytest.approx(0.03)
    for line in ("/front/image_raw, sensor_msgs/msg/Image", "/estop, std_msgs/msg/Bool",
                 "/old, sensor_msgs/msg/Imu, silent", "/horn, std_msgs/msg/Bool, taken by /horn"):
        assert f"#   {line}\n" in text


def test_a_base_that_is_filled_in_is_a_contract(tmp_path: Path) -> None:
    contract = read(filled(robot_starter.write(BASE), max_velocity="0.5", max_acceleration="1.0"),
                    tmp_path)
    assert contract.elements == ("vx", "wz")
    (action,) = contract.actions
    assert (action.config.timeout, action.config.mode) == (0.5, "velocity")
    odom, ranges = contract.sources
    assert "twist.twist.linear.x" in odom.elements
    assert (len(ranges.elements), ranges.config.inf, ranges.config.scale) == (36, 4.0, (0.25,))
    assert ranges.config.max_age == pytest.approx(0.3)


def test_stamps_that_are_none_are_not_used(tmp_path: Path) -> None:
    found = Told("/imu", "sensor_msgs/msg/Imu", "reliable", 0.007, imu(), ())
    text = robot_starter.write(Survey((found,), BASE.taken, "here"))
    contract = read(filled(text, max_velocity="0.5", max_acceleration="1.0"), tmp_path)
    assert contract.sources[0].config.stamps == "received"
    assert contract.sources[0].config.max_age == pytest.approx(0.021)


def test_nothing_to_begin_with_is_said() -> None:
    with pytest.raises(ConfigError, match="no topic of a type that contracts know; looked from "
                                          "here"):
        robot_starter.write(Survey((), (), "here"))
