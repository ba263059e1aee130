"""A stop is remembered in a file, for an actuator that is started again."""

from __future__ import annotations

from pathlib import Path

import pytest

from realtime_rl.core.errors import ConfigError
from realtime_rl.ros.stop_memory import StopMemory, stop_path


def test_a_stop_is_remembered_until_it_is_released(tmp_path: Path) -> None:
    path = tmp_path / "new" / "stopped"
    assert not StopMemory(path).held
    assert StopMemory(path).set(True) == ""
    assert StopMemory(path).held
    assert StopMemory(path).set(True) == ""
    assert StopMemory(path).set(False) == ""
    assert not StopMemory(path).held
    assert StopMemory(path).set(False) == ""
    assert list((tmp_path / "new").iterdir()) == []


def test_what_hinders_remembering_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert StopMemory(tmp_path / "file" / "stopped").set(True) == (
        f"'{tmp_path}/file/stopped': File exists")


def test_each_node_of_each_domain_has_a_file_of_its_own() -> None:
    home = {"HOME": "/home/me"}
    assert stop_path("/run/stop", "/actuator", home) == Path("/run/stop")
    assert stop_path("", "/actuator", home) == Path("/home/me/.ros/realtime_rl/stop-0-actuator")
    assert stop_path("", "/robot_1/actuator", {"ROS_HOME": "/ros", "ROS_DOMAIN_ID": "7"}) == Path(
        "/ros/realtime_rl/stop-7-robot_1-actuator")
    with pytest.raises(ConfigError, match="stop_file: empty, and neither ROS_HOME nor HOME is set"):
        stop_path("", "/actuator", {})
