"""Bytes that we write and read ourselves say what the middleware's own messages say."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
from alike import same
from core.messages.test_wire import KINDS, records_of
from hypothesis import given
from hypothesis import strategies as st
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import Image, JointState, Joy

from realtime_rl.core.messages import cdr
from realtime_rl.core.messages.joy_wire import JoyValues
from realtime_rl.core.messages.observation_cdr import PartCodec
from realtime_rl.core.messages.wire import WireError
from realtime_rl.core.observations import ObservationSpec
from realtime_rl.ros import messages

STAMP_NS = 1_700_000_000_123_456_789
FRAMES = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)
JOYS = st.builds(JoyValues, st.integers(0, 2**31 * 10**9 - 1), FRAMES,
                 st.lists(st.floats(-1, 1, width=32), max_size=9).map(tuple),
                 st.lists(st.integers(-2**31, 2**31 - 1), max_size=12).map(tuple))
PARTS = (ObservationSpec((1, 5, 7), "uint8", 0, 255), ObservationSpec((3, 4, 6), "uint8", 0, 255),
         ObservationSpec((2, 3), "float32", -1, 1), ObservationSpec((300,), "float32", -1, 1))


def outcome(read: Any, *given: Any) -> object:
    """What reading gives, or why it gives nothing."""
    try:
        return read(*given)
    except WireError:
        return WireError


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_a_record_is_written_as_the_middleware_writes_it_and_comes_back(kind: type, data: Any
                                                                        ) -> None:
    record = data.draw(records_of(kind))
    written = messages.serialized(record)
    message = deserialize_message(written, JointState)
    assert message == messages.to_scalars(record) or same(
        messages.from_scalars(kind, message), record)
    codec = cdr.RecordCodec(kind)
    assert codec.read(written) is None, "nothing is known of how others write"
    codec.learn(written, record)
    again = codec.read(written)
    assert again is not None and same(again, record)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_damaged_bytes_are_read_as_the_middleware_reads_them_or_left_to_it(kind: type, data: Any
                                                                           ) -> None:
    record = data.draw(records_of(kind))
    written = bytearray(messages.serialized(record))
    codec = cdr.RecordCodec(kind)
    codec.learn(bytes(written), record)
    place = data.draw(st.integers(0, len(written) - 1))
    written[place] = data.draw(st.integers(0, 255))
    found = outcome(codec.read, bytes(written))
    if found is None:
        return
    theirs = outcome(lambda: messages.from_scalars(
        kind, messages.deserialize(bytes(written), JointState)))
    assert found is theirs or same(found, theirs)


@given(record=records_of(KINDS[0]))
def test_a_foreign_layout_is_read_by_the_middleware(record: Any) -> None:
    kind = KINDS[0]
    message = messages.to_scalars(record)
    order = [*range(len(message.name))][::-1]
    turned = JointState(header=message.header, name=[message.name[i] for i in order],
                        position=[message.position[i] for i in order])
    data = serialize_message(turned)
    for _ in range(2):
        assert same(messages.to_record(kind, data), record)


@given(joy=JOYS)
def test_a_gamepad_message_is_the_middlewares(joy: JoyValues) -> None:
    written = cdr.write_joy(joy)
    assert messages.from_joy(deserialize_message(written, Joy)) == joy
    assert cdr.read_joy(written) == joy


@pytest.mark.parametrize("stamp", [(2**31 - 1, 2**32 - 1), (-1, 0), (5, 10**9), (-2**31, 2**31)])
def test_a_gamepad_message_with_no_stamp_is_refused(stamp: tuple[int, int]) -> None:
    written = bytearray(cdr.write_joy(JoyValues(STAMP_NS, "f", (0.5,), (1,))))
    written[4:12] = struct.pack("<iI", *stamp)
    assert cdr.read_joy(bytes(written)) is None
    with pytest.raises(WireError, match="not a stamp"):
        messages.to_joy_values(bytes(written))


@given(joy=JOYS, place=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_damaged_gamepad_message_is_read_as_the_middlewares_or_left_to_it(
        joy: JoyValues, place: int, byte: int) -> None:
    written = bytearray(cdr.write_joy(joy))
    written[place % len(written)] = byte
    found = cdr.read_joy(bytes(written))
    if found is None:
        return
    assert found == messages.from_joy(messages.deserialize(bytes(written), Joy))


@pytest.mark.parametrize("part", PARTS, ids=str)
@given(data=st.data())
def test_a_part_of_an_observation_is_the_middlewares(part: ObservationSpec, data: Any) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    value = (rng.integers(0, 256, part.shape, np.uint8) if part.is_image
             else rng.uniform(-1, 1, part.shape).astype(np.float32))
    frame, codec = data.draw(FRAMES), PartCodec(part)
    written = codec.write(value, STAMP_NS, frame)
    message = deserialize_message(written, Image if part.is_image else JointState)
    assert message == messages.to_observation(value, part, STAMP_NS, frame)
    read = codec.read(written)
    assert read is not None
    assert (read.stamp_ns, read.frame_id) == (STAMP_NS, frame)
    assert np.array_equal(read.value, value) and read.value.dtype == part.dtype
    damaged = bytearray(written)
    damaged[data.draw(st.integers(0, len(written) - 1))] ^= data.draw(st.integers(1, 255))
    found = codec.read(bytes(damaged))
    if found is None:
        return
    theirs = messages.deserialize(bytes(damaged), messages.observation_type(part))
    assert found.stamp_ns == messages.to_ns(theirs.header.stamp)
    assert np.array_equal(found.value, messages.from_observation(theirs, part), equal_nan=True)
