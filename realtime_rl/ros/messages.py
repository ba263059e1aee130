"""ROS messages to and from the plain values of `core.messages.wire`."""

from __future__ import annotations

import array
from typing import Any, TypeVar

import numpy as np
from builtin_interfaces.msg import Time
from numpy.typing import NDArray
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Image, JointState, Joy

from realtime_rl.core.messages import cdr, joy_wire, observation_wire, wire
from realtime_rl.core.messages.observation_cdr import Part, PartCodec
from realtime_rl.core.observations import Observation, ObservationSpec

Record = TypeVar("Record")
_SECOND_NS = 1_000_000_000


def to_time(stamp_ns: int) -> Time:
    """Nanoseconds as a ROS time."""
    return Time(sec=stamp_ns // _SECOND_NS, nanosec=stamp_ns % _SECOND_NS)


def to_ns(stamp: Time) -> int:
    """A ROS time as nanoseconds; `WireError` where it is none."""
    return wire.stamp(stamp.sec, stamp.nanosec)


def to_scalars(record: Any) -> JointState:  # noqa: ANN401 - any record of core.messages.records
    """A record as named scalars."""
    scalars = wire.encode(record)
    message = JointState(name=list(scalars.names), position=array.array("d", scalars.values))
    message.header.stamp = to_time(scalars.stamp_ns)
    message.header.frame_id = scalars.frame_id
    return message


def from_scalars(kind: type[Record], message: JointState) -> Record:
    """Named scalars as a record of type `kind`; `WireError` when they are none."""
    return wire.decode(kind, wire.NamedScalars(
        to_ns(message.header.stamp), message.header.frame_id, tuple(message.name),
        tuple(message.position)))


def deserialize(data: bytes, kind: type) -> Any:  # noqa: ANN401 - a message of that type
    """Read a serialized message; `WireError` when it is none."""
    try:
        return deserialize_message(data, kind)
    except RuntimeError as error:  # of the middleware, whatever is wrong with the bytes
        raise wire.WireError(f"{len(data)} bytes that are no {kind.__name__}") from error


def serialized(record: Any) -> bytes:  # noqa: ANN401 - any record of core.messages.records
    """A record as a serialized `JointState`, for a publisher of such."""
    kind: type = type(record)
    return cdr.codec_of(kind).write(record)


def to_record(kind: type[Record], data: bytes) -> Record:
    """A serialized `JointState` as a record of type `kind`; `WireError` when it is none."""
    layout: type = kind
    codec: cdr.RecordCodec[Record] = cdr.codec_of(layout)
    record = codec.read(data)
    if record is None:
        record = from_scalars(kind, deserialize(data, JointState))
        codec.learn(data, record)
    return record


def to_joy_values(data: bytes) -> joy_wire.JoyValues:
    """A serialized `Joy` as its values; `WireError` when it is none."""
    values = cdr.read_joy(data)
    return from_joy(deserialize(data, Joy)) if values is None else values


def to_joy(values: joy_wire.JoyValues) -> Joy:
    """Axes and buttons as a message."""
    message = Joy(axes=array.array("f", values.axes), buttons=array.array("i", values.buttons))
    message.header.stamp = to_time(values.stamp_ns)
    message.header.frame_id = values.frame_id
    return message


def from_joy(message: Joy) -> joy_wire.JoyValues:
    """A message's axes and buttons; `WireError` where its stamp is no time."""
    return joy_wire.JoyValues(to_ns(message.header.stamp), message.header.frame_id,
                              tuple(message.axes), tuple(message.buttons))


def observation_type(part: ObservationSpec) -> type:
    """The message type of this part of an observation."""
    return Image if part.is_image else JointState


def to_observation(value: Observation, part: ObservationSpec, stamp_ns: int,
                   frame_id: str) -> Image | JointState:
    """A part of an observation, of shape `part.shape`, as a message."""
    message: Image | JointState
    if part.is_image:
        channels, height, width = part.shape
        # assigning bytes would check every element in Python (rosidl_python#156)
        message = Image(height=height, width=width, encoding=observation_wire.ENCODINGS[channels],
                        step=width * channels,
                        data=array.array("B", observation_wire.interleaved(value).tobytes()))
    else:
        flat = np.asarray(value, np.float64).ravel()
        message = JointState(name=list(observation_wire.value_names(part)),
                             position=array.array("d", flat.tobytes()))
    message.header.stamp = to_time(stamp_ns)
    message.header.frame_id = frame_id
    return message


def from_observation(message: Image | JointState, part: ObservationSpec) -> NDArray[np.generic]:
    """A message's part of an observation, of shape `part.shape`; `WireError` if it does not fit."""
    if isinstance(message, Image):
        size = (message.height, message.width)
        encoding = observation_wire.ENCODINGS.get(part.shape[0])
        if (message.encoding, size) != (encoding, part.shape[1:]):
            raise wire.WireError(f"image {message.encoding}[{message.height},{message.width}], "
                                 f"expected {part} as {encoding}")
        return observation_wire.pixels(np.frombuffer(message.data, np.uint8), message.encoding,
                                       size, message.step)
    observation_wire.check_names(message.name, part)
    return observation_wire.vector(np.asarray(message.position, np.float64), part)


def to_part(codec: PartCodec, data: bytes) -> Part:
    """A serialized message as a part of an observation; `WireError` if it does not fit."""
    found = codec.read(data)
    if found is not None:
        return found
    message = deserialize(data, observation_type(codec.part))
    return Part(to_ns(message.header.stamp), message.header.frame_id,
                from_observation(message, codec.part))
