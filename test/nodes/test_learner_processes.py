"""The learner node trains with several processes when asked to; no graph beside it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
import rclpy
from learning.tiny_transitions import BUTTONS, VECTOR
from nodes.live_graph import PATIENCE_S, private_domain

from realtime_rl.core.errors import ConfigError
from realtime_rl.learning.pool import LearningPool
from realtime_rl.nodes.learner import LearnerNode
from realtime_rl.runner.prepare import prepare


def test_it_starts_so_many_processes_and_ends_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", private_domain())
    monkeypatch.setattr("realtime_rl.nodes.learner._step_back", lambda: None)
    words = [f"{name}:={value}" for name, value in {
        "processes": 2, "network": "mlp", "stack": 1, "actions": str(BUTTONS),
        "observation": str(VECTOR), "run_dir": tmp_path}.items()]
    rclpy.init(args=["--ros-args", *[part for word in words for part in ("-p", word)]])
    node = LearnerNode()
    try:
        pool = node._trainer._learner
        assert isinstance(pool, LearningPool)
        never, looks = threading.Event(), 0
        while sorted(pool.pids) != [0, 1]:
            looks += 1
            assert looks < PATIENCE_S * 50
            never.wait(0.02)
        pids = list(pool.pids.values())
    finally:
        node.close()
        node.destroy_node()
        rclpy.try_shutdown()
    assert pool.pids == {}
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_what_cannot_be_shared_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="learner: processes: 2 learners draw from a replay by"):
        prepare("catch", ["learner.processes=2", "learner.replay=priority",
                          f"scenario.run_dir={tmp_path}"])
