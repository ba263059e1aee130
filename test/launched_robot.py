"""A simulated arm under the real launch_testing: `launch_test test/launched_robot.py`."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

import launch_testing.actions
import launch_testing.asserts
import numpy as np
import onnx
import rclpy
import yaml
from ament_index_python.packages import get_package_share_directory
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from onnx import TensorProto, helper, numpy_helper
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import JointState

from launch import LaunchDescription
from realtime_rl.core.enumerations import Phase
from realtime_rl.core.messages.records import RobotRecord, Timestep
from realtime_rl.core.types import Cause
from realtime_rl.ros import messages, qos

ROOT = Path(__file__).resolve().parents[1]
FOLDER = Path(tempfile.mkdtemp(prefix="launched_robot-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
LOG = FOLDER / "arm.jsonl"
TOPIC = "forward_position_controller/commands"
PATIENCE_S = 180.0
"""Only a failing test takes so long."""
PERIOD_S = 0.02
FASTEST, HARDEST = 0.1, 2.0
FAR = (0.8, -0.6)
"""Where the policy wants the joints: from 0 on they are on their way for some eight seconds."""
CONTRACT = {
    "name": "arm", "period": PERIOD_S, "observations": ["state"],
    "observation": {"state": {"sources": ["joints"]}},
    "source": {"joints": {"topic": "joint_states", "type": "sensor_msgs/msg/JointState",
                          "fields": ["position.j1", "position.j2"], "max_age": 2.0}},
    "actions": ["arm"],
    "action": {"arm": {"topic": TOPIC, "type": "std_msgs/msg/Float64MultiArray",
                       "names": ["j1", "j2"], "mode": "position", "offset": list(FAR)}},
    "limits": {name: {"min_position": -1.0, "max_position": 1.0, "max_velocity": FASTEST,
                      "max_acceleration": HARDEST} for name in ("j1", "j2")},
    "start": {"ramp": 0.5, "max_first_step": 2.0}}
SIMULATOR: list[subprocess.Popen[bytes]] = []
"""The robot: no part of what is launched, and there when that has ended."""


def generate_test_description() -> LaunchDescription:
    os.environ.setdefault("ROS_DOMAIN_ID", str(1 + os.getpid() % 200))
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    SIMULATOR.append(subprocess.Popen(
        [sys.executable, "-m", "examples.robot_sim", "arm", "--model",
         "examples/robot_sim/arm.xml", "--log", str(LOG)], cwd=ROOT, start_new_session=True))
    atexit.register(SIMULATOR[0].kill)
    (FOLDER / "arm.yaml").write_text(yaml.safe_dump({"robot": {"ros__parameters": CONTRACT}}))
    onnx.save(constant(), FOLDER / "far.onnx")
    share = Path(get_package_share_directory("realtime_rl"))
    return LaunchDescription([
        launch_testing.actions.ReadyToTest(),  # first: it is waited for for 15 s, and no longer
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(str(share / "launch" / "realtime.launch.py")),
            launch_arguments={
                "config": "robot", "robot": str(FOLDER / "arm.yaml"),
                "policy": str(FOLDER / "far.onnx"), "workers": "3", "respawn": "false",
                "set": f"inference.latency=constant:30ms scenario.run_dir={FOLDER}"}.items())])


def constant() -> onnx.ModelProto:
    """A policy that gives zeros, which the contract makes `FAR`."""
    return helper.make_model(helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])], "far",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2])],
        [numpy_helper.from_array(np.zeros((2, 2), np.float32), "w")]),
        opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


class Watcher:
    """A node that keeps what it hears."""

    def __init__(self) -> None:
        rclpy.init()
        self._node = rclpy.create_node("watcher")
        self.steps: list[Timestep] = []
        self.records: list[RobotRecord] = []
        self.joints: list[JointState] = []
        for topic, take, profile in (
                ("timestep", lambda m: self.steps.append(messages.from_scalars(Timestep, m)),
                 qos.RECORD),
                ("robot", lambda m: self.records.append(messages.from_scalars(RobotRecord, m)),
                 qos.RECORD_KEPT),
                ("joint_states", self.joints.append, qos_profile_sensor_data)):
            self._node.create_subscription(JointState, topic, take, profile)

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        deadline = self._node.get_clock().now().nanoseconds + PATIENCE_S * 1e9
        while not condition():
            assert self._node.get_clock().now().nanoseconds < deadline, f"never happened: {what}"
            rclpy.spin_once(self._node, timeout_sec=0.1)

    def close(self) -> None:
        self._node.destroy_node()
        rclpy.shutdown()


class TestArm(unittest.TestCase):
    """While the graph runs."""

    def test_it_is_under_control_and_within_its_limits(self) -> None:
        watcher = Watcher()
        self.addCleanup(watcher.close)
        watcher.wait(lambda: sum(record.phase is Phase.ACTING for record in watcher.records) >= 60
                     and sum(step.cause is Cause.POLICY for step in watcher.steps) >= 60,
                     "60 ticks of the policy")
        ticks = [record.tick for record in watcher.records]
        self.assertEqual(ticks, list(range(ticks[0], ticks[0] + len(ticks))))
        sent = np.array([record.sent for record in watcher.records])  # NaN: nothing
        speeds = np.diff(sent, axis=0) / PERIOD_S
        self.assertLessEqual(np.nanmax(np.abs(speeds)), FASTEST + 1e-9)
        self.assertLessEqual(np.nanmax(np.abs(np.diff(speeds, axis=0))), HARDEST * PERIOD_S + 1e-9)
        moved = sent[~np.isnan(sent).any(axis=1)][-1]
        self.assertGreater(moved[0], 0.02)
        self.assertLess(moved[1], -0.02)


@launch_testing.post_shutdown_test()
class TestShutdown(unittest.TestCase):
    """After Ctrl-C, in the middle of a movement; the robot is still there."""

    def test_every_node_ended_cleanly(self, proc_info: object) -> None:
        launch_testing.asserts.assertExitCodes(proc_info)

    def test_the_arm_stays_where_it_was_told_to_be_last(self) -> None:
        watcher = Watcher()
        self.addCleanup(watcher.close)
        watcher.wait(lambda: len(watcher.joints) >= 100, "the robot says where it is for a second")
        SIMULATOR[0].send_signal(signal.SIGINT)
        self.assertEqual(SIMULATOR[0].wait(PATIENCE_S), 0)

        log = [json.loads(line) for line in LOG.read_text(encoding="utf-8").splitlines()]
        commands = [record for record in log if record["kind"] == "command"
                    and record["topic"] == TOPIC]
        self.assertEqual({record["problem"] for record in commands}, {""})
        values = np.array([record["values"] for record in commands]) * np.sign(FAR)
        self.assertLess(np.abs(values[0]).max(), 0.01)  # it began where the arm was
        self.assertGreaterEqual(np.diff(values, axis=0).min(), -1e-9)  # and went one way
        self.assertLess(values[-1][0], abs(FAR[0]))
        after = positions_after(log, commands[-1]["t"] + 0.5) * np.sign(FAR)
        self.assertLess(np.abs(after - values[-1]).max(), 0.02)
        self.assertLess(np.ptp(after, axis=0).max(), 1e-3)


def positions_after(log: list[dict[str, Any]], t: float) -> np.ndarray[Any, Any]:
    """Return where the two joints were from a time on, of shape (records, 2)."""
    order = [log[0]["joints"].index(name) for name in ("j1", "j2")]
    return np.array([record["position"] for record in log
                     if record["kind"] == "state" and record["t"] >= t])[:, order]
