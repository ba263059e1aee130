"""The executor runs all that rclpy's own runs."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
import rclpy
from rclpy.duration import Duration
from rclpy.event_handler import QoSPublisherEventType, SubscriptionEventCallbacks
from rclpy.exceptions import InvalidHandle
from rclpy.executors import Executor
from rclpy.impl import implementation_singleton
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription
from rclpy.waitable import Waitable
from std_msgs.msg import Int32
from std_srvs.srv import Trigger

from realtime_rl.ros import qos, rclpy_private, steady
from realtime_rl.ros import spinning as spinning_module
from realtime_rl.ros.executor import TickExecutor
from realtime_rl.ros.graph import PARENT_VARIABLE
from realtime_rl.ros.publishing import publisher_of
from realtime_rl.ros.spinning import PlainExecutor, newest_first

PATIENCE_S = 30.0


class Spinning:
    """A node and its executor."""

    def __init__(self, kind: type) -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=1 + os.getpid() % 100)
        self.node = Node("spinning", context=self.context)
        self.executor = kind(self.node)

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
def spin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[type], Spinning]]:
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path))
    made: list[Spinning] = []

    def make(kind: type) -> Spinning:
        made.append(Spinning(kind))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def spinning(spin: Callable[[type], Spinning]) -> Spinning:
    """With the executor of our own."""
    return spin(TickExecutor)


@pytest.fixture(params=[TickExecutor, PlainExecutor])
def either(request: pytest.FixtureRequest, spin: Callable[[type], Spinning]) -> Spinning:
    """With each of the two that a node may have."""
    return spin(request.param)


def test_messages_come_in_order(either: Spinning) -> None:
    got: list[int] = []
    either.node.create_subscription(Int32, "number", lambda m: got.append(m.data), qos.RECORD)
    publisher = either.node.create_publisher(Int32, "number", qos.RECORD)
    either.until(lambda: publisher.get_subscription_count() == 1)
    for number in range(20):
        publisher.publish(Int32(data=number))
    either.until(lambda: len(got) >= 20)
    assert got == list(range(20))


def test_what_is_created_later_is_noticed_and_what_is_destroyed_is_not_called(
        either: Spinning) -> None:
    first: list[int] = []
    second: list[int] = []
    publisher = either.node.create_publisher(Int32, "number", qos.RECORD)
    one = either.node.create_subscription(
        Int32, "number", lambda m: first.append(m.data), qos.RECORD)
    either.executor.spin_once(timeout_sec=0.0)
    either.node.create_subscription(
        Int32, "number", lambda m: second.append(m.data), qos.RECORD)
    either.until(lambda: publisher.get_subscription_count() == 2)
    publisher.publish(Int32(data=1))
    either.until(lambda: first == second == [1])
    either.node.destroy_subscription(one)
    publisher.publish(Int32(data=2))
    either.until(lambda: second == [1, 2])
    assert first == [1]


def test_timers_fire_until_they_are_cancelled(either: Spinning) -> None:
    fired: list[int] = []
    timer = either.node.create_timer(0.001, lambda: fired.append(1))
    either.until(lambda: len(fired) >= 5)
    timer.cancel()
    before = len(fired)
    either.executor.spin_once(timeout_sec=0.01)
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


def test_services_clients_and_their_futures_are_served(either: Spinning) -> None:
    def answer(request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        del request
        response.success, response.message = True, "served"
        return response

    either.node.create_service(Trigger, "serve", answer)
    client = either.node.create_client(Trigger, "serve")
    told: list[str] = []
    either.until(client.service_is_ready)
    for _ in range(3):
        client.call_async(Trigger.Request()).add_done_callback(
            lambda future: told.append(future.result().message))
    either.until(lambda: len(told) >= 3)
    assert told == ["served"] * 3


def test_a_task_runs(either: Spinning) -> None:
    done: list[int] = []
    either.executor.create_task(lambda: done.append(1))
    either.executor.create_task(lambda: done.append(2))
    either.until(lambda: sorted(done) == [1, 2])


def test_events_of_the_middleware_reach_their_callback(either: Spinning) -> None:
    refused: list[int] = []
    either.node.create_subscription(
        Int32, "number", lambda m: None, QoSProfile(depth=1),
        event_callbacks=SubscriptionEventCallbacks(
            incompatible_qos=lambda event: refused.append(event.total_count)))
    either.node.create_publisher(
        Int32, "number", QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT))
    either.until(lambda: refused == [1])


def test_a_failing_callback_is_raised(either: Spinning) -> None:
    def fail() -> None:
        raise ValueError("as a callback may")

    guard = either.node.create_guard_condition(fail)
    guard.trigger()
    with pytest.raises(ValueError, match="as a callback may"):
        either.until(lambda: False)


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


def test_rclpys_own_keeps_deadlines_and_can_be_ended(spin: Callable[[type], Spinning]) -> None:
    """It comes back without a deadline, too: whoever spins looks whether it is to end."""
    plain = spin(PlainExecutor).executor
    plain.run_once()
    due_ns = time.monotonic_ns() + 5_000_000
    while time.monotonic_ns() < due_ns:
        plain.run_once(lambda: due_ns)
    plain.run_once(time.monotonic_ns)


@pytest.mark.parametrize("ahead_ns", [5_000_000, 0, -5_000_000])
def test_a_wait_that_the_system_clock_holds_up_is_ended(
        spinning: Spinning, monkeypatch: pytest.MonkeyPatch, ahead_ns: int) -> None:
    """The clock is set back while the middleware waits: it then waits until somebody wakes it."""
    executor, woken, ended = spinning.executor, threading.Event(), []

    class HeldUp:
        def wait(self, timeout_ns: int) -> None:
            del timeout_ns
            ended.append(woken.wait(PATIENCE_S))

        def __getattr__(self, name: str) -> object:
            return getattr(wait_set, name)

    executor.spin_once(timeout_sec=0.0)  # nothing is left to be gathered anew
    wait_set = executor._wait_set
    with monkeypatch.context() as changed:
        changed.setattr(executor, "_wait_set", HeldUp())
        changed.setattr(executor._waker, "_wake", woken.set)
        executor.run_once(lambda: time.monotonic_ns() + ahead_ns)
    assert ended == [True]


def test_a_wait_of_rclpys_own_that_the_clock_holds_up_is_ended(
        spin: Callable[[type], Spinning], monkeypatch: pytest.MonkeyPatch) -> None:
    plain, woken, ended = spin(PlainExecutor).executor, threading.Event(), []
    monkeypatch.setattr(plain._waker, "_wake", woken.set)
    monkeypatch.setattr(plain, "spin_once",
                        lambda timeout_sec: ended.append(woken.wait(PATIENCE_S)))
    plain.run_once(time.monotonic_ns)
    assert ended == [True]


def test_this_rclpy_has_all_that_is_used() -> None:
    assert rclpy_private.absent() == ()


@pytest.mark.parametrize(("kind", "name", "said"), [
    (Waitable, "is_ready", "Waitable.is_ready"), (Node, "guards", "Node.guards"),
    (implementation_singleton, "rclpy_implementation", "rclpy_implementation.WaitSet.wait"),
    (QoSPublisherEventType, "RCL_PUBLISHER_INCOMPATIBLE_TYPE",
     "QoSPublisherEventType.RCL_PUBLISHER_INCOMPATIBLE_TYPE"),
    (Executor, "__init__", "Executor._tasks"), (Subscription, "__init__", "Subscription.raw")])
def test_what_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, kind: object, name: str,
                                    said: str) -> None:
    monkeypatch.delattr(kind, name)
    assert said in rclpy_private.absent()


def test_where_something_is_absent_rclpys_own_runs_the_node_and_says_so_once(
        spin: Callable[[type], Spinning], monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str]) -> None:
    node = spin(PlainExecutor).node
    assert isinstance(spinning_module.executor_of(node), TickExecutor)
    assert spinning_module.warnings() == []
    monkeypatch.setattr(spinning_module, "ABSENT", ("Executor._tasks",))
    monkeypatch.delenv(PARENT_VARIABLE, raising=False)
    assert isinstance(spinning_module.executor_of(node), PlainExecutor)
    assert capfd.readouterr().err.count("this rclpy has no Executor._tasks: its own executor") == 1
    monkeypatch.setenv(PARENT_VARIABLE, "1")  # who has said it already
    assert isinstance(spinning_module.executor_of(node), PlainExecutor)
    assert capfd.readouterr().err == ""


def test_it_may_be_woken_while_it_is_shut_down(
        spinning: Spinning, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal that ends a process wakes it from a thread that does not wait for anything."""
    class Destroyed:
        def trigger(self) -> None:
            raise InvalidHandle("destruction was requested")

    with monkeypatch.context() as changed:
        changed.setattr(spinning.executor, "_guard", Destroyed())
        spinning.executor.wake()


def test_what_a_node_says_to_its_own_process_is_taken_in_order_and_without_a_wait(
        spinning: Spinning, monkeypatch: pytest.MonkeyPatch) -> None:
    got: list[tuple[str, int]] = []
    says = {name: publisher_of(spinning.node, Int32, name, qos.RECORD) for name in "ab"}

    def on_a(message: Int32) -> None:
        got.append(("a", message.data))
        says["b"].publish(Int32(data=message.data))

    spinning.node.create_subscription(Int32, "a", on_a, qos.RECORD)
    spinning.node.create_subscription(
        Int32, "b", lambda message: got.append(("b", message.data)), qos.RECORD)
    spinning.until(lambda: all(each.get_subscription_count() == 1 for each in says.values()))
    spinning.executor.spin_once(timeout_sec=0.0)
    waits: list[int | None] = []
    monkeypatch.setattr(spinning.executor, "_wait", waits.append)
    for number in range(2):
        says["a"].publish(Int32(data=number))
    spinning.executor.run_once(lambda: 0 if len(got) == 4 else None)
    assert got == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    assert waits == []


def test_a_deadline_has_its_turn_in_what_nodes_of_a_process_say_to_each_other(
        spinning: Spinning) -> None:
    """The oldest of each subscription goes first: it may be what the deadline waits for."""
    got: list[int] = []
    publisher = publisher_of(spinning.node, Int32, "number", qos.RECORD)
    spinning.node.create_subscription(Int32, "number", lambda m: got.append(m.data), qos.RECORD)
    spinning.until(lambda: publisher.get_subscription_count() == 1)
    spinning.executor.spin_once(timeout_sec=0.0)
    for number in range(3):
        publisher.publish(Int32(data=number))
    spinning.executor.run_once(time.monotonic_ns)
    assert got == [0]
    later = time.monotonic_ns() + int(PATIENCE_S * 1e9)
    spinning.executor.run_once(lambda: later if len(got) < 3 else 0)
    assert got == [0, 1, 2]


def test_what_is_destroyed_by_what_a_node_of_its_process_said_is_not_called_again(
        spinning: Spinning) -> None:
    got: list[int] = []

    def on_message(message: Int32) -> None:
        got.append(message.data)
        spinning.node.destroy_subscription(subscription)

    publisher = publisher_of(spinning.node, Int32, "number", qos.RECORD)
    subscription = spinning.node.create_subscription(Int32, "number", on_message, qos.RECORD)
    spinning.until(lambda: publisher.get_subscription_count() == 1)
    spinning.executor.spin_once(timeout_sec=0.0)
    for number in range(3):
        publisher.publish(Int32(data=number))
    spinning.executor.run_once()
    spinning.executor.spin_once(timeout_sec=0.0)
    assert got == [0]
