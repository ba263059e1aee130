"""The executor runs all that rclpy's own runs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
import rclpy
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from std_msgs.msg import Int32
from std_srvs.srv import Trigger

from realtime_rl.ros import qos
from realtime_rl.ros.executor import TickExecutor

PATIENCE_S = 30.0


class Spinning:
    """A node and its executor."""

    def __init__(self) -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=1 + os.getpid() % 100)
        self.node = Node("spinning", context=self.context)
        self.executor = TickExecutor(self.node)

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline
            self.executor.spin_once(timeout_sec=0.05)

    def close(self) -> None:
        self.executor.shutdown(timeout_sec=0.0)
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)


@pytest.fixture
def spinning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Spinning]:
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path))
    one = Spinning()
    yield one
    one.close()


def test_messages_come_in_order(spinning: Spinning) -> None:
    got: list[int] = []
    spinning.node.create_subscription(Int32, "number", lambda m: got.append(m.data), qos.RECORD)
    publisher = spinning.node.create_publisher(Int32, "number", qos.RECORD)
    spinning.until(lambda: publisher.get_subscription_count() == 1)
    for number in range(20):
        publisher.publish(Int32(data=number))
    spinning.until(lambda: len(got) >= 20)
    assert got == list(range(20))


def test_what_is_created_later_is_noticed_and_what_is_destroyed_is_not_called(
        spinning: Spinning) -> None:
    first: list[int] = []
    second: list[int] = []
    publisher = spinning.node.create_publisher(Int32, "number", qos.RECORD)
    one = spinning.node.create_subscription(
        Int32, "number", lambda m: first.append(m.data), qos.RECORD)
    spinning.executor.spin_once(timeout_sec=0.0)
    spinning.node.create_subscription(
        Int32, "number", lambda m: second.append(m.data), qos.RECORD)
    spinning.until(lambda: publisher.get_subscription_count() == 2)
    publisher.publish(Int32(data=1))
    spinning.until(lambda: first == second == [1])
    spinning.node.destroy_subscription(one)
    publisher.publish(Int32(data=2))
    spinning.until(lambda: second == [1, 2])
    assert first == [1]


def test_timers_fire_until_they_are_cancelled(spinning: Spinning) -> None:
    fired: list[int] = []
    timer = spinning.node.create_timer(0.001, lambda: fired.append(1))
    spinning.until(lambda: len(fired) >= 5)
    timer.cancel()
    before = len(fired)
    spinning.executor.spin_once(timeout_sec=0.01)
    assert len(fired) == before


def test_guard_conditions_and_wakes_end_a_wait(spinning: Spinning) -> None:
    """Without a timeout: a wait that did not end would hang here."""
    woken: list[int] = []
    guard = spinning.node.create_guard_condition(lambda: woken.append(1))
    spinning.executor.spin_once(timeout_sec=0.0)
    guard.trigger()
    spinning.executor.spin_once()
    assert woken == [1]
    spinning.executor.wake()
    spinning.executor.spin_once()
    spinning.executor.spin_once(timeout_sec=0.0)
    assert woken == [1]


def test_services_clients_and_their_futures_are_served(spinning: Spinning) -> None:
    def answer(request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        del request
        response.success, response.message = True, "served"
        return response

    spinning.node.create_service(Trigger, "serve", answer)
    client = spinning.node.create_client(Trigger, "serve")
    told: list[str] = []
    spinning.until(client.service_is_ready)
    for _ in range(3):
        client.call_async(Trigger.Request()).add_done_callback(
            lambda future: told.append(future.result().message))
    spinning.until(lambda: len(told) >= 3)
    assert told == ["served"] * 3


def test_a_task_runs(spinning: Spinning) -> None:
    done: list[int] = []
    spinning.executor.create_task(lambda: done.append(1))
    spinning.executor.create_task(lambda: done.append(2))
    spinning.until(lambda: sorted(done) == [1, 2])


def test_events_of_the_middleware_reach_their_callback(spinning: Spinning) -> None:
    refused: list[int] = []
    spinning.node.create_subscription(
        Int32, "number", lambda m: None, QoSProfile(depth=1),
        event_callbacks=SubscriptionEventCallbacks(
            incompatible_qos=lambda event: refused.append(event.total_count)))
    spinning.node.create_publisher(
        Int32, "number", QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT))
    spinning.until(lambda: refused == [1])


def test_a_failing_callback_is_raised(spinning: Spinning) -> None:
    def fail() -> None:
        raise ValueError("as a callback may")

    guard = spinning.node.create_guard_condition(fail)
    guard.trigger()
    with pytest.raises(ValueError, match="as a callback may"):
        spinning.until(lambda: False)
