"""Records as the bytes that travel (CDR), without a message object in between.

A record's message is the same from one tick to the next, but for its stamp and its numbers: what
stands between those is made once. What is laid out otherwise, as by a foreign bridge, is not known
here, and is left to the middleware's own reading.
"""

from __future__ import annotations

import enum
import functools
import operator
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from realtime_rl.core.messages import wire
from realtime_rl.core.messages.joy_wire import JoyValues
from realtime_rl.core.messages.record_fields import Field, fields_of
from realtime_rl.core.messages.wire import NamedScalars

Record = TypeVar("Record")
LITTLE_ENDIAN = b"\x00\x01\x00\x00"
"""How a serialized message begins; what follows is aligned from there on."""
_BEGIN = struct.Struct("<iI")
_STAMP_AT, _TEXT_AT = 4, 12
_SECOND_NS = 1_000_000_000
_BEGIN_OF_JOY, _COUNT = struct.Struct("<iII"), struct.Struct("<I")
NO_MORE = bytes(8)
"""Neither velocities nor efforts."""
_MOST_FORMS = 64


def text(value: str) -> bytes:
    """Write a string: its length, itself, a zero, and what aligns the next number."""
    data = value.encode("utf-8", "surrogateescape") + b"\0"
    return struct.pack("<I", len(data)) + data + bytes(-len(data) % 4)


def header(stamp_ns: int, frame: bytes) -> bytes:
    """Write how a message begins: its stamp, and its `frame_id` as `text` wrote it."""
    seconds, nanoseconds = divmod(stamp_ns, _SECOND_NS)
    return LITTLE_ENDIAN + _BEGIN.pack(seconds, nanoseconds) + frame


@dataclass(frozen=True, slots=True)
class _Form:
    """Messages that say the same, but for their stamp and numbers."""

    between: bytes
    """From the frame on up to the numbers."""
    numbers: struct.Struct
    texts: dict[str, str]
    counts: tuple[int, ...]
    """Items of each list."""


class RecordCodec(Generic[Record]):
    """Writes and reads records of one kind."""

    def __init__(self, kind: type[Record]) -> None:
        """Learn how `kind` is laid out."""
        self._kind: Callable[..., Record] = kind
        layout: type = kind
        fields = dict(fields_of(layout))
        self._stamp = fields.pop("stamp_ns")
        self._texts = tuple(name for name, field in fields.items() if field.kind is str)
        self._lists = tuple((name, _convert(name, field)) for name, field in fields.items()
                            if field.listed)
        """They come after the scalars."""
        self._scalars = tuple(name for name, field in fields.items()
                              if field.kind is not str and not field.listed)
        self._converts = [(name, _convert(name, fields[name])) for name in self._scalars]
        self._get = operator.attrgetter(*self._scalars)
        self._get_texts: Callable[[Any], object] = (
            operator.attrgetter(*self._texts) if self._texts else lambda record: ())
        self._written: dict[tuple[object, tuple[int, ...]], _Form] = {}
        self._read: dict[int, _Form] = {}
        """By the length of the message."""

    def write(self, record: Record) -> bytes:
        """Write a record as a serialized `sensor_msgs/JointState`."""
        values = self._get(record)
        counts: tuple[int, ...] = ()
        for name, _ in self._lists:
            items = getattr(record, name)
            values += items
            counts += (len(items),)
        texts = self._get_texts(record)
        form = self._written.get((texts, counts))
        if form is None:
            form = self._form(record)
            if len(self._written) >= _MOST_FORMS:
                self._written.clear()
            self._written[texts, counts] = form
        stamp_ns: int = record.stamp_ns  # type: ignore[attr-defined]
        return header(stamp_ns, form.between) + form.numbers.pack(*values) + NO_MORE

    def read(self, data: bytes) -> Record | None:
        """Read a record; `None` where the message is not laid out as any that is known.

        `WireError` for a value that is not allowed, as `wire.decode`.
        """
        form = self._read.get(len(data))
        if form is None or data[:_STAMP_AT] != LITTLE_ENDIAN \
                or data[_TEXT_AT:_TEXT_AT + len(form.between)] != form.between \
                or data[-len(NO_MORE):] != NO_MORE:
            return None
        seconds, nanoseconds = _BEGIN.unpack_from(data, _STAMP_AT)
        values = form.numbers.unpack_from(data, _TEXT_AT + len(form.between))
        try:
            read = {name: convert(value)
                    for (name, convert), value in zip(self._converts, values)}  # noqa: B905
            at = len(self._converts)
            for (name, convert), count in zip(self._lists, form.counts, strict=True):
                read[name] = tuple([convert(value) for value in values[at:at + count]])
                at += count
            read["stamp_ns"] = self._stamp.check("stamp_ns", wire.stamp(seconds, nanoseconds))
        except (ValueError, OverflowError) as error:
            kind: type = self._kind  # type: ignore[assignment]
            raise wire.WireError(f"not a {kind.__name__} message: field {error}") from error
        return self._kind(**read, **form.texts)

    def learn(self, data: bytes, record: Record) -> None:
        """Remember how a message was laid out that was read otherwise, if it is as ours are."""
        if self.write(record) == data:
            if len(self._read) >= _MOST_FORMS:
                self._read.clear()
            self._read[len(data)] = self._form(record)

    def _form(self, record: Record) -> _Form:
        scalars: NamedScalars = wire.encode(record)
        values = len(scalars.values)
        between = text(scalars.frame_id) + struct.pack("<I", len(scalars.names)) \
            + b"".join(map(text, scalars.names)) + struct.pack("<I", values)
        between += bytes(-(_TEXT_AT - _STAMP_AT + len(between)) % 8)
        return _Form(between, struct.Struct(f"<{values}d"),
                     {name: getattr(record, name) for name in self._texts},
                     tuple(len(getattr(record, name)) for name, _ in self._lists))


def _convert(name: str, field: Field) -> Callable[[float], object]:
    """Return what gives a value that is allowed as the field's type, and raises as `check`."""
    check, low, high = functools.partial(field.check, name), field.range.low, field.range.high
    if issubclass(field.kind, enum.IntEnum | bool):
        kinds = (False, True) if field.kind is bool else tuple(field.kind)
        known = {float(kind): kind for kind in kinds if low <= kind <= high}

        def convert(value: float) -> object:
            found = known.get(value)
            return check(value) if found is None else found
    elif field.kind is int:
        def convert(value: float) -> object:
            return int(value) if low <= value <= high and value.is_integer() else check(value)
    else:
        def convert(value: float) -> object:
            return value if low <= value <= high else check(value)
    return convert


@functools.cache
def codec_of(kind: type) -> RecordCodec[Any]:
    """Return the codec of a kind of records, which all of a process share."""
    return RecordCodec(kind)


def write_joy(joy: JoyValues) -> bytes:
    """Write axes and buttons as a serialized `sensor_msgs/Joy`."""
    axes, buttons = joy.axes, joy.buttons
    return header(joy.stamp_ns, text(joy.frame_id)) + _numbers_of_joy(len(axes), len(buttons)).pack(
        len(axes), *axes, len(buttons), *buttons)


@functools.lru_cache(maxsize=_MOST_FORMS)
def _numbers_of_joy(axes: int, buttons: int) -> struct.Struct:
    return struct.Struct(f"<I{axes}fI{buttons}i")


def read_joy(data: bytes) -> JoyValues | None:
    """Read a serialized `sensor_msgs/Joy` laid out as ours are; `None` for what is not."""
    if data[:_STAMP_AT] != LITTLE_ENDIAN:
        return None
    try:
        seconds, nanoseconds, length = _BEGIN_OF_JOY.unpack_from(data, _STAMP_AT)
        frame = data[_TEXT_AT + 4:_TEXT_AT + 3 + length].decode("ascii")
        at = _TEXT_AT + 4 + length + -length % 4
        (count,) = _COUNT.unpack_from(data, at)
        axes = struct.unpack_from(f"<{count}f", data, at + 4)
        at += 4 + 4 * count
        (count,) = _COUNT.unpack_from(data, at)
        buttons = struct.unpack_from(f"<{count}i", data, at + 4)
    except (struct.error, UnicodeDecodeError, OverflowError, MemoryError):
        return None
    frame_end = _TEXT_AT + 3 + length
    if seconds < 0 or nanoseconds >= _SECOND_NS or "\0" in frame or not length \
            or data[frame_end:frame_end + 1 + -length % 4] != bytes(1 + -length % 4) \
            or len(data) != at + 4 + 4 * count:
        return None  # the middleware's reading says what is wrong with it
    return JoyValues(seconds * _SECOND_NS + nanoseconds, frame, axes, buttons)
