"""`robot check` and `robot init` with a robot that speaks, and is wrong in several ways at once."""

from __future__ import annotations

import array
import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("rclpy", reason="rclpy is not installed")
pytest.importorskip("cv2", reason="OpenCV is not installed")
from contracts import CAMERA, changed
from in_process import ros
from live_graph import private_domain
from rclpy.duration import Duration
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.topic_endpoint_info import TopicEndpointInfo
from sensor_msgs.msg import Image, Imu, JointState
from std_msgs.msg import Float64MultiArray

from realtime_rl.cli.main import main
from realtime_rl.ros import robot_listening
from realtime_rl.ros.robot_topics import COMMANDS

PERIOD_S = 0.01
BEST_EFFORT = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
IMU = {"type": "sensor_msgs/msg/Imu", "fields": ["angular_velocity.x"], "max_age": 5.0}
JOINTS = {"type": "sensor_msgs/msg/JointState", "max_age": 5.0}


class Robot:
    """Publishes on some topics, in a thread of its own, and keeps what it is told."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.told: list[Any] = []
        node.declare_parameter("joints", ["j2", "j1"])
        node.create_subscription(Float64MultiArray, "/commands", self.told.append, 1)

    def says(self, topic: str, make: Callable[[], Any], *, stamped: bool = True,
             behind_s: float = 0.0) -> None:
        publisher = self.node.create_publisher(type(make()), topic, BEST_EFFORT)

        def say() -> None:
            message = make()
            if stamped:
                now_ns = self.node.get_clock().now().nanoseconds - round(behind_s * 1e9)
                message.header.stamp.sec, message.header.stamp.nanosec = divmod(now_ns, 10**9)
            publisher.publish(message)

        self.node.create_timer(PERIOD_S, say)


def joints(position: float = 0.5) -> JointState:
    return JointState(name=["j2", "j1"], position=array.array("d", [position, position]),
                      velocity=array.array("d", [0.0, 0.1]))


def picture() -> Image:
    return Image(encoding="mono8", width=8, height=4, step=8, data=array.array("B", range(32)))


@pytest.fixture
def robot() -> Iterator[Robot]:
    with ros() as make:
        found = Robot(make("robot_that_is_not_ours"))
        executor = SingleThreadedExecutor()
        executor.add_node(found.node)
        thread = threading.Thread(target=spin, args=(executor,))
        thread.start()
        yield found
        executor.shutdown()
        thread.join()


def spin(executor: SingleThreadedExecutor) -> None:
    with contextlib.suppress(ExternalShutdownException):
        executor.spin()


def check(folder: Path, **changes: Any) -> tuple[int, dict[str, Any]]:
    """Status of `robot check`, and what it says as JSON."""
    path, out = folder / "contract.yaml", folder / "check.json"
    path.write_text(yaml.safe_dump({"robot": {"ros__parameters": changed(**changes)}}))
    status = main(["robot", "check", str(path), "--seconds", "0.5", "--json", str(out),
                   "--png", str(folder / "png")])
    return status, json.loads(out.read_text())


def lines(said: dict[str, Any], level: str) -> dict[str, str]:
    return {each["where"]: each["text"] for each in said["findings"] if each["level"] == level}


def test_a_robot_that_is_right(robot: Robot, tmp_path: Path,
                               capsys: pytest.CaptureFixture[str]) -> None:
    robot.says("/joint_states", joints)
    robot.says("/image", picture)
    status, said = check(
        tmp_path, source__joints__max_age=5.0, action__arm__names=["j2", "j1"],
        source__cam={**CAMERA, "max_age": 5.0, "image": {"width": 4, "height": 4,
                                                        "resize": "crop"}},
        observations=["state", "front"], observation__front={"sources": ["cam"]})
    assert lines(said, "wrong") == {}
    assert status == 0
    assert said["sources"]["joints"]["values"] == {
        "position.j1": 0.5, "position.j2": 0.5, "velocity.j1": 0.1}
    assert "in the order of /robot_that_is_not_ours" in lines(said, "ok")["action.arm.names"]
    assert (tmp_path / "png" / "cam.png").read_bytes()[1:4] == b"PNG"
    assert "joints position.j1" in capsys.readouterr().out
    assert not robot.told


def test_a_robot_that_is_wrong_in_every_way(robot: Robot, tmp_path: Path,
                                            monkeypatch: pytest.MonkeyPatch) -> None:
    sources = {
        "type": {**IMU, "topic": "/named"},
        "joint": {**JOINTS, "topic": "/joint_states", "fields": ["position.joint_1"]},
        "qos": {**IMU, "topic": "/imu", "reliability": "reliable"},
        "stamps": {**IMU, "topic": "/late"}, "ahead": {**IMU, "topic": "/early"},
        "zero": {**IMU, "topic": "/bare"}, "nobody": {**IMU, "topic": "/absent"},
        "size": {**CAMERA, "topic": "/image", "max_age": 5.0, "image": {"width": 6, "height": 6}},
        "two": {**IMU, "topic": "/twice"},
        "unit": {**JOINTS, "topic": "/degrees", "fields": ["position.j1"]}}
    robot.says("/joint_states", joints)
    robot.says("/named", joints)
    robot.says("/degrees", partial(joints, 57.3))
    robot.says("/image", picture)
    for topic in ("/imu", "/twice", "/twice"):
        robot.says(topic, Imu)
    robot.says("/late", Imu, behind_s=20.0)
    robot.says("/early", Imu, behind_s=-20.0)
    robot.says("/bare", Imu, stamped=False)
    there = {source["topic"] for name, source in sources.items() if name != "nobody"}
    monkeypatch.setattr(robot_listening, "_FIND_S", 30.0)
    monkeypatch.setattr(robot_listening, "_all_found", lambda node, _: (
        all(map(node.count_publishers, there)) and node.count_publishers("/twice") == 2
        and node.count_subscribers("/commands")))
    monkeypatch.setattr(robot_listening, "_SPEAK_S", 30.0)
    monkeypatch.setattr(robot_listening.Listener, "all_spoke", property(lambda listener: all(
        heard.received_ns for name, heard in listener.heard.items()
        if name not in ("type", "qos", "nobody"))))
    status, said = check(tmp_path, source=sources, action__arm__measured="unit",
                         observation__state={"sources": list(sources)[:1]})
    assert status == 1
    wrong = lines(said, "wrong")
    expected = {
        "source.type.type": "the contract says 'sensor_msgs/msg/Imu'",
        "source.joint.fields": "'j1' for 'joint_1'",
        "source.qos.reliability": "best_effort, which does not match",
        "source.stamps.stamps": "s behind its reception",
        "source.ahead": "s ahead of this machine's clock",
        "source.zero": "its stamp is 0",
        "source.nobody.topic": "nobody publishes /absent",
        "source.size": "a picture of 8×4, not 6×6",
        "source.two.topic": "2 publishers of the same",
        "source.unit.scale": "position.j1 is 57.3 to 57.3",
        "limits.j1": "it is at 57.3, beyond -2 to 2", "limits.j2": "are they degrees?",
        "action.arm.names": "takes j2, j1, in this order; the contract sends j1, j2"}
    assert sorted(wrong) == sorted(expected)
    assert len([each for each in said["findings"] if each["where"] == "source.ahead"]) == 1
    assert all(text in wrong[where] for where, text in expected.items())


@pytest.mark.parametrize(("deadline", "problem"), [
    (Duration(nanoseconds=2**63 - 1), ""), (Duration(seconds=2**31 - 1), ""),
    (Duration(seconds=2**31 - 1, nanoseconds=2**32 - 1), ""), (Duration(), ""),
    (Duration(seconds=1), "deadline")], ids=["ROS", "DDS", "DDS-rest", "none", "a-second"])
def test_a_deadline_without_a_bound_is_none(deadline: Duration, problem: str) -> None:
    profile = QoSProfile(depth=1, deadline=deadline, liveliness_lease_duration=deadline)
    info = TopicEndpointInfo(node_name="drive", node_namespace="/", topic_type="t",
                             qos_profile=profile)
    found = robot_listening.endpoint(info, profile, COMMANDS).problem
    assert problem in found and bool(problem) == bool(found)


def test_with_no_robot_nothing_of_our_own_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch
                                                   ) -> None:
    monkeypatch.setattr(robot_listening, "_FIND_S", 0.0)
    monkeypatch.setattr(robot_listening, "_SPEAK_S", 0.0)
    # where no robot of another test has just ended
    with ros(domain=1 + (int(private_domain()) + 49) % 100):
        _, said = check(tmp_path, source__joints__topic="joint_states")
    assert lines(said, "wrong") == {
        "source.joints.topic": "nobody publishes /joint_states; nothing is there at all",
        "action.arm.topic": "nobody listens to /commands; nothing is there at all"}


def test_a_contract_is_begun_with_what_there_is(robot: Robot, tmp_path: Path,
                                                capsys: pytest.CaptureFixture[str]) -> None:
    robot.says("/joint_states", joints)
    robot.says("/timestep", joints)  # as of a graph of ours
    path = tmp_path / "new" / "arm.yaml"
    assert main(["robot", "init", "--seconds", "0.5", "--out", str(path)]) == 0
    said = yaml.safe_load(path.read_text())["robot"]["ros__parameters"]
    assert said["observation"] == {"state": {"sources": ["joint_states"]}}
    assert said["source"]["joint_states"]["fields"] == [
        "position.j2", "position.j1", "velocity.j2", "velocity.j1"]
    assert said["action"]["commands"]["names"] == ["j2", "j1"]
    assert main(["robot", "init", "--out", str(path)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert main(["robot", "check", str(path)]) == 2
    assert "FILL_IN stands there" in capsys.readouterr().err
    assert not robot.told
