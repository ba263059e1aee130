"""The system clock is set while a node runs: nothing that the node does by time waits for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
from nodes.live_graph import private_domain

from benchmarks.running import build_clock_shim

SCRIPT = Path(__file__).with_name("clock_step_node.py")
PATIENCE_S = 60.0


def run(folder: Path, by_s: float) -> dict[str, list[float]]:
    """Let a node tick while its clock is set; a node that waits for the clock does not end."""
    try:
        shim = build_clock_shim(folder)
    except OSError as error:
        pytest.skip(str(error))
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(by_s)], capture_output=True, text=True, check=True,
        timeout=PATIENCE_S, env={
            **os.environ, **shim, "ROS_DOMAIN_ID": private_domain(), "ROS_LOG_DIR": str(folder),
            "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)})
    found: dict[str, list[float]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("by_s", [-3600.0, -3.0, 3600.0])
def test_ticks_timers_and_warnings_go_on_and_stamps_rise(tmp_path: Path, by_s: float) -> None:
    found = run(tmp_path, by_s)
    before, after = found["system_clock"]
    assert after - before == pytest.approx(by_s, abs=PATIENCE_S)  # it was set indeed
    assert len(found["stamps"]) == 40
    assert found["stamps"] == sorted(found["stamps"])
    assert 0.0 < found["stamps"][-1] - found["stamps"][0] < PATIENCE_S
    assert found["timer"] and found["warned"]
