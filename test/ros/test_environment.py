"""A wrong environment is one line, and what can be mended is."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from realtime_rl.core.errors import ConfigError
from realtime_rl.ros import environment

WHEELS = "ros-rclpy"


def refused(**said: str) -> str:
    with pytest.raises(ConfigError) as caught:
        environment.check(said)
    line = str(caught.value)
    assert "\n" not in line
    assert environment.problems(said) == [line]
    return line


@pytest.mark.parametrize("text", ["abc", "-1", "233", "1000000000000000000000", "1.5", " 3", "³",
                                  "0x7"])
def test_a_domain_that_is_none(text: str) -> None:
    assert refused(ROS_DOMAIN_ID=text) == (
        f"ROS_DOMAIN_ID: {text!r} is not a number from 0 to 232; unset it, or give one")


@pytest.mark.parametrize("text", ["", "0", "7", "007", "232"])
def test_a_domain_that_is_one(text: str) -> None:
    environment.check({"ROS_DOMAIN_ID": text})


def test_a_range_that_is_none() -> None:
    assert "'LOCAL' is not one of 'LOCALHOST', 'OFF', 'SUBNET'" in refused(
        ROS_AUTOMATIC_DISCOVERY_RANGE="LOCAL")
    assert "with 'OFF' no node finds another" in refused(ROS_AUTOMATIC_DISCOVERY_RANGE="off")
    environment.check({"ROS_AUTOMATIC_DISCOVERY_RANGE": "subnet"})


@pytest.mark.parametrize("text", ["much", "-1", "1", "255", "1e3"])
def test_a_limit_of_memory_that_is_none(text: str) -> None:
    assert refused(REALTIME_RL_MEMORY_MB=text) == (
        f"REALTIME_RL_MEMORY_MB: {text!r} is not a number of MiB from 256 on; 0: no limit")


@pytest.fixture
def wheels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_installed",
                        lambda wheel: wheel in (WHEELS, "ros-rmw-fastrtps-cpp"))


@pytest.mark.usefixtures("wheels")
def test_what_the_wheels_do_not_have() -> None:
    assert "nothing would be secured; unset it" in refused(ROS_SECURITY_ENABLE="true")
    assert "'rmw_zenoh_cpp' is not among the pip wheels" in refused(
        RMW_IMPLEMENTATION="rmw_zenoh_cpp")
    environment.check({"ROS_SECURITY_ENABLE": "false", "RMW_IMPLEMENTATION": "rmw_fastrtps_cpp"})
    environment.check({"ROS_SECURITY_ENABLE": "true", "RMW_IMPLEMENTATION": "rmw_zenoh_cpp",
                       "ROS_DISTRO": "jazzy"})  # an installation was sourced


def test_logs_go_where_they_can(tmp_path: Path) -> None:
    assert environment.log_folder({"HOME": "/home/me"}) == Path("/home/me/.ros/log")
    assert environment.log_folder({"HOME": "/home/me", "ROS_HOME": "/r"}) == Path("/r/log")
    assert environment.log_folder({"ROS_HOME": "/r", "ROS_LOG_DIR": "/l"}) == Path("/l")
    assert environment.log_trouble({"HOME": str(tmp_path)}) == ""
    assert environment.LOGS not in environment.additions({"HOME": str(tmp_path)})


@pytest.mark.parametrize(("said", "trouble"), [
    ({}, "HOME is not set"), ({"HOME": ""}, "HOME is not set"),
    ({"HOME": "/proc/nowhere"}, "'/proc/nowhere/.ros/log' cannot be written"),
    ({"HOME": "/dev/null"}, "'/dev/null/.ros/log' cannot be written"),
    ({"ROS_LOG_DIR": "/proc/nowhere"}, "'/proc/nowhere' cannot be written")])
def test_where_they_cannot_go_another_folder_is_theirs(
        said: dict[str, str], trouble: str, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment.tempfile, "gettempdir", lambda: str(tmp_path))
    assert environment.log_trouble(said) == trouble
    folder = Path(environment.additions(said)[environment.LOGS])
    assert folder == Path(environment.additions(said)[environment.LOGS])  # the same every time
    assert folder.parent == tmp_path
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_nobody_elses_folder_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment.tempfile, "gettempdir", lambda: str(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"realtime_rl-log-{os.geteuid()}").symlink_to(tmp_path / "elsewhere")
    folder = Path(environment.additions({})[environment.LOGS])
    assert folder.is_dir() and folder.resolve() != tmp_path / "elsewhere"


def test_what_is_adopted_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(environment.os, "environ", {"HOME": "/proc/nowhere"})
    line, = environment.adopt()
    assert line.startswith("'/proc/nowhere/.ros/log' cannot be written: ROS 2's logs go to ")
    assert environment.adopt() == []


@pytest.mark.parametrize(("said", "expected"), [
    ({"ROS_DOMAIN_ID": "abc"}, "ROS_DOMAIN_ID: 'abc' is not a number"),
    ({"ROS_DOMAIN_ID": "233"}, "ROS_DOMAIN_ID: '233' is not a number"),
    ({"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCAL"}, "'LOCAL' is not one of")])
def test_a_node_that_is_started_singly_says_it_in_one_line(said: dict[str, str], expected: str
                                                           ) -> None:
    pytest.importorskip("rclpy", reason="rclpy is not installed")
    done = subprocess.run([sys.executable, "-m", "realtime_rl.nodes.monitor"], text=True,
                          capture_output=True, check=False, timeout=60, env={**os.environ, **said})
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("monitor: error: ") and expected in done.stderr
