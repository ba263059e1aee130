"""The recorder beside publishers that began without it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
import rclpy
from geometry_msgs.msg import TwistStamped
from nodes.live_graph import PATIENCE_S, private_domain
from rclpy.parameter import Parameter
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import JointState

from realtime_rl.bags.writer import BagWriter
from realtime_rl.nodes.recorder import RecorderNode
from realtime_rl.ros import qos
from realtime_rl.ros.executor import TickExecutor


class Recording:
    """A recorder, a publisher that spoke before it came, and what was written: number, time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.written: list[tuple[float, int]] = []
        write = BagWriter.write

        def spy(bag: BagWriter, topic: str, cdr: bytes, receive_ns: int) -> None:
            self.written.append((deserialize_message(cdr, JointState).position[0], receive_ns))
            write(bag, topic, cdr, receive_ns)

        monkeypatch.setattr(BagWriter, "write", spy)
        self.speaker = rclpy.create_node("speaker")
        self.publisher = self.speaker.create_publisher(JointState, "verdict", qos.RECORD_KEPT)
        self.publish(range(100))
        self.node = RecorderNode()
        self.executor = TickExecutor(self.node)

    def publish(self, numbers: range) -> None:
        for number in numbers:
            self.publisher.publish(JointState(name=["tick"], position=[float(number)]))

    def wait_for(self, count: int) -> None:
        self.wait(lambda: len(self.written) >= count, f"{count} messages are recorded")

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"never happened: {what}"
            self.executor.spin_once(timeout_sec=0.1)


@pytest.fixture
def recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recording]:
    for name, value in (("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST"),
                        ("ROS_DOMAIN_ID", private_domain()), ("ROS_LOG_DIR", str(tmp_path))):
        monkeypatch.setenv(name, value)
    rclpy.init(args=["--ros-args", "-p", f"bag:={tmp_path / 'bag'}"])
    try:
        one = Recording(monkeypatch)
        yield one
        one.node.close()
        one.executor.shutdown()
    finally:
        rclpy.shutdown()


def test_what_was_said_before_the_recorder_came_is_recorded_too(recording: Recording) -> None:
    """Discovery may take seconds: the bag has the first ticks all the same."""
    recording.wait_for(100)
    assert [number for number, _ in recording.written] == [float(number) for number in range(100)]


def test_sim_time_does_not_reach_the_bag(recording: Recording) -> None:
    """It would be 0 without a `/clock`, and whatever that says with one."""
    recording.wait_for(100)
    [accepted] = recording.node.set_parameters([Parameter("use_sim_time", value=True)])
    assert accepted.successful
    recording.publish(range(100, 200))
    recording.wait_for(200)
    times_ns = [time_ns for _, time_ns in recording.written]
    assert times_ns == sorted(times_ns)
    assert abs(times_ns[-1] - time.time_ns()) < PATIENCE_S * 1e9


def test_a_stranger_on_a_topic_does_not_keep_the_graph_out_of_the_bag(
        recording: Recording) -> None:
    """Neither with another type, whose name comes first, nor by offering more than the graph."""
    context = rclpy.Context()  # one type a topic and process: it is somebody else indeed
    rclpy.init(context=context)
    stranger = rclpy.create_node("stranger", context=context)
    try:
        stranger.create_publisher(TwistStamped, "verdict", qos.RECORD)
        stranger.create_publisher(JointState, "learning", qos.RECORD_KEPT)
        ours = recording.speaker.create_publisher(JointState, "learning", qos.RECORD)
        seen = recording.node.get_publishers_info_by_topic
        deadline = time.monotonic() + PATIENCE_S
        while [len(seen("verdict")), len(seen("learning"))] != [2, 2]:  # before it looks itself
            assert time.monotonic() < deadline, "never happened: discovery"
        recording.wait_for(100)
        recording.wait(lambda: ours.get_subscription_count() == 1, "the recorder listens")
        ours.publish(JointState(name=["updates"], position=[-1.0]))
        recording.wait_for(101)
        assert recording.written[-1][0] == -1.0
    finally:
        stranger.destroy_node()
        rclpy.shutdown(context=context)
