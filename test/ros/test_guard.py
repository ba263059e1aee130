"""Guarded subscriptions: what is too much is left unread, and what is no message harms nobody."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
import rclpy
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.serialization import serialize_message
from sensor_msgs.msg import JointState
from std_msgs.msg import Int32

from realtime_rl.core.messages.wire import WireError
from realtime_rl.core.peers.rate_limit import RateLimit
from realtime_rl.ros import qos
from realtime_rl.ros.executor import TickExecutor
from realtime_rl.ros.guard import Guarded, listen
from realtime_rl.ros.messages import deserialize

PATIENCE_S = 30.0


class Log:
    """Stands for a node and its logger."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def get_logger(self) -> Log:
        return self

    def warning(self, line: str) -> None:
        self.lines.append(line)


def guarded(read: Callable[[Any], None], log: Log, *, burst: int = 64,
            most_bytes: int = 10_000) -> Guarded:
    return Guarded(log, "timestep", partial(deserialize, kind=JointState), read,
                   limit=RateLimit(1e-3, burst),
                   most_bytes=most_bytes)


MESSAGE = serialize_message(JointState(name=["x"], position=[1.0]))


def info(number: int) -> dict[str, int]:
    return {"publication_sequence_number": number}


def test_what_is_in_order_is_handed_on() -> None:
    got: list[JointState] = []
    log = Log()
    guard = guarded(got.append, log)
    for number in range(1, 60):
        guard(MESSAGE, info(number))
    assert [message.position[0] for message in got] == [1.0] * 59
    assert (guard.unread, guard.refused, log.lines) == (0, 0, [])


def test_what_is_too_much_or_too_large_is_left_unread_and_said_once() -> None:
    got: list[JointState] = []
    log = Log()
    guard = guarded(got.append, log, burst=10)
    for number in range(1, 5000):
        guard(MESSAGE, info(number))
    assert len(got) == 10
    assert guard.unread == 4989
    guard(MESSAGE, info(10**6))
    assert len(got) == 11  # somebody else
    guard(MESSAGE + b"\0" * 10_000, info(2 * 10**6))
    assert len(got) == 11
    [line] = log.lines
    assert "timestep: 1 message(s) left unread, more or larger than a sender's are" in line


@pytest.mark.parametrize("data", [b"", b"\0\1\0\0", b"\0\1\0\0" + b"\xff" * 40, MESSAGE[:20]])
def test_bytes_that_are_no_message_are_refused_and_said(data: bytes) -> None:
    log = Log()
    guard = guarded(lambda message: None, log)
    guard(data, info(1))
    assert guard.refused == 1
    assert log.lines == [f"timestep: 1 message(s) refused; the newest: {len(data)} bytes that are "
                         "no JointState"]
    with pytest.raises(WireError):
        deserialize(data, JointState)


def test_what_the_callback_refuses_is_said_once_a_second() -> None:
    def refuse(message: JointState) -> None:
        raise WireError("tick is absent")

    log = Log()
    guard = guarded(refuse, log)
    for number in range(1, 60):
        guard(MESSAGE, info(number))
    assert guard.refused == 59
    assert log.lines == ["timestep: 1 message(s) refused; the newest: tick is absent"]


def test_other_errors_are_nobodys_to_hide() -> None:
    def fail(message: JointState) -> None:
        raise KeyError("a fault of ours")

    with pytest.raises(KeyError):
        guarded(fail, Log())(MESSAGE, info(1))


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Node]:
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path))
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=1 + os.getpid() % 100)
    made = Node("listening", context=context)
    yield made
    made.destroy_node()
    rclpy.shutdown(context=context)


@pytest.mark.parametrize("tick_executor", [True, False])
def test_the_senders_of_a_topic_are_told_apart(node: Node, tick_executor: bool) -> None:
    """The middleware tells each message's number, and every executor hands it on."""
    got: list[int] = []
    subscription = listen(node, Int32, "number", lambda message: got.append(message.data),
                          QoSProfile(depth=100), rate_hz=0.1)
    flood, genuine = (node.create_publisher(Int32, "number", qos.RECORD) for _ in range(2))
    executor = (TickExecutor(node) if tick_executor
                else rclpy.executors.SingleThreadedExecutor(context=node.context))
    if not tick_executor:
        executor.add_node(node)
    deadline = time.monotonic() + PATIENCE_S

    def until(condition: Callable[[], bool]) -> None:
        while not condition():
            assert time.monotonic() < deadline
            executor.spin_once(timeout_sec=0.05)

    until(lambda: subscription.get_publisher_count() == 2)
    guard = subscription.callback
    assert isinstance(guard, Guarded)
    for number in range(200):
        flood.publish(Int32(data=-1))
        until(lambda number=number: len(got) + guard.unread > number)
    read = len(got)
    assert 100 <= read < 200  # as many as its queue holds, and a few
    assert read + guard.unread == 200
    genuine.publish(Int32(data=7))
    until(lambda: len(got) > read)
    assert got[-1] == 7
    executor.shutdown(timeout_sec=0.0)


def test_what_waited_until_a_node_is_spun_is_read(node: Node) -> None:
    """It listens from when it is made; a loaded machine spins it seconds later."""
    got: list[int] = []
    sender = node.create_publisher(Int32, "number", qos.RECORD_KEPT)
    sender.publish(Int32(data=-1))
    subscription = listen(node, Int32, "number", lambda message: got.append(message.data),
                          qos.RECORD, rate_hz=0.1)
    deadline = time.monotonic() + PATIENCE_S
    while not subscription.get_publisher_count():
        assert time.monotonic() < deadline
    for number in range(300):
        sender.publish(Int32(data=number))
    executor = TickExecutor(node)
    while len(got) + subscription.callback.unread < 300:
        assert time.monotonic() < deadline
        executor.spin_once(timeout_sec=0.05)
    assert got[-300:] == list(range(300))
    executor.shutdown(timeout_sec=0.0)
