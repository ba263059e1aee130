"""A part of an observation as the bytes that travel (CDR), without a message object in between.

As `cdr` for records: what is laid out otherwise is left to the middleware's own reading.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np

from realtime_rl.core.messages import observation_wire
from realtime_rl.core.messages.cdr import LITTLE_ENDIAN, NO_MORE, header, text
from realtime_rl.core.observations import Observation, ObservationSpec

_BEGIN = struct.Struct("<iII")
_BEGIN_AT, _FRAME_AT = 4, 16
_SECOND_NS = 1_000_000_000


class Part(NamedTuple):
    """What a message says of one part at one tick."""

    stamp_ns: int
    frame_id: str
    value: Observation
    """Read-only."""


class PartCodec:
    """Writes and reads one part of a plant's observations."""

    def __init__(self, part: ObservationSpec) -> None:
        """Lay out what stands between the frame and the values of `part`."""
        self.part = part
        self._image = part.is_image
        self._count = int(np.prod(part.shape))
        if self._image:
            channels, height, width = part.shape
            self._between = struct.pack("<II", height, width) \
                + text(observation_wire.ENCODINGS[channels])[:10] + bytes(2) \
                + struct.pack("<II", width * channels, self._count)
        else:
            names = observation_wire.value_names(part)
            self._between = struct.pack("<I", len(names)) + b"".join(map(text, names)) \
                + struct.pack("<I", self._count)

    def write(self, value: Observation, stamp_ns: int, frame_id: str) -> bytes:
        """Write a part of shape `part.shape` as an `Image` or a `JointState`."""
        begin = header(stamp_ns, text(frame_id)) + self._between
        if self._image:
            return begin + observation_wire.interleaved(value).tobytes()
        return begin + self._padding(len(begin)) + np.asarray(value, np.float64).tobytes() + NO_MORE

    def read(self, data: bytes) -> Part | None:
        """Read a serialized message laid out as `write` does; `None` for what is not."""
        try:
            seconds, nanoseconds, length = _BEGIN.unpack_from(data, _BEGIN_AT)
            frame_id = data[_FRAME_AT:_FRAME_AT - 1 + length].decode("ascii")
        except (struct.error, UnicodeDecodeError):
            return None
        if seconds < 0 or nanoseconds >= _SECOND_NS or "\0" in frame_id:
            return None
        at = _FRAME_AT + length + -length % 4
        between, end, size = self._between, b"", self._count
        if not self._image:
            between += self._padding(at + len(between))
            end, size = NO_MORE, 8 * size
        values_at = at + len(between)
        if not length or data[:_BEGIN_AT] != LITTLE_ENDIAN \
                or data[_FRAME_AT - 1 + length:at] != bytes(1 + -length % 4) \
                or data[at:values_at] != between or data[values_at + size:] != end \
                or len(data) != values_at + size + len(end):
            return None
        return Part(seconds * _SECOND_NS + nanoseconds, frame_id, self._values(data, values_at))

    def _values(self, data: bytes, at: int) -> Observation:
        part = self.part
        if not self._image:
            return observation_wire.vector(np.frombuffer(data, "<f8", self._count, at), part)
        channels, height, width = part.shape
        pixels = np.frombuffer(data, np.uint8, self._count, at)
        if channels == 1:
            return pixels.reshape(part.shape)
        return np.ascontiguousarray(pixels.reshape(height, width, channels).transpose(2, 0, 1))

    @staticmethod
    def _padding(length: int) -> bytes:
        """Return what aligns the float64 that follow `length` bytes."""
        return bytes(-(length - len(LITTLE_ENDIAN)) % 8)
