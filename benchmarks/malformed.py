"""Messages as nobody should send them, of every topic of the graph, from a seed."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from rclpy.serialization import serialize_message

from realtime_rl.core.messages import records, topics, wire
from realtime_rl.core.messages.wire import NamedScalars
from realtime_rl.ros.messages import to_time

STRANGER = "fuzz"
"""The plant that malformed timesteps name, so that they can be told from the real ones."""
_RECORDS = {"timestep": records.Timestep, "verdict": records.Verdict,
            "inference": records.Inference, "schedule": records.ScheduleRecord,
            "learning": records.Learning}
_FLOATS = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, math.nan, math.inf, -math.inf, 1e300, -1e300, 5e-324,
           2.0**53, -(2.0**53), 2.0**63, 1e18, -1e18)
_FLOAT32_MOST = 3.4e38
_TEXTS = ("", " ", "=", "tick", "tick=", "tick=-1 first=0", "tick=1 first=2", "tick=0x1 first=1",
          "tick=99999999999999999999999 first=0", "tick=1e9 first=1", "tick=nan first=nan",
          "tick=5 due=-9 worker=99 version=-1 generation=1e3", "cause=policy worker=0 tick=0",
          "cause=nobody", "plant=x tick=1 first=1 tick=2", "\u00fc\u4e2d\U0001f600", "a" * 2_000,
          "file:///dev/zero", "file:///", "file:///nowhere.onnx#sha256=00", "http://a/b",
           "\n\t\\'\"", "../../etc/passwd", "%s%n{}", "file:///proc/self/mem#sha256=" + "0" * 64)
_INTEGERS = re.compile(r"(u?)int(\d+)")
_ARRAY = re.compile(r"(?:sequence<(?P<item>[\w/]+)(?:, \d+)?>|(?P<fixed>[\w/]+)\[(?P<size>\d+)\])")


class Malformed:
    """An endless source; the same seed gives the same messages."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def of(self, topic: topics.Topic) -> tuple[type, Any]:
        """Return a type and a message of it or, now and then, bytes that are none.

        The type is the topic's first: another one would reach nobody in the bundled graph.
        """
        kind = message_type(topic.types[0])
        record = _RECORDS.get(topic.name)
        message = self._record(kind, record) if record and self._random.random() < 0.5 \
            else self._fill(kind())
        if self._random.random() < 0.1:
            return kind, self._broken(serialize_message(message))
        return kind, message

    def _record(self, kind: type, record: type) -> Any:
        """A record with its names, and some values that it must not have."""
        names = [name for name in wire._field_names(record)
                 if name not in ("action", "active", "plant", "node", "provider", "emulated")]
        names += [f"action.{index}" for index in range(self._random.choice((0, 1, 1, 3)))]
        values = [float(self._random.choice((0, 1, 1, 2, 5, 100))) for _ in names]
        for _ in range(self._random.choice((0, 1, 1, 2, 8))):
            values[self._random.randrange(len(values))] = self._random.choice(_FLOATS)
        if self._random.random() < 0.1:
            del names[self._random.randrange(len(names))]
        scalars = NamedScalars(0, f"plant={STRANGER} {self._random.choice(_TEXTS)}",
                               tuple(names), tuple(values))
        message = kind(name=list(scalars.names), position=list(scalars.values))
        message.header.stamp = to_time(self._random.choice((0, 1, 10**18, 2**31 * 10**9 - 1)))
        message.header.frame_id = scalars.frame_id
        return message

    def _broken(self, data: bytes) -> bytes:
        """Cut off, with bytes changed, or nothing of it left."""
        changed = bytearray(data)
        for _ in range(self._random.choice((0, 1, 4, 64))):
            changed[self._random.randrange(len(changed))] = self._random.randrange(256)
        if self._random.random() < 0.5:
            del changed[self._random.randrange(len(changed)):]
        return bytes(changed) or b"\x00"

    def _fill(self, message: Any) -> Any:
        for name, kind in message.get_fields_and_field_types().items():
            setattr(message, name, self._value(kind, getattr(message, name)))
        return message

    def _value(self, kind: str, now: Any) -> Any:
        array = _ARRAY.fullmatch(kind)
        if array is not None:
            count = (int(array["size"]) if array["size"]
                     else self._random.choice((0, 1, 1, 2, 3, 8, 100)))
            item = array["item"] or array["fixed"]
            return [self._value(item, message_type(item)() if "/" in item else None)
                    for _ in range(count)]
        if "/" in kind:
            return self._fill(now)
        integer = _INTEGERS.fullmatch(kind)
        if integer is not None:
            bits = int(integer[2])
            low, high = (0, 2**bits - 1) if integer[1] else (-(2**(bits - 1)), 2**(bits - 1) - 1)
            return self._random.choice((low, high, 0, 1, min(high, 84), self._random.randint(
                low, high)))
        return self._plain(kind)

    def _plain(self, kind: str) -> Any:
        if kind.startswith("string"):
            return self._random.choice(_TEXTS)
        if kind == "boolean":
            return self._random.random() < 0.5
        if kind in ("byte", "octet"):
            return bytes([self._random.randrange(256)])
        value = self._random.choice(_FLOATS)
        # the setters refuse what a float32 cannot hold
        return value if kind == "double" or not abs(value) > _FLOAT32_MOST or math.isinf(value) \
            else 1e38


def message_type(name: str) -> type:
    """The class of `package/msg/Name` or `package/Name`."""
    package, *_, kind = name.split("/")
    found: type = getattr(import_module(f"{package}.msg"), kind)
    return found


def every(seed: int, count: int) -> Iterator[tuple[topics.Topic, type, Any]]:
    """`count` messages of every topic, in turns."""
    source = Malformed(seed)
    for _ in range(count):
        for topic in topics.TOPICS:
            yield topic, *source.of(topic)
