"""Serialized ROS messages (CDR) to and from plain values, by `rosbags`' own types.

Bytes that are not such a message are a `WireError`, as a wrong layout of it is.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.errors import MissingDependencyError
from realtime_rl.core.messages.joy_wire import JoyValues
from realtime_rl.core.messages.observation_wire import ENCODINGS, interleaved, pixels
from realtime_rl.core.messages.wire import NamedScalars, WireError, stamp

try:
    from rosbags.typesys import Stores, get_typestore
    from rosbags.typesys.store import Typestore
except ImportError as missing:
    raise MissingDependencyError("rosbags", "bags", missing) from missing

SCALARS = "sensor_msgs/msg/JointState"
JOY = "sensor_msgs/msg/Joy"
TEXT = "std_msgs/msg/String"
IMAGE = "sensor_msgs/msg/Image"
_SECOND_NS = 1_000_000_000
_BIG_ENDIAN, _LITTLE_ENDIAN = b"\x00\x00", b"\x00\x01"
_ENCAPSULATION_BYTES = 4
_STAMP_BYTES = 8


@dataclass(frozen=True, slots=True)
class Observed:
    """One recorded part of an observation."""

    receive_ns: int
    stamp_ns: int
    """Identity of its tick."""
    frame_id: str
    """`key=value` words: plant, tick, first."""
    value: NDArray[np.generic]
    """An image `(1 or 3, height, width)` uint8, or a vector `(size,)` float64; read-only."""
    names: tuple[str, ...] = ()
    """What a vector's values are called, where that is said."""


@cache
def typestore() -> Typestore:
    """The message types of ROS 2 Jazzy, which are those of every supported distribution here."""
    return get_typestore(Stores.ROS2_JAZZY)


def scalars_from_cdr(data: bytes) -> NamedScalars:
    """Read a `sensor_msgs/JointState`; `WireError` when it is none."""
    message = _read(data, SCALARS)
    return NamedScalars(_stamp_ns(message), message.header.frame_id, tuple(message.name),
                        tuple(message.position.tolist()))


@dataclass(frozen=True, slots=True)
class ScalarsLayout:
    """Where in a serialized `sensor_msgs/JointState` its numbers lie."""

    significant: NDArray[np.uint8]
    """All bits of each byte that says what the message is; none of its stamp and numbers, nor of
    what lies between fields and after them, which is arbitrary."""
    values_at: int
    """Where its positions begin, as float64, little-endian."""


def scalars_layout(data: bytes) -> ScalarsLayout | None:
    """Say how a message that `scalars_from_cdr` reads is laid out; `None`: not as usual."""
    if data[:2] != _LITTLE_ENDIAN:
        return None
    walk = _Walk(data)
    walk.at = _ENCAPSULATION_BYTES + _STAMP_BYTES
    try:
        walk.take(walk.count())
        for _ in range(walk.count()):
            walk.take(walk.count())
        count = walk.count()
        walk.align(8)
        values_at = walk.at
        walk.at += 8 * count
        empty = walk.count() == 0 and walk.count() == 0
    except struct.error:
        return None
    return ScalarsLayout(walk.significant, values_at) if count and empty else None


class _Walk:
    """Goes over a serialized message, and notes which bytes say what it is."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.significant = np.zeros(len(data), np.uint8)
        self.significant[:2] = 0xff

    def align(self, size: int) -> None:
        self.at += -(self.at - _ENCAPSULATION_BYTES) % size

    def count(self) -> int:
        """Read the length of what follows; `struct.error`."""
        self.align(4)
        (count,) = struct.unpack_from("<I", self.data, self.at)
        self.take(4)
        return int(count)

    def take(self, size: int) -> None:
        self.significant[self.at:self.at + size] = 0xff
        self.at += size


def scalars_to_cdr(scalars: NamedScalars) -> bytes:
    """Write named scalars as a `sensor_msgs/JointState`."""
    empty = np.zeros(0)
    return _write(SCALARS, header=_header(scalars.stamp_ns, scalars.frame_id),
                  name=list(scalars.names), position=np.array(scalars.values, np.float64),
                  velocity=empty, effort=empty)


def joy_from_cdr(data: bytes) -> JoyValues:
    """Read a `sensor_msgs/Joy`; `WireError` when it is none."""
    message = _read(data, JOY)
    return JoyValues(_stamp_ns(message), message.header.frame_id,
                     tuple(message.axes.tolist()), tuple(message.buttons.tolist()))


def joy_to_cdr(joy: JoyValues) -> bytes:
    """Write axes and buttons as a `sensor_msgs/Joy`."""
    return _write(JOY, header=_header(joy.stamp_ns, joy.frame_id),
                  axes=np.array(joy.axes, np.float32), buttons=np.array(joy.buttons, np.int32))


def text_from_cdr(data: bytes) -> str:
    """Read a `std_msgs/String`; `WireError` when it is none."""
    return str(_read(data, TEXT).data)


def text_to_cdr(text: str) -> bytes:
    """Write a `std_msgs/String`."""
    return _write(TEXT, data=text)


def observed_from_cdr(data: bytes, kind: str, receive_ns: int) -> Observed:
    """Read an observation of message type `kind`; `WireError` when it is none."""
    if kind not in (IMAGE, SCALARS):
        raise WireError(f"an observation is {IMAGE!r} or {SCALARS!r}, not {kind!r}")
    message = _read(data, kind)
    value = message.position if kind == SCALARS else np.array(pixels(
        message.data, message.encoding, (message.height, message.width), message.step))
    value.flags.writeable = False
    return Observed(receive_ns, _stamp_ns(message), message.header.frame_id, value,
                    tuple(message.name) if kind == SCALARS else ())


def image_to_cdr(stamp_ns: int, frame_id: str, image: NDArray[np.uint8]) -> bytes:
    """Write an image `(1 or 3, height, width)` uint8 as a `sensor_msgs/Image`."""
    channels, height, width = image.shape
    return _write(IMAGE, header=_header(stamp_ns, frame_id), height=height, width=width,
                  encoding=ENCODINGS[channels], is_bigendian=0, step=width * channels,
                  data=interleaved(image).reshape(-1))


def _read(data: bytes, kind: str) -> Any:  # noqa: ANN401 - rosbags makes its classes
    """Deserialize; bytes that follow the message are allowed.

    `rclpy.serialization.serialize_message` leaves some, and `Typestore.deserialize_cdr` refuses
    them.
    """
    if data[:2] not in (_BIG_ENDIAN, _LITTLE_ENDIAN):
        raise WireError(f"not a serialized {kind}: its encapsulation is {bytes(data[:2])!r}")
    definition: Any = typestore().get_msgdef(kind)
    read = (definition.deserialize_cdr_le if data[:2] == _LITTLE_ENDIAN
            else definition.deserialize_cdr_be)
    try:
        message, _ = read(data[_ENCAPSULATION_BYTES:], 0, definition.cls, typestore())
    except Exception as error:  # generated code; it fails in as many ways as bytes can be wrong
        raise WireError(f"not a serialized {kind}: {error!r}") from error
    return message


def _write(kind: str, **fields: object) -> bytes:
    message: Any = typestore().types[kind]
    return bytes(typestore().serialize_cdr(message(**fields), kind))


def _header(stamp_ns: int, frame_id: str) -> object:
    types: Any = typestore().types
    stamp = types["builtin_interfaces/msg/Time"](sec=stamp_ns // _SECOND_NS,
                                                 nanosec=stamp_ns % _SECOND_NS)
    return types["std_msgs/msg/Header"](stamp=stamp, frame_id=frame_id)


def _stamp_ns(message: Any) -> int:  # noqa: ANN401 - rosbags makes its classes
    return stamp(message.header.stamp.sec, message.header.stamp.nanosec)
