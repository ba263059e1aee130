from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from alike import same
from handmade import defaulted, inference, learning, schedule, step, verdict

from realtime_rl.bags import messages
from realtime_rl.core.messages import wire
from realtime_rl.core.messages.joy_wire import JoyValues
from realtime_rl.core.messages.wire import NamedScalars, WireError

RECORDS = [step(3, action=(0.25, -1.5)), verdict(4), defaulted(5),
           inference(6, swap_s=0.07, emulated="lognormal:215ms,cv=0.05"),
           schedule(2, active=(4, 1, 7)), learning(10**6)]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_every_record_survives_real_cdr(record: Any) -> None:
    cdr = messages.scalars_to_cdr(wire.encode(record))
    assert same(wire.decode(type(record), messages.scalars_from_cdr(cdr)), record)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_ros_itself_writes_and_reads_the_same(record: Any) -> None:
    serialization = pytest.importorskip("rclpy.serialization", reason="rclpy is not installed")
    joint_state = pytest.importorskip("sensor_msgs.msg").JointState
    scalars = wire.encode(record)
    message = joint_state(name=list(scalars.names), position=list(scalars.values))
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(scalars.stamp_ns, 10**9)
    message.header.frame_id = scalars.frame_id
    # not byte by byte: what lies between aligned fields is arbitrary
    theirs = messages.scalars_from_cdr(serialization.serialize_message(message))
    assert same(theirs, scalars)
    ours = serialization.deserialize_message(messages.scalars_to_cdr(scalars), joint_state)
    assert same(ours, message)


def test_a_nan_and_a_large_integer_survive() -> None:
    scalars = NamedScalars(1_760_000_000_123_456_789, "a=b", ("x", "y"), (math.nan, 2.0**53 - 1))
    again = messages.scalars_from_cdr(messages.scalars_to_cdr(scalars))
    assert again.stamp_ns == scalars.stamp_ns
    assert math.isnan(again.values[0])
    assert again.values[1] == 2.0**53 - 1


def test_joy_and_text() -> None:
    joy = JoyValues(12, "cause=policy", (0.5, -1.0), (1, 0, 1))
    assert messages.joy_from_cdr(messages.joy_to_cdr(joy)) == joy
    assert messages.text_from_cdr(messages.text_to_cdr("file:///ü.onnx")) == "file:///ü.onnx"


def test_observations_of_both_kinds() -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(1, 3, 4)
    image = messages.observed_from_cdr(messages.image_to_cdr(5, "tick=1", pixels),
                                       messages.IMAGE, 7)
    assert (image.receive_ns, image.stamp_ns, image.frame_id) == (7, 5, "tick=1")
    assert np.array_equal(image.value, pixels)
    assert image.value.dtype == np.uint8
    cdr = messages.scalars_to_cdr(NamedScalars(5, "tick=1", ("a", "b"), (0.5, -2.0)))
    vector = messages.observed_from_cdr(cdr, messages.SCALARS, 7)
    assert vector.value.tolist() == [0.5, -2.0]
    for observed in (image, vector):
        with pytest.raises(ValueError, match="read-only"):
            observed.value[...] = 0


@pytest.mark.parametrize("data", [b"", b"\x00\x01\x00\x00", b"\x00\x01\x00\x00" + b"\xff" * 40,
                                  b"garbage of no kind"])
def test_bytes_that_are_no_message(data: bytes) -> None:
    for read in (messages.scalars_from_cdr, messages.joy_from_cdr, messages.text_from_cdr):
        with pytest.raises(WireError, match="not a serialized"):
            read(data)


def test_other_observations_are_refused() -> None:
    with pytest.raises(WireError, match="not 'std_msgs/msg/String'"):
        messages.observed_from_cdr(b"", messages.TEXT, 0)
