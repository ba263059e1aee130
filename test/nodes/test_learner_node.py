"""What the learner node learns from, and how it ends; no graph beside it."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
import rclpy
from core.experience.test_assembler import operator, policy, step
from handmade import schedule
from learning.tiny_transitions import BUTTONS, VECTOR
from nodes.live_graph import PATIENCE_S, private_domain

from realtime_rl.core.experience.assembler import SemiMdpTransition
from realtime_rl.core.experience.gathering import Whole
from realtime_rl.core.messages.records import Timestep
from realtime_rl.nodes.learner import LearnerNode

BROKEN = """
import sys
from realtime_rl.learning.dqn import DqnLearner
def advance(self, allowed):
    raise IndexError("no such action")
DqnLearner.advance = advance
from realtime_rl.nodes import learner
sys.exit(learner.main())
"""


def arguments(folder: Path) -> list[str]:
    words = [f"{name}:={value}" for name, value in {
        "network": "mlp", "stack": 1, "actions": str(BUTTONS), "observation": str(VECTOR),
        "period_ns": 1, "run_dir": folder}.items()]
    return ["--ros-args", *[part for word in words for part in ("-p", word)]]


def test_a_training_that_ends_ends_the_process_with_a_status_for_which_it_is_started_again(
    tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BROKEN, *arguments(tmp_path)], check=False,
        capture_output=True, text=True, timeout=PATIENCE_S,
        env={**os.environ, "ROS_DOMAIN_ID": private_domain()})
    assert done.returncode == 1
    assert ("learner: error: training ended, the last policy stays: IndexError: no such action "
            "(<string>:5)\n") in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A learner node whose trainer only notes what it is given."""
    monkeypatch.setenv("ROS_DOMAIN_ID", private_domain())
    taken: list[SemiMdpTransition] = []
    monkeypatch.setattr(LearnerNode, "_make_trainer", lambda self, config: SimpleNamespace(
        start=lambda: None, close=lambda: None, add=taken.append, acted=lambda version: None))
    rclpy.init(args=arguments(tmp_path))
    made: Any = LearnerNode()
    made.taken = taken
    yield made
    made.close()
    made.destroy_node()
    rclpy.try_shutdown()


def ticks(node: Any, first: int, spoilt: Timestep | None = None) -> None:
    """Three ticks at which a policy acts; the second one may be spoilt."""
    for tick in range(first, first + 3):
        node._on_observation(Whole(tick, tick, tick == 0, np.full(3, tick, np.float32)))
        record = replace(policy(tick, tick - 1), action=(1.0,)) if tick else step(0, first=True)
        if spoilt is not None and tick == first + 1:
            record = replace(spoilt, stamp_ns=tick, tick=tick, observation_tick=tick - 1)
        node._on_timestep(record)


@pytest.mark.parametrize("spoilt", [
    replace(policy(1, 0), action=()), replace(policy(1, 0), action=(7.0,)),
    replace(policy(1, 0), action=(1.0,), reward=1e31)])
def test_a_tick_that_cannot_be_is_a_gap_and_not_the_end(node: Any, spoilt: Timestep) -> None:
    ticks(node, 0)
    assert len(node.taken) == 1
    ticks(node, 3, spoilt)
    ticks(node, 6)
    assert [int(each.observation[0][0]) for each in node.taken] == [0, 1, 5, 6]
    assert node._admission.refused == 1
    assert all(math.isfinite(each.reward) and each.action == (1.0,) for each in node.taken)


def test_an_observation_with_no_number_in_it_is_a_gap(node: Any) -> None:
    ticks(node, 0)
    node._on_observation(Whole(3, 3, False, np.array([0, math.nan, 0], np.float32)))
    node._on_timestep(replace(policy(3, 2), action=(1.0,)))
    ticks(node, 4)
    assert [int(each.observation[0][0]) for each in node.taken] == [0, 1, 4]


def test_a_person_counts_as_the_policy_of_the_delay_that_is_scheduled(node: Any) -> None:
    def person(tick: int) -> None:
        node._on_observation(Whole(tick, tick, tick == 0, np.full(3, tick, np.float32)))
        node._on_timestep(operator(tick, action=1.0) if tick else step(0, first=True))

    for tick in range(5):
        person(tick)
    assert node.taken == [], "no schedule was heard of"
    node._on_schedule(schedule(delay=3))
    for tick in range(5, 9):
        person(tick)
    assert [int(each.observation[0][0]) for each in node.taken] == [2, 3, 4]
