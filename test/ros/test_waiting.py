"""What a node waits for, and why, is said; what paces goes on without `/clock`."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
from diagnostic_msgs.msg import DiagnosticArray
from in_process import ros, wait
from rclpy.clock import ClockType
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import JointState

from realtime_rl.nodes.coordinator import CoordinatorNode
from realtime_rl.nodes.monitor import MonitorNode
from realtime_rl.ros import qos, waiting
from realtime_rl.ros.executor import TickExecutor
from realtime_rl.ros.waiting import Waiting

LOSSY = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time in a list, moved by hand."""
    now = [0.0]
    monkeypatch.setattr(waiting, "time", SimpleNamespace(
        monotonic_ns=lambda: round(now[0] * 1e9)))
    return now


def after(found: Waiting, seconds: list[float], *times: float) -> dict[str, str]:
    """Return what is waited for after a look at each of `times`."""
    for seconds[0] in times:
        found._look()
    return found.now


def listening(node: Node) -> tuple[Waiting, list[JointState]]:
    heard: list[JointState] = []
    node.create_subscription(JointState, "timestep", heard.append, qos.RECORD)
    return Waiting(node, "timestep"), heard


def test_a_topic_that_nobody_publishes(seconds: list[float]) -> None:
    with ros() as make:
        found, _ = listening(make("a"))
        assert after(found, seconds, 0.0, 4.9) == {}
        text = after(found, seconds, 6.0)["/timestep"]
        assert text.startswith("nothing heard on '/timestep' for 6 s: nobody publishes it in ROS ")
        assert text.endswith("seen from this machine alone")


def test_another_qos_is_named_with_who_offers_it(seconds: list[float]) -> None:
    with ros() as make:
        node, other = make("a"), make("b")
        found, _ = listening(node)
        other.create_publisher(JointState, "timestep", LOSSY)
        wait(node, lambda: node.count_publishers("timestep") == 1)
        assert after(found, seconds, 0.0, 6.0)["/timestep"].endswith(
            "'/b' offers another QoS than is asked for (ERROR: Best effort publisher and reliable "
            "subscription)")


def test_another_type_is_named_with_who_offers_it() -> None:
    offered = SimpleNamespace(node_namespace="/robot1", node_name="b", qos_profile=qos.RECORD,
                              topic_type="std_msgs/msg/String")
    node = SimpleNamespace(get_publishers_info_by_topic=lambda topic: [offered])
    assert waiting.why_silent(node, "/x", "sensor_msgs/msg/Joy", qos.RECORD) == (  # type: ignore[arg-type]
        "'/robot1/b' publishes std_msgs/msg/String there, wanted is sensor_msgs/msg/Joy")


def test_a_publisher_that_sends_nothing_and_then_does(seconds: list[float]) -> None:
    with ros() as make:
        node, other = make("a"), make("b")
        found, heard = listening(node)
        publisher = other.create_publisher(JointState, "timestep", qos.RECORD)
        wait(node, lambda: publisher.get_subscription_count() == 1)
        assert after(found, seconds, 0.0, 6.0)["/timestep"].endswith(
            "'/b' offers it, and nothing comes")
        publisher.publish(JointState(name=["x"]))
        wait(node, lambda: bool(heard))
        assert heard[0].name == ["x"]  # the callback is still the node's
        assert after(found, seconds, 7.0) == {}


def test_simulated_time_without_a_clock_is_said_and_does_not_stop_what_paces(
        seconds: list[float]) -> None:
    with ros("-p", "use_sim_time:=true") as make:
        found, _ = listening(make("a"))
        assert after(found, seconds, 0.0, 6.0)["/clock"].startswith(
            "nothing heard on '/clock' for 6 s: use_sim_time is set, and stamps stand still; "
            "nobody publishes it")
        for node in (MonitorNode(), CoordinatorNode()):
            assert {timer.clock.clock_type for timer in node.timers} == {ClockType.STEADY_TIME}
            node.destroy_node()


def test_the_monitor_says_what_it_waits_for_where_everybody_looks(seconds: list[float]) -> None:
    with ros("-p", "use_sim_time:=true") as make:
        monitor, other = MonitorNode(), make("b")
        executor, said = TickExecutor(monitor), list[DiagnosticArray]()
        other.create_subscription(DiagnosticArray, "/diagnostics", said.append, 10)

        def told() -> bool:
            executor.spin_once(timeout_sec=0.05)
            seconds[0] += 1.0
            return any(status.name == "realtime_rl: waiting" for each in said
                       for status in each.status)

        wait(other, told)
        status = next(status for status in said[-1].status
                      if status.name == "realtime_rl: waiting")
        assert status.level == b"\x01"
        assert status.values[0].key.startswith("waiting for /")
        executor.shutdown()
        monitor.destroy_node()
