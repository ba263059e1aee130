"""The inference node tells a policy what the plant applied: one node, no process beside it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import rclpy
from handmade import PERIOD_NS, stamp
from nodes.live_graph import PATIENCE_S, private_domain
from policies.tiny_policies import BUTTONS, VECTOR, copier, metadata, model
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import JointState, Joy

from realtime_rl.core.messages import joy_wire, wire
from realtime_rl.core.messages.records import Command, Timestep
from realtime_rl.core.types import Action, Cause
from realtime_rl.nodes.inference import InferenceNode
from realtime_rl.ros import messages, qos


class Plant(Node):
    """Says what a plant says, and hears the actions."""

    def __init__(self) -> None:
        super().__init__("plant")
        self.heard: list[Action] = []
        self.observation = self.create_publisher(JointState, "observation", qos.RECORD)
        self.timestep = self.create_publisher(JointState, "timestep", qos.RECORD)
        self.create_subscription(
            Joy, "action", lambda message: self.heard.append(
                joy_wire.decode_action(messages.from_joy(message), BUTTONS).action), qos.COMMAND)

    def show(self, tick: int) -> None:
        words = wire.encode_words({"plant": "test", "tick": tick, "first": int(tick == 0)})
        self.observation.publish(messages.to_observation(
            np.zeros(3, np.float32), VECTOR, stamp(tick), words))

    def tell(self, tick: int, action: Action) -> None:
        self.timestep.publish(messages.to_scalars(Timestep.latching(
            Command(Cause.DEFAULT, action), stamp_ns=stamp(tick), tick=tick, period_ns=PERIOD_NS,
            first=tick == 0, plant="test")))


class Pair:
    def __init__(self, policy: Path) -> None:
        words = [f"{name}:={value}" for name, value in {
            "policy": policy, "actions": str(BUTTONS), "observation": str(VECTOR),
            "period_ns": PERIOD_NS}.items()]
        rclpy.init(args=["--ros-args", *[part for word in words for part in ("-p", word)]])
        self.plant, self.node = Plant(), InferenceNode()
        self._executor = SingleThreadedExecutor()
        for node in (self.plant, self.node):
            self._executor.add_node(node)
        self.wait(lambda: self.plant.observation.get_subscription_count() > 0
                  and self.node._action.get_subscription_count() > 0)

    def wait(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline
            self._executor.spin_once(timeout_sec=0.05)
            due_ns = self.node.next_deadline_ns()
            if due_ns is not None and due_ns <= time.monotonic_ns():
                self.node.on_deadline(time.monotonic_ns())

    def answer(self, tick: int) -> Action:
        """Show the observation of a tick and wait for the action on it."""
        self.plant.heard.clear()
        self.plant.show(tick)
        self.wait(lambda: bool(self.plant.heard))
        return self.plant.heard[-1]

    def close(self) -> None:
        self.node.close()
        for node in (self.node, self.plant):
            node.destroy_node()
        rclpy.try_shutdown()


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Pair]]:
    monkeypatch.setenv("ROS_DOMAIN_ID", private_domain())
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    pairs: list[Pair] = []

    def start_pair(history: int) -> Pair:
        proto = copier(history, 3) if history else model(VECTOR, 1, np.eye(3))
        about = metadata(observation=VECTOR, stack=1, epsilon=0.0, action_history=history)
        for key, value in about.to_props().items():
            proto.metadata_props.add(key=key, value=value)
        path = tmp_path / "policy.onnx"
        path.write_bytes(proto.SerializeToString())
        pairs.append(Pair(path))
        return pairs[-1]
    yield start_pair
    for pair in pairs:
        pair.close()


def test_a_policy_is_told_what_the_plant_applied(start: Callable[..., Pair]) -> None:
    pair = start(2)
    assert pair.answer(0) == (0.0,)
    pair.wait(lambda: pair.plant.timestep.get_subscription_count() > 0)
    applied = pair.node._host.engine.inputs._applied
    for tick, action in enumerate([(1.0,), (2.0,), (1.0,)]):
        pair.plant.tell(tick, action)
        pair.wait(lambda tick=tick: applied.get(tick + 1)[-1] is not None)
        assert pair.answer(tick + 1) == action


def test_others_do_not_take_the_timesteps(start: Callable[..., Pair]) -> None:
    pair = start(0)
    assert pair.answer(0) == (0.0,)
    assert pair.plant.timestep.get_subscription_count() == 0
