"""A goal from a topic in a whole graph of real processes: who waits for it, and what it does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
pytest.importorskip("onnx", reason="the policy is made with onnx")

import onnx
from live_graph import LiveGraph
from onnx import TensorProto, helper, numpy_helper
from rosbags.highlevel import AnyReader
from std_msgs.msg import Float64MultiArray

from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.types import Cause
from realtime_rl.ros import qos

CONFIG = """
scenario: {ros__parameters: {workers: 1, learner: false}}
plant: {ros__parameters: {name: counter, options: ["observation=vector", "period_ms=20",
                                                   "episode_ticks=0"]}}
inference: {ros__parameters: {policy_goal: goal}}
"""


def obedient(path: Path) -> Path:
    """Give the goal as values, whatever is seen."""
    graph = helper.make_graph(
        [helper.make_node("ReduceSum", ["observation"], ["sum"], keepdims=1),
         helper.make_node("Mul", ["sum", "zero"], ["nothing"]),
         helper.make_node("Add", ["goal", "nothing"], ["action"])], "policy",
        [helper.make_tensor_value_info("observation", TensorProto.FLOAT, [1, 2]),
         helper.make_tensor_value_info("goal", TensorProto.FLOAT, [1, 3])],
        [helper.make_tensor_value_info("action", TensorProto.FLOAT, [1, 3])],
        [numpy_helper.from_array(np.zeros(1, np.float32), "zero")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
              path)
    return path


def test_the_policy_acts_from_the_first_goal_on_and_follows_the_newest(tmp_path: Path) -> None:
    config, bag = tmp_path / "counter.yaml", tmp_path / "bag"
    config.write_text(CONFIG)

    def chosen(action: float) -> list[Timestep]:
        return watcher.wait_for_steps(
            lambda step: step.cause is Cause.POLICY and step.action == (action,), 5,
            f"action {action:g} is applied")

    with LiveGraph(tmp_path, str(config), f"scenario.policy={obedient(tmp_path / 'goal.onnx')}",
                   f"scenario.record={bag}") as live:
        watcher = live.watcher
        give = watcher.create_publisher(Float64MultiArray, "goal", qos.LATCHED)
        watcher.wait(lambda: live.said("does not act before a goal of 3 value(s) comes"),
                     "the node says what it waits for")
        watcher.wait_for_steps(lambda step: step.cause is Cause.DEFAULT, 5, "the default acts")
        assert not any(step.cause is Cause.POLICY for step in watcher.steps)
        watcher.wait(lambda: give.get_subscription_count() == 2, "node and recorder listen")
        give.publish(Float64MultiArray(data=[0.0, 1.0, 0.0]))
        chosen(1.0)
        give.publish(Float64MultiArray(data=[1.0, 2.0]))
        watcher.wait(lambda: live.said("a goal of 2 value(s): its input 'goal'"),
                     "a goal that does not fit is refused")
        chosen(1.0)
        give.publish(Float64MultiArray(data=[0.0, 0.0, 1.0]))
        chosen(2.0)
        assert sum("does not act before" in line for line in live.output) == 1
    with AnyReader([bag]) as reader:
        recorded = [len(reader.deserialize(raw, connection.msgtype).data)
                    for connection, _, raw in reader.messages() if connection.topic == "/goal"]
    assert recorded == [3, 2, 3]
