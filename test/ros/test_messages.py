"""ROS messages to and from plain values."""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
import pytest
from alike import same
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_rl.core.messages.joy_wire import JoyValues, decode_action, encode_action
from realtime_rl.core.messages.records import ActionMessage, ScheduleRecord, Timestep, Verdict
from realtime_rl.core.messages.wire import WireError
from realtime_rl.core.observations import ObservationSpec
from realtime_rl.core.types import ActionSpace, Cause

pytest.importorskip("rclpy", reason="the ROS 2 message packages are not installed")
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import Image, JointState, Joy

from realtime_rl.bags import messages as bag_messages
from realtime_rl.bags.messages import observed_from_cdr
from realtime_rl.ros import messages

IMAGE = ObservationSpec((1, 3, 4), "uint8", 0.0, 255.0)
VECTOR = ObservationSpec((2, 3), "float32", -1.0, 1.0)
SPACE = ActionSpace(("v", "w"), (0.0, 0.0), (-1.0, -0.1), (1.0, 0.1))


def sent(message: Any) -> Any:
    """The message as a subscriber gets it."""
    return deserialize_message(serialize_message(message), type(message))


@given(st.integers(0, 2**31 * 10**9 - 1))
def test_stamps_are_exact_to_the_nanosecond(stamp_ns: int) -> None:
    time = messages.to_time(stamp_ns)
    assert 0 <= time.nanosec < 10**9
    assert messages.to_ns(time) == stamp_ns


def test_a_record_survives_the_journey() -> None:
    step = Timestep(1_700_000_000_123_456_789, 7, 16_742_706, 0.0001, False, 2, -1.5, 1.0, False,
                    True, Cause.POLICY, 3, 17, 1, (0.25, -0.1), "catch")
    message = sent(messages.to_scalars(step))
    assert isinstance(message, JointState)
    assert message.header.frame_id == "plant=catch counted="
    assert len(message.name) == len(message.position)
    assert same(messages.from_scalars(Timestep, message), step)


def test_what_is_not_known_survives_as_well() -> None:
    verdict = Verdict.defaulted(9)
    read = messages.from_scalars(Verdict, sent(messages.to_scalars(verdict)))
    assert math.isnan(read.arrival_s)
    assert repr(read) == repr(verdict)


def test_another_kind_of_message_is_refused() -> None:
    verdict = Verdict.unreadable(0.0)
    with pytest.raises(WireError, match="not a ScheduleRecord message"):
        messages.from_scalars(ScheduleRecord, messages.to_scalars(verdict))
    with pytest.raises(WireError, match="not a Verdict message"):
        messages.from_scalars(Verdict, JointState(name=["arm"], position=[0.5]))


@pytest.mark.parametrize("action", [(1.0, 0.1), (-1.0, -0.1), (0.3, 0.05)])
def test_an_action_arrives_within_its_limits(action: tuple[float, ...]) -> None:
    """`Joy` carries float32, in which 0.1 is more than 0.1."""
    values = encode_action(ActionMessage(5, 4, 10, 1, 7, 2, action), SPACE)
    message = sent(messages.to_joy(values))
    assert isinstance(message, Joy)
    read = decode_action(messages.from_joy(message), SPACE)
    assert (read.stamp_ns, read.tick, read.due_tick, read.worker) == (5, 4, 10, 1)
    assert read.action == struct.unpack("2f", struct.pack("2f", *action))
    assert SPACE.problem(read.action) is None


def test_axes_and_buttons() -> None:
    values = JoyValues(2_000_000_001, "a=1", (0.5, -1.0), (0, 1, 7))
    message = messages.to_joy(values)
    assert (message.header.stamp.sec, message.header.stamp.nanosec) == (2, 1)
    assert messages.from_joy(sent(message)) == values


def test_an_image_is_mono8() -> None:
    value = np.arange(12, dtype=np.uint8).reshape(1, 3, 4)
    message = sent(messages.to_observation(value, IMAGE, 5, "tick=1"))
    assert isinstance(message, messages.observation_type(IMAGE))
    assert (message.encoding, message.height, message.width, message.step) == ("mono8", 3, 4, 4)
    assert (messages.to_ns(message.header.stamp), message.header.frame_id) == (5, "tick=1")
    read = messages.from_observation(message, IMAGE)
    assert read.dtype == np.uint8
    assert np.array_equal(read, value)


def test_an_image_need_not_be_contiguous() -> None:
    value = np.arange(24, dtype=np.uint8).reshape(1, 3, 8)[:, :, ::2]
    assert np.array_equal(
        messages.from_observation(messages.to_observation(value, IMAGE, 0, ""), IMAGE), value)


@settings(max_examples=30)
@given(st.lists(st.floats(width=32, allow_nan=False), min_size=6, max_size=6))
def test_a_vector_is_exact(values: list[float]) -> None:
    value = np.array(values, np.float32).reshape(2, 3)
    message = sent(messages.to_observation(value, VECTOR, 5, "tick=1"))
    assert isinstance(message, messages.observation_type(VECTOR))
    assert message.name == [f"observation.{index}" for index in range(6)]
    read = messages.from_observation(message, VECTOR)
    assert read.dtype == np.float32
    assert np.array_equal(read, value)


def image(height: int = 3, width: int = 4, encoding: str = "mono8", size: int = 12) -> Image:
    return Image(height=height, width=width, encoding=encoding, step=width, data=bytes(size))


@pytest.mark.parametrize(("step", "said"), [(4, 4), (7, 7), (4, 0)])
def test_rows_may_be_padded(step: int, said: int) -> None:
    """Live as from a bag; 0 is what a careless driver says."""
    value = np.arange(12, dtype=np.uint8).reshape(1, 3, 4)
    padded = np.full((3, step), 255, np.uint8)
    padded[:, :4] = value[0]
    message = Image(height=3, width=4, encoding="mono8", step=said, data=padded.tobytes())
    assert np.array_equal(messages.from_observation(sent(message), IMAGE), value)
    recorded = observed_from_cdr(serialize_message(message), bag_messages.IMAGE, 0)
    assert np.array_equal(recorded.value, value)


@pytest.mark.parametrize(("message", "spec"), [
    (image(size=11), IMAGE), (image(4, 3), IMAGE), (image(2, 6), IMAGE),
    (Image(height=3, width=4, encoding="mono8", step=3, data=bytes(9)), IMAGE),
    (Image(height=3, width=4, encoding="mono8", step=0, data=b""), IMAGE),
    (image(encoding="rgb8"), IMAGE), (image(6, 8, size=48), IMAGE),
    (image(3, 4, size=12), ObservationSpec((12,), "uint8", 0.0, 255.0)),
    (JointState(position=[0.0] * 5), VECTOR), (JointState(), VECTOR)])
def test_an_observation_of_another_shape_is_refused(message: Image | JointState,
                                                    spec: ObservationSpec) -> None:
    with pytest.raises(WireError, match="expected"):
        messages.from_observation(message, spec)
