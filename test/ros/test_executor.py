"""The executor runs all that rclpy's own runs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
import rclpy
from rclpy.duration import Duration
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from std_msgs.msg import Int32
from std_srvs.srv import Trigger

from realtime_rl.ros import qos, steady
from realtime_rl.ros.executor import TickExecutor, newest_first

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


def publish_and_see_them_wait(spinning: Spinning, count: int) -> None:
    """Publish numbers that a subscription keeps; the same context delivers them at once."""
    publisher = spinning.node.create_publisher(Int32, "number", qos.RECORD)
    spinning.until(lambda: publisher.get_subscription_count() == 1)
    for number in range(count):
        publisher.publish(Int32(data=number))
    assert publisher.wait_for_all_acked(Duration(seconds=PATIENCE_S))


def test_a_deadline_has_its_turn_however_many_messages_wait(spinning: Spinning) -> None:
    """Once it has come, a message of each subscription goes first: it may be what it waits for."""
    got: list[int] = []
    spinning.node.create_subscription(Int32, "number", lambda m: got.append(m.data), qos.RECORD)
    publish_and_see_them_wait(spinning, 40)
    spinning.executor.run_once(time.monotonic_ns)
    assert got == [0]
    later = time.monotonic_ns() + int(PATIENCE_S * 1e9)
    spinning.executor.run_once(lambda: later if len(got) < 5 else 0)
    assert got == [0, 1, 2, 3, 4]
    spinning.executor.run_once(lambda: later)
    assert got == list(range(40))


def test_the_newest_goes_first_where_the_callback_says_so(spinning: Spinning) -> None:
    """All are given in the end; the older ones wait for a deadline."""
    got: list[int] = []

    @newest_first
    def on_message(message: Int32) -> None:
        got.append(message.data)

    spinning.node.create_subscription(Int32, "number", on_message, qos.RECORD)
    publish_and_see_them_wait(spinning, 40)
    spinning.executor.run_once(time.monotonic_ns)
    assert got == [39]
    spinning.executor.run_once(lambda: None)
    assert got == list(range(39, -1, -1))


def test_what_is_destroyed_by_a_callback_is_not_called_again(spinning: Spinning) -> None:
    got: list[int] = []

    def on_message(message: Int32) -> None:
        got.append(message.data)
        spinning.node.destroy_subscription(subscription)

    subscription = spinning.node.create_subscription(Int32, "number", on_message, qos.RECORD)
    publish_and_see_them_wait(spinning, 3)
    spinning.executor.run_once()
    spinning.executor.spin_once(timeout_sec=0.0)
    assert got == [0]


def test_timers_hold_by_their_own_clock_and_not_by_rcls_wait(spinning: Spinning) -> None:
    """A reset in a callback is heeded: a worker's timer is aimed anew each time it fires."""
    fired: list[str] = []

    def on_late() -> None:
        fired.append("late")

    def on_early() -> None:
        fired.append("early")
        early.cancel()
        late.timer_period_ns = 1_000_000
        late.reset()

    late = steady.create_timer(spinning.node, 3600.0, on_late)
    early = steady.create_timer(spinning.node, 0.001, on_early)
    while len(fired) < 2:
        spinning.executor.run_once()  # without a deadline: only the timers end the wait
    assert fired == ["early", "late"]
