"""`ros2 launch` of the installed package, by launch_testing, where a ROS 2 installation has it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("launch_testing", reason="launch_testing comes with a ROS 2 installation only")
pytest.importorskip("launch_ros", reason="launch_ros comes with a ROS 2 installation only")


def test_a_launched_graph_plays_and_ends_cleanly() -> None:
    done = subprocess.run([sys.executable, "-m", "launch_testing.launch_test",
                           str(Path(__file__).with_name("launched_graph.py"))],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "died" not in done.stdout
