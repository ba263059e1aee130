"""The one owner of every message layout: records to and from named scalars and `Joy` values.

Named scalars travel as `sensor_msgs/JointState` (`name`, `position`). A record's fields become
scalars of the same name, but for: `stamp_ns`, which is `header.stamp`; text fields, which go into
`header.frame_id` as `key=value` words; `action` and `active`, whose items become `action.0`, ….
float64 holds every integer below 2**53 exactly, and no absolute time is among them.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import re
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from realtime_rl.core.errors import RealtimeRlError
from realtime_rl.core.records import ActionMessage, Command
from realtime_rl.core.types import Action, ActionSpace, Cause

Record = TypeVar("Record")
_SPACE = re.compile(r"\s")
_EXACT = 2**53
"""float64 holds every integer up to here: no id is larger."""


class WireError(RealtimeRlError):
    """A message that does not have the layout it should have."""


@dataclass(frozen=True, slots=True)
class NamedScalars:
    """The payload of a `sensor_msgs/JointState` used as named scalars."""

    stamp_ns: int
    frame_id: str
    names: tuple[str, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class JoyValues:
    """The payload of a `sensor_msgs/Joy`."""

    stamp_ns: int
    frame_id: str
    axes: tuple[float, ...]
    buttons: tuple[int, ...]


def encode_words(words: Mapping[str, object]) -> str:
    """Write `key=value` words for a `frame_id`; white space inside a value becomes `_`."""
    return " ".join([f"{key}={_SPACE.sub('_', str(value))}" for key, value in words.items()])


def decode_words(text: str) -> dict[str, str]:
    """Read `key=value` words; words without `=` are passed over."""
    return dict(word.split("=", 1) for word in text.split() if "=" in word)


@functools.cache
def _field_names(kind: type) -> tuple[str, ...]:
    """Fields of a record that are laid out: all but `stamp_ns`, which is the header's."""
    return tuple(field.name for field in dataclasses.fields(kind) if field.name != "stamp_ns")


def encode(record: Any) -> NamedScalars:  # noqa: ANN401 - any record of `records`
    """Lay a record of `records` out as named scalars."""
    names: list[str] = []
    values: list[float] = []
    words: dict[str, str] = {}
    kind: type = type(record)
    for name in _field_names(kind):
        value = getattr(record, name)
        if isinstance(value, str):
            words[name] = value
        elif isinstance(value, tuple):
            names += [f"{name}.{index}" for index in range(len(value))]
            values.extend(map(float, value))
        else:
            names.append(name)
            values.append(float(value))
    return NamedScalars(record.stamp_ns, encode_words(words), tuple(names), tuple(values))


def decode(kind: type[Record], scalars: NamedScalars) -> Record:
    """Read a record of type `kind` back; `WireError` when a field is absent or not of its type."""
    given = dict(zip(scalars.names, scalars.values, strict=False))
    words = decode_words(scalars.frame_id)
    values: dict[str, Any] = {"stamp_ns": scalars.stamp_ns}
    try:
        for name, hint in _hints(kind).items():
            if name == "stamp_ns":
                continue
            values[name] = _read(name, hint, given, words)
    except (KeyError, ValueError, OverflowError) as error:
        raise WireError(f"not a {kind.__name__} message: field {error}") from error
    return kind(**values)


_HINTS: dict[type, dict[str, Any]] = {}


def _hints(kind: type) -> dict[str, Any]:
    """Type hints of a record type, resolved once: decoding runs for every tick of a bag."""
    if kind not in _HINTS:
        _HINTS[kind] = typing.get_type_hints(kind)
    return _HINTS[kind]


def _read(name: str, hint: Any, given: Mapping[str, float], words: Mapping[str, str]) -> object:  # noqa: ANN401
    if hint is str:
        return words.get(name, "")
    if typing.get_origin(hint) is tuple:
        item = typing.get_args(hint)[0]
        count = sum(1 for key in given if key.startswith(f"{name}."))
        return tuple(_scalar(f"{name}.{index}", item, given) for index in range(count))
    return _scalar(name, hint, given)


def _scalar(name: str, hint: Any, given: Mapping[str, float]) -> object:  # noqa: ANN401
    value = given[name]
    if hint is float:
        return value
    if value != int(value) or (hint is bool and value not in (0.0, 1.0)):
        raise ValueError(f"{name!r}={value!r} is not a {hint.__name__}")
    return hint(int(value))


def encode_action(message: ActionMessage, space: ActionSpace) -> JoyValues:
    """Lay an action out: `buttons=[index]` when discrete, `axes` one value a dimension else."""
    frame_id = encode_words({
        "tick": message.tick, "due": message.due_tick, "worker": message.worker,
        "version": message.version, "generation": message.generation,
    })
    axes, buttons = _values(message.action, space)
    return JoyValues(message.stamp_ns, frame_id, axes, buttons)


def decode_action(joy: JoyValues, space: ActionSpace) -> ActionMessage:
    """Read an action; `WireError` when its identity or the number of its values is wrong.

    A discrete action is an index (one button) or one-hot (as many buttons as choices).
    Values outside the space are read as they are: judging them is the arbiter's work.
    """
    words = decode_words(joy.frame_id)
    try:
        identity = [_id(words[key]) for key in ("tick", "due", "worker", "version", "generation")]
    except (KeyError, ValueError) as error:
        raise WireError(f"action frame_id {joy.frame_id!r}: {error}") from error
    tick, due, worker, version, generation = identity
    return ActionMessage(joy.stamp_ns, tick, due, worker, version, generation,
                         _action(joy, space))


def _values(action: Action, space: ActionSpace) -> tuple[tuple[float, ...], tuple[int, ...]]:
    return ((), (int(action[0]),)) if space.discrete else (action, ())


def _action(joy: JoyValues, space: ActionSpace) -> Action:
    if not space.discrete:
        if joy.buttons or len(joy.axes) != space.size:
            raise WireError(f"expected {space.size} axes and no buttons, got {len(joy.axes)} "
                            f"and {len(joy.buttons)}")
        return tuple(joy.axes)
    if joy.axes:
        if not all(math.isfinite(value) for value in joy.axes):
            return (math.nan,)
        raise WireError(f"expected no axes for a discrete action, got {len(joy.axes)}")
    if len(joy.buttons) == 1:
        return (float(joy.buttons[0]),)
    pressed = [index for index, value in enumerate(joy.buttons) if value]
    if len(joy.buttons) != space.size or len(pressed) != 1:
        raise WireError(f"expected an index or {space.size} one-hot buttons, got {joy.buttons!r}")
    return (float(pressed[0]),)


def _id(text: str) -> int:
    number = int(text)
    if abs(number) > _EXACT:
        raise ValueError(f"{text!r} is too large for an id")
    return number


def command_words(command: Command) -> str:
    """Write on whose behalf a command is given, for the `frame_id` of a gamepad's message."""
    return encode_words({
        "cause": command.cause.name.lower(), "worker": command.worker,
        "version": command.version, "tick": command.observation_tick,
    })


def command_from(frame_id: str, action: Action) -> Command:
    """Read a command back; one without our words is an operator's (a bare gamepad driver)."""
    words = decode_words(frame_id)
    try:
        return Command(Cause[words.get("cause", "operator").upper()], action,
                       _id(words.get("worker", "-1")), _id(words.get("version", "-1")),
                       _id(words.get("tick", "-1")))
    except (KeyError, ValueError) as error:
        raise WireError(f"command frame_id {frame_id!r}: {error}") from error


def words_of(values: Sequence[str]) -> dict[str, str]:
    """Read a list of `key=value` parameter strings; `WireError` for one without `=`."""
    for value in values:
        if "=" not in value:
            raise WireError(f"{value!r}: write it as 'key=value'")
    return dict(value.split("=", 1) for value in values)
