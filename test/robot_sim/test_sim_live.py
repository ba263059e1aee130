"""The simulator as a process: what a stranger on its topics sees, and what its log says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
pytest.importorskip("mujoco", reason="mujoco is not installed")

import rclpy
from live_graph import PATIENCE_S, private_domain
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CompressedImage, JointState
from std_msgs.msg import Bool, Float64MultiArray, String
from std_srvs.srv import Trigger

from examples.robot_sim.log import read

ROOT = Path(__file__).parents[2]
ARM = ROOT / "examples" / "robot_sim" / "arm.xml"


class Stranger:
    """A node in the robot's namespace that keeps what it hears."""

    def __init__(self, context: rclpy.Context) -> None:
        self.node = rclpy.create_node("stranger", namespace="r1", context=context)
        self._executor = SingleThreadedExecutor(context=context)
        self._executor.add_node(self.node)
        self.heard: dict[str, list[Any]] = {}
        for topic, kind in (("joint_states", JointState), ("estop", Bool),
                            ("front/image_raw/compressed", CompressedImage)):
            kept = self.heard.setdefault(topic, [])
            self.node.create_subscription(kind, topic, kept.append, qos_profile_sensor_data)
        self.command = self.node.create_publisher(
            Float64MultiArray, "forward_position_controller/commands", 10)
        self.fault = self.node.create_publisher(String, "robot_sim/fault", 10)
        self.reset = self.node.create_client(Trigger, "robot_sim/reset")

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"never happened: {what}"
            self._executor.spin_once(timeout_sec=0.1)

    def position(self) -> dict[str, float]:
        message = self.heard["joint_states"][-1]
        return dict(zip(message.name, message.position, strict=True))


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    os.environ["ROS_DOMAIN_ID"] = private_domain()
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    context = rclpy.Context()
    rclpy.init(context=context)
    yield Stranger(context)
    rclpy.shutdown(context=context)


def test_a_stranger_drives_the_arm(tmp_path: Path, stranger: Stranger) -> None:
    log = tmp_path / "arm.jsonl"
    robot = subprocess.Popen(
        [sys.executable, "-m", "examples.robot_sim", "arm", "--model", str(ARM), "--log", str(log),
         "--namespace", "r1"], cwd=ROOT)
    try:
        drive(stranger)
    finally:
        robot.send_signal(signal.SIGINT)
        status = robot.wait(PATIENCE_S)
    assert status == 0
    records = list(read(log))
    commands = [record for record in records if record["kind"] == "command"]
    taken = [record["values"] for record in commands if not record["problem"]]
    assert taken == [[0.5, -0.25]]
    assert "1 values for 2 joints" in {record["problem"] for record in commands}
    assert {"fault", "state", "reset"} < {record["kind"] for record in records}
    times = [record["t"] for record in records if record["kind"] == "state"]
    assert times == sorted(set(times))


def drive(stranger: Stranger) -> None:
    heard = stranger.heard
    stranger.wait(lambda: all(heard.values()), "every sensor speaks")
    stranger.wait(lambda: stranger.command.get_subscription_count() > 0
                  and stranger.fault.get_subscription_count() > 0, "the robot listens")
    assert heard["joint_states"][0].name == ["grip", "j1", "j2"]
    assert heard["estop"][0].data is False

    stranger.command.publish(Float64MultiArray(data=[0.5]))
    stranger.command.publish(Float64MultiArray(data=[0.5, -0.25]))
    stranger.wait(lambda: stranger.position()["j1"] == pytest.approx(0.5, abs=0.01)
                  and stranger.position()["j2"] == pytest.approx(-0.25, abs=0.01), "it arrives")

    stranger.fault.publish(String(data="estop"))
    stranger.wait(lambda: heard["estop"][-1].data, "the emergency stop is pressed")
    stranger.fault.publish(String(data="frozen=joints"))
    stranger.wait(lambda: heard["joint_states"][-1].position == heard["joint_states"][-2].position,
                  "the joints are frozen")
    assert heard["joint_states"][-1].header.stamp != heard["joint_states"][-2].header.stamp
    stranger.fault.publish(String(data="clear"))
    stranger.wait(lambda: not heard["estop"][-1].data, "it is released")

    stranger.wait(stranger.reset.service_is_ready, "the service is there")
    asked = stranger.reset.call_async(Trigger.Request())
    stranger.wait(asked.done, "the arm is back")
    assert asked.result().success
    stranger.wait(lambda: stranger.position()["j1"] == pytest.approx(0, abs=0.05), "it says so")
