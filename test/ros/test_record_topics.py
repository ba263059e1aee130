"""A topic of records gives records to its handler, and says what is none."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
from rclpy.serialization import serialize_message
from sensor_msgs.msg import JointState

from realtime_rl.core.messages.records import Verdict
from realtime_rl.ros import messages, qos
from realtime_rl.ros.record_topics import subscribe_records


class Subscriber:
    """Stands for a node: keeps what it is asked to call, and what it says."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def create_subscription(self, kind: type, topic: str, callback: Any, *_: object,
                            raw: bool) -> tuple[str, Any]:
        assert (kind, raw) == (JointState, True)
        return topic, callback

    def get_logger(self) -> Subscriber:
        return self

    def warning(self, line: str) -> None:
        self.lines.append(line)


def test_records_arrive_as_they_were_and_what_is_none_is_said() -> None:
    node, got = Subscriber(), []
    topic, deliver = subscribe_records(node, "verdict", Verdict, got.append, qos.RECORD,
                                       rate_hz=60.0)
    sent = Verdict.unreadable(0.5)
    deliver(serialize_message(messages.to_scalars(sent)), {"publication_sequence_number": 1})
    deliver(serialize_message(JointState()), {"publication_sequence_number": 2})
    assert topic == "verdict"
    assert [repr(record) for record in got] == [repr(sent)]
    [line] = node.lines
    assert line.startswith("verdict: 1 message(s) refused; the newest: not a Verdict message")
