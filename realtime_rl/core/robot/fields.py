"""Values in a robot's messages: which are meant, what they are called, and how they are taken.

`reading` takes all fields of a source at once, and quickly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from realtime_rl.core.errors import ConfigError, choices
from realtime_rl.core.messages.wire import WireError
from realtime_rl.core.robot import rotations
from realtime_rl.core.robot.message_types import (
    NUMBER,
    QUATERNION,
    SourceType,
    Structure,
)

_PATH = re.compile(r"([A-Za-z]\w*(?:\.[A-Za-z]\w*)*)(?:\[(\d+)(?::(\d+)(?::(\d+))?)?\])?")
_MOST = 4096
"""Values of one field."""
_SHOWN = 24
"""Names in one line."""

Values = Sequence[float]


@dataclass(frozen=True, slots=True)
class Field:
    """One value, or several, of a message."""

    text: str
    """As it stands in the contract."""
    elements: tuple[str, ...]
    """Names of its values."""
    take: Callable[[Any], Values] = field(compare=False, repr=False)
    array: str = ""
    """Of values that the message calls by name: the array that has them."""
    name: str = ""
    """What the message calls it."""
    path: str = ""
    """Of one number that a path leads to: the path."""
    wraps: bool = False
    """Neighbouring values may be far apart: nothing lies between them."""

    def read(self, message: Any) -> tuple[float, ...]:  # noqa: ANN401 - of its type
        """Take its values from a message; `WireError` where it has them not, or twice."""
        return tuple(map(float, self.take(message)))


def parse(text: str, source: SourceType) -> Field:
    """Read a field of a contract; `ConfigError` says what there is."""
    if source.is_image:
        raise ConfigError(f"fields: {text!r}: a {source.name} is a picture; it has a section "
                          "`image` instead")
    if source.arrays:
        return _by_name(text, source)
    whole, at, form = text.partition("@")
    match = _PATH.fullmatch(whole)
    inner = None if match is None else _walk(source.structure, match[1])
    if match is None or inner is None:
        raise _unknown(text, source.structure, source, "")
    path, *ends = match.groups()
    if at and not ends[0]:
        return _rotation(text, path, form, inner, source)
    if isinstance(inner, int) and not at:
        return _numbers(text, path, [int(end) for end in ends if end], inner)
    raise _unknown(text, inner, source, path)


def _by_name(text: str, source: SourceType) -> Field:
    array, dot, name = text.partition(".")
    if not dot or not name or array not in source.arrays:
        raise ConfigError(f"fields: {text!r} is no field of {source.name}; write it as "
                          f"{choices(f'{each}.NAME' for each in source.arrays)}, with the name of "
                          "a joint, whose place in the message does not matter")

    def take(message: Any) -> Values:  # noqa: ANN401
        place = place_of(name, message.name)
        values = getattr(message, array)
        if place is None or len(values) != len(message.name):
            raise WireError(f"{text!r} is not there: {len(values)} values of {array} for "
                            f"{shown(message.name)}")
        return (values[place],)

    return Field(text, (text,), take, array, name)


def place_of(name: str, names: Sequence[str]) -> int | None:
    """Return where a name is; `None` where it is not, `WireError` where it is there twice."""
    if names.count(name) > 1:
        raise WireError(f"{name!r} is there {names.count(name)} times among {shown(names)}")
    return names.index(name) if name in names else None


def _walk(structure: Structure, path: str) -> Structure | int | None:
    found: Structure | int | None = structure
    for part in path.split("."):
        found = None if isinstance(found, int | None) else found.get(part)
    return found


def _numbers(text: str, path: str, ends: list[int], size: int) -> Field:
    """One number at the end of a path, or some of an array there."""
    getter = attrgetter(path)
    if size == NUMBER:
        if ends:
            raise ConfigError(f"fields: {text!r}: {path!r} is one number")
        return Field(text, (path,), lambda message: (getter(message),), path=path)
    if not ends:
        raise ConfigError(f"fields: {text!r} holds many values; say which, as '{path}[0]' or "
                          f"'{path}[0:360:10]'")
    first, last, step = [*ends, *(ends[0] + 1, 1)[len(ends) - 1:]]
    places = range(first, last, step or 1)
    if not places or not step or len(places) > _MOST or (size and places[-1] >= size):
        raise ConfigError(f"fields: {text!r}: a range has a first place, one after the last, and "
                          f"a step, as '{path}[0:360:10]'; {size or _MOST} values at most")

    def take(message: Any) -> Values:  # noqa: ANN401
        values = getter(message)
        if len(values) <= places[-1]:
            raise WireError(f"{path} has {len(values)} values; {text!r} needs {places[-1] + 1}")
        taken: Values = values[first:last:step]
        return taken

    return Field(text, tuple(f"{path}[{place}]" for place in places), take)


def _rotation(text: str, path: str, form: str, inner: Structure | int, source: SourceType
              ) -> Field:
    """A quaternion, in a form in which a policy sees it."""
    if inner != QUATERNION:
        raise ConfigError(f"fields: {text!r}: {path!r} of {source.name} is no quaternion")
    if form not in rotations.FORMS:
        raise ConfigError(f"fields: {text!r}: {form!r} is not one of {choices(rotations.FORMS)}")
    shape = rotations.FORMS[form]
    getter = attrgetter(*(f"{path}.{axis}" for axis in "xyzw"))

    def take(message: Any) -> Values:  # noqa: ANN401
        found = rotations.unit(*getter(message))
        if found is None:
            raise WireError(f"{path} is no rotation: {getter(message)}")
        return shape.of(*found)

    return Field(text, tuple(f"{text}.{name}" for name in shape.names), take, wraps=shape.wraps)


def _unknown(text: str, inner: Structure | int, source: SourceType, prefix: str) -> ConfigError:
    return ConfigError(f"fields: {text!r} is no value of {source.name}; there are "
                       f"{choices(_leaves(inner, prefix))}")


def _leaves(structure: Structure | int, path: str) -> Iterator[str]:
    """Yield what may be written, below a path."""
    if isinstance(structure, int):
        yield path if structure == NUMBER else f"{path}[…]"
        return
    if structure == QUATERNION:
        yield from (f"{path}@{form}" for form in rotations.FORMS)
    for name, inner in structure.items():
        yield from _leaves(inner, f"{path}.{name}" if path else name)


def shown(names: Sequence[str]) -> str:
    """Write names, of which there may be many, in one line."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (choices(names[:_SHOWN]) or "none") + more

