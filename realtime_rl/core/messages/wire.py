"""The layout of every record: to and from named scalars. `joy_wire` has actions and commands.

Named scalars travel as `sensor_msgs/JointState` (`name`, `position`). A record's fields become
scalars of the same name, but for: `stamp_ns`, which is `header.stamp`; text fields, which go into
`header.frame_id` as `key=value` words, with white space and `%` percent-encoded; `action` and
`active`, whose items become `action.0`, ….
float64 holds every integer below 2**53 exactly, and no absolute time is among them.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import unquote

from realtime_rl.core.errors import RealtimeRlError
from realtime_rl.core.messages import ranges
from realtime_rl.core.messages.ranges import Range
from realtime_rl.core.messages.record_fields import fields_of, optional

Record = TypeVar("Record")
_SPACE = re.compile(r"\s")
_ENCODED = re.compile(r"[%\s\x00-\x1f\x7f\ud800-\udfff]+")
"""What would end a word, look encoded, or cannot travel."""
_SECOND_NS = 1_000_000_000
_MOST_SCALARS = ranges.MOST_ITEMS + 64
"""A list of values, and what stands beside it."""
_LONGEST_TEXT = 8192
_SHOWN = 200
_NONE: Mapping[str, str] = {}


class WireError(RealtimeRlError):
    """A message that does not have the layout it should have."""


@dataclass(frozen=True, slots=True)
class NamedScalars:
    """The payload of a `sensor_msgs/JointState` used as named scalars."""

    stamp_ns: int
    frame_id: str
    names: tuple[str, ...]
    values: tuple[float, ...]


def encode_words(words: Mapping[str, object]) -> str:
    """Write `key=value` words for a `frame_id`; white space and `%` are percent-encoded."""
    return " ".join([f"{key}={_ENCODED.sub(_encode, str(value))}" for key, value in words.items()])


def _encode(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found.group().encode("utf-8", "surrogatepass"))


def decode_words(text: str) -> dict[str, str]:
    """Read `key=value` words; words without `=` are passed over.

    `WireError` for a text that is longer than any of ours.
    """
    if len(text) > _LONGEST_TEXT:
        raise WireError(f"a frame_id of {len(text)} characters, not {_LONGEST_TEXT} at most")
    pairs = (word.split("=", 1) for word in text.split() if "=" in word)
    return {key: _decode(value) if "%" in value else value for key, value in pairs}


def _decode(value: str) -> str:
    try:
        return unquote(value, errors="surrogatepass")
    except UnicodeDecodeError:  # not of ours
        return unquote(value)


def was_written(word: str, text: str) -> bool:
    """Whether a word that was read says `text`; white space was once written as `_`."""
    return word in (text, unquote(_SPACE.sub("_", text)))


def stamp(sec: int, nanosec: int) -> int:
    """Join the parts of a ROS time [ns]; `WireError` where they are none."""
    if not (0 <= sec < 2**31 and 0 <= nanosec < _SECOND_NS):
        raise WireError(f"not a stamp: {sec} s and {nanosec} ns")
    return int(sec) * _SECOND_NS + int(nanosec)


@functools.cache
def _field_names(kind: type) -> tuple[str, ...]:
    """Fields of a record that are laid out: all but `stamp_ns`, which is the header's."""
    return tuple(field.name for field in dataclasses.fields(kind) if field.name != "stamp_ns")


def encode(record: Any) -> NamedScalars:  # noqa: ANN401 - any record of `records`
    """Lay a record of `records` out as named scalars: those of its lists come last."""
    names: list[str] = []
    values: list[float] = []
    listed: list[tuple[str, float]] = []
    words: dict[str, str] = {}
    kind: type = type(record)
    for name in _field_names(kind):
        value = getattr(record, name)
        if isinstance(value, str):
            words[name] = value
        elif isinstance(value, tuple):
            listed += [(f"{name}.{index}", float(item)) for index, item in enumerate(value)]
        else:
            names.append(name)
            values.append(float(value))
    names += [name for name, _ in listed]
    values += [value for _, value in listed]
    return NamedScalars(record.stamp_ns, encode_words(words), tuple(names), tuple(values))


def decode(kind: type[Record], scalars: NamedScalars) -> Record:
    """Read a record of type `kind` back.

    A field that a record can be made without may be absent, as in older bags.

    `WireError` when another is absent, not of its type or outside its range (`ranges`), when there
    are not as many values as names, or a name is there twice.
    """
    names, values = scalars.names, scalars.values
    if len(names) != len(values) or len(names) > _MOST_SCALARS:
        raise WireError(f"not a {kind.__name__} message: {len(names)} names and {len(values)} "
                        f"values, not one value a name and {_MOST_SCALARS} at most")
    given = dict(zip(names, values, strict=True))
    if len(given) != len(names):
        raise WireError(f"not a {kind.__name__} message: a name is there twice")
    words = decode_words(scalars.frame_id)
    read: dict[str, Any] = {}
    layout: type = kind
    try:
        for name, field in fields_of(layout).items():
            if name == "stamp_ns":
                read[name] = field.check(name, scalars.stamp_ns)
            elif field.listed:
                count = sum(1 for key in given if key.startswith(f"{name}."))
                read[name] = tuple(field.read(f"{name}.{index}", given) for index in range(count))
            elif field.kind is str:
                read[name] = words.get(name, "")
            elif name in given or name not in optional(layout):
                read[name] = field.read(name, given)
    except (ValueError, OverflowError) as error:
        raise WireError(f"not a {kind.__name__} message: field {error}") from error
    return kind(**read)


def observation_words(frame_id: str) -> tuple[int, bool]:
    """Read an observation's tick and whether it is the first of its episode; `WireError`."""
    tick, first = whole_numbers("observation", frame_id, {"tick": ranges.ID, "first": Range(0, 1)})
    return tick, first == 1


def whole_numbers(what: str, frame_id: str, wanted: Mapping[str, Range],
                  defaults: Mapping[str, str] = _NONE) -> list[int]:
    """Read whole numbers out of a frame_id's words; `WireError`.

    Absent ones are what `defaults` says of them.
    """
    words = words_of(frame_id)
    found: list[int] = []
    try:
        for name, allowed in wanted.items():
            text = words[name] if name in words else defaults[name]
            found.append(int(text))
            problem = allowed.problem(found[-1])
            if problem is not None:
                raise ValueError(f"{name}={text!r} is {problem}")
    except (KeyError, ValueError) as error:
        raise WireError(f"{what} frame_id {short(frame_id)}: {short(str(error))}") from error
    return found


def words_of(frame_id: str) -> dict[str, str]:
    """Read the words of a message that comes at every tick: as `decode_words`, in less time."""
    return _plain_words(frame_id) or decode_words(frame_id)


def _plain_words(text: str) -> dict[str, str] | None:
    """Read words as ours are, with nothing encoded; `None` for any others."""
    if len(text) > _LONGEST_TEXT or "%" in text:
        return None
    try:
        return dict([word.split("=") for word in text.split(" ")])
    except ValueError:
        return None


def short(text: str) -> str:
    """A text as an error shows it: somebody else's, of any length."""
    return repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}… ({len(text)} characters)"
