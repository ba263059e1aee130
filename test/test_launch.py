"""`ros2 launch` of the installed package, by launch_testing, where a ROS 2 installation has it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("launch_testing", reason="launch_testing comes with a ROS 2 installation only")
pytest.importorskip("launch_ros", reason="launch_ros comes with a ROS 2 installation only")


def launched(name: str) -> subprocess.CompletedProcess[str]:
    """Run a test of launch_testing, which lies beside this file."""
    return subprocess.run([sys.executable, "-m", "launch_testing.launch_test",
                           str(Path(__file__).with_name(name))],
                          capture_output=True, text=True, check=False)


def test_a_launched_graph_plays_and_ends_cleanly() -> None:
    done = launched("launched_graph.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "died" not in done.stdout


@pytest.mark.skipif(importlib.util.find_spec("mujoco") is None, reason="mujoco is not installed")
def test_a_launched_robot_is_moved_within_its_limits_and_held_in_the_end() -> None:
    done = launched("launched_robot.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "died" not in done.stdout
