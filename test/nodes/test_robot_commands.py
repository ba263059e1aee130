"""A robot's own message types through the whole graph: every tick is still attributed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
pytest.importorskip("gymnasium", reason="the arm is a Gymnasium environment")

from live_graph import LiveGraph
from policies.tiny_policies import model

from realtime_rl.core.enumerations import Fate
from realtime_rl.core.types import Cause
from realtime_rl.ros import messages, qos
from realtime_rl.ros.commands import command_codec

CONFIG = """
scenario: {{ros__parameters: {{workers: 3, learner: false, policy: {policy}}}}}
plant: {{ros__parameters: {{name: gymnasium, options: ["id=Pendulum-v1"], command_type: {kind}}}}}
inference: {{ros__parameters: {{latency: "constant:60ms"}}}}
actuator: {{ros__parameters: {{command_type: {kind}, command_frame: base_link}}}}
"""


@pytest.mark.parametrize("kind", ["joint_state", "float64_multi_array"])
def test_a_robots_ticks_are_attributed_to_actions(tmp_path: Path, kind: str) -> None:
    from realtime_rl.plants import registry

    spec = registry.make("gymnasium", registry.parse_options(["id=Pendulum-v1"]), 0).spec
    policy = tmp_path / "pendulum.onnx"
    onnx.save(model(spec.observation, 1, np.array([[0.5], [1.0], [-0.1]])), policy)
    config = tmp_path / "arm.yaml"
    config.write_text(CONFIG.format(policy=policy, kind=kind))
    sent: list[Any] = []
    with LiveGraph(tmp_path, str(config)) as graph:
        watcher = graph.watcher
        codec = command_codec(kind, spec.actions, "")
        watcher.create_subscription(codec.message_type, "command", sent.append, qos.PAIRED)
        steps = watcher.wait_for_steps(lambda s: s.cause is Cause.POLICY, 40, "the policy acts")
        watcher.wait(lambda: any(v.tick >= steps[-1].tick for v in watcher.verdicts), "verdicts")
        applied = {v.tick: v for v in watcher.verdicts if v.fate is Fate.APPLIED}
        assert all((applied[s.tick].worker, applied[s.tick].observation_tick)
                   == (s.worker, s.observation_tick) for s in steps[-20:])
        assert {step.cause for step in watcher.steps} <= {Cause.NONE, Cause.DEFAULT, Cause.POLICY}
    assert sent
    if kind == "joint_state":
        assert {message.header.frame_id for message in sent} == {"base_link"}
        stamps = [messages.to_ns(message.header.stamp) for message in sent]
        assert stamps == sorted(set(stamps))
        assert not {step.stamp_ns for step in watcher.steps} & set(stamps)
