"""How each field of a record is read: of which type it is, and in which range."""

from __future__ import annotations

import dataclasses
import enum
import functools
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.messages import ranges
from realtime_rl.core.messages.ranges import Range


@functools.cache
def optional(kind: type) -> dict[str, float]:
    """Scalars that a record can be made without, with what they then are."""
    return {field.name: field.default for field in dataclasses.fields(kind)
            if isinstance(field.default, int | float)}


@dataclass(frozen=True, slots=True)
class Field:
    """How one field of a record is read."""

    kind: type
    range: Range
    listed: bool

    def read(self, name: str, given: Mapping[str, float]) -> object:
        """Read it as the scalar `name`; `ValueError`, `OverflowError`."""
        if name not in given:
            raise ValueError(f"{name!r} is absent")
        return self.check(name, given[name])

    def check(self, name: str, value: float) -> object:
        """Return the value as its type; `ValueError`, `OverflowError`."""
        problem = self.range.problem(value)
        if problem is not None:
            raise ValueError(f"{name!r}={value!r} is {problem}")
        if self.kind is float:
            return value
        if value != int(value):
            raise ValueError(f"{name!r}={value!r} is not a {self.kind.__name__}")
        return self.kind(int(value))

    def allows(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Say of each of many values whether `check` would return it."""
        allowed = (self.range.low <= values) & (values <= self.range.high)
        if self.range.nan:
            allowed |= np.isnan(values)
        if self.range.infinite:
            allowed |= np.isinf(values)
        if self.kind is not float:
            allowed &= values == np.trunc(values)
        if issubclass(self.kind, enum.IntEnum):
            allowed &= np.isin(values, [int(member) for member in self.kind])
        return allowed


@functools.cache
def fields_of(kind: type) -> dict[str, Field]:
    """How a record's fields are read; worked out once, as decoding runs for every tick of a bag."""
    return {name: _field(hint)
            for name, hint in typing.get_type_hints(kind, include_extras=True).items()}


def _field(hint: Any) -> Field:  # noqa: ANN401 - a type hint
    listed = typing.get_origin(hint) is tuple
    item = typing.get_args(hint)[0] if listed else hint
    kind, *extras = typing.get_args(item) if typing.get_origin(item) is Annotated else (item,)
    allowed = next((extra for extra in extras if isinstance(extra, Range)), None)
    if allowed is None:
        allowed = (Range(min(kind), max(kind)) if issubclass(kind, enum.IntEnum)
                   else Range(0, 1) if kind is bool else ranges.VALUE)
    return Field(kind, allowed, listed)
