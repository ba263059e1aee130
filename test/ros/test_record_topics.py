"""A topic of records gives records to its handler, and says what is none."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
from rclpy.serialization import serialize_message
from sensor_msgs.msg import JointState

from realtime_rl.core.messages.records import Verdict
from realtime_rl.ros import messages, qos
from realtime_rl.ros.record_topics import overhear_records, subscribe_records


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


def test_those_of_a_process_who_watch_a_topic_share_what_is_read() -> None:
    node, got = Subscriber(), []
    sent = [Verdict.unreadable(0.25), Verdict.unreadable(0.75)]
    watching = [overhear_records(node, "verdict", Verdict, lambda record, at: got.append(record),
                                 qos.RECORD, rate_hz=60.0) for _ in range(2)]
    for _, deliver in watching:
        for number, record in enumerate(sent):
            deliver(messages.serialized(record), {"publication_sequence_number": number,
                                                  "received_timestamp": 0})
        deliver(serialize_message(JointState()), {"publication_sequence_number": 2,
                                                  "received_timestamp": 0})
    assert [repr(record) for record in got] == [repr(record) for record in sent] * 2
    assert got[0] is got[2] and got[1] is got[3]
    assert len(node.lines) == 2  # what is none is said by each
