"""The launch file under the real launch_testing: `launch_test test/launched_graph.py`."""

from __future__ import annotations

import os
import tempfile
import unittest
from pathlib import Path

import launch_testing.actions
import launch_testing.asserts
import rclpy
from ament_index_python.packages import get_package_share_directory
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from sensor_msgs.msg import JointState

from launch import LaunchDescription
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.types import Cause
from realtime_rl.ros import messages, qos

PATIENCE_S = 180.0
"""Only a failing test takes so long."""


def generate_test_description() -> LaunchDescription:
    os.environ.setdefault("ROS_DOMAIN_ID", str(1 + os.getpid() % 200))
    share = Path(get_package_share_directory("realtime_rl"))
    folder = tempfile.mkdtemp()
    return LaunchDescription([
        launch_testing.actions.ReadyToTest(),  # first: it is waited for for 15 s, and no longer
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(str(share / "launch" / "realtime.launch.py")),
            launch_arguments={
                "config": "catch", "workers": "3", "respawn": "false",
                "set": f"inference.latency=constant:30ms scenario.run_dir={folder}"}.items())])


class TestGraph(unittest.TestCase):
    """While the graph runs."""

    def test_policy_actions_reach_the_plant(self) -> None:
        rclpy.init()
        node = rclpy.create_node("watcher")
        steps: list[Timestep] = []
        node.create_subscription(
            JointState, "timestep",
            lambda message: steps.append(messages.from_scalars(Timestep, message)), qos.RECORD)
        deadline = node.get_clock().now().nanoseconds + PATIENCE_S * 1e9
        try:
            while sum(step.cause is Cause.POLICY for step in steps) < 60:
                self.assertLess(node.get_clock().now().nanoseconds, deadline,
                                f"{len(steps)} ticks, too few by the policy")
                rclpy.spin_once(node, timeout_sec=0.1)
        finally:
            node.destroy_node()
            rclpy.shutdown()
        ticks = [step.tick for step in steps]
        self.assertEqual(ticks, list(range(ticks[0], ticks[0] + len(ticks))))


@launch_testing.post_shutdown_test()
class TestShutdown(unittest.TestCase):
    """After Ctrl-C."""

    def test_every_node_ended_cleanly(self, proc_info: object) -> None:
        launch_testing.asserts.assertExitCodes(proc_info)
