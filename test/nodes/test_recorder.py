"""The recorder beside publishers that began without it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
import rclpy
from nodes.live_graph import PATIENCE_S, private_domain
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import JointState

from realtime_rl.bags.writer import BagWriter
from realtime_rl.nodes.recorder import RecorderNode
from realtime_rl.ros import qos
from realtime_rl.ros.executor import TickExecutor


def test_what_was_said_before_the_recorder_came_is_recorded_too(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Discovery may take seconds: the bag has the first ticks all the same."""
    for name, value in (("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST"),
                        ("ROS_DOMAIN_ID", private_domain()), ("ROS_LOG_DIR", str(tmp_path))):
        monkeypatch.setenv(name, value)
    written: list[float] = []
    write = BagWriter.write

    def spy(self: BagWriter, topic: str, cdr: bytes, receive_ns: int) -> None:
        written.append(deserialize_message(cdr, JointState).position[0])
        write(self, topic, cdr, receive_ns)

    monkeypatch.setattr(BagWriter, "write", spy)
    rclpy.init(args=["--ros-args", "-p", f"bag:={tmp_path / 'bag'}"])
    try:
        speaker = rclpy.create_node("speaker")
        publisher = speaker.create_publisher(JointState, "verdict", qos.RECORD_KEPT)
        for number in range(100):
            publisher.publish(JointState(name=["tick"], position=[float(number)]))
        recorder = RecorderNode()
        executor = TickExecutor(recorder)
        deadline = time.monotonic() + PATIENCE_S
        while len(written) < 100:
            assert time.monotonic() < deadline, f"{len(written)} of 100 recorded"
            executor.spin_once(timeout_sec=0.1)
        recorder.close()
        assert written == [float(number) for number in range(100)]
    finally:
        rclpy.shutdown()
