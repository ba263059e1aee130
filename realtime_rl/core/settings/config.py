"""Parameters, each with type, default, unit, range and description in one place.

A node's parameters are the fields of a frozen dataclass, made with `parameter`. The ROS
declaration, the checks, `--set` and the documentation's tables all come from it.
"""

from __future__ import annotations

import dataclasses
import math
import re
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from realtime_rl.core.enumerations import Named
from realtime_rl.core.errors import ConfigError, choices

Value = bool | int | float | str | tuple[str, ...] | tuple[int, ...] | tuple[float, ...]
Config = TypeVar("Config")
_KEY = "parameter"
_INT64 = 2**63
_TYPES: dict[Any, str] = {bool: "bool", int: "integer", float: "double", str: "string",
                          tuple[str, ...]: "string array", tuple[int, ...]: "integer array",
                          tuple[float, ...]: "double array"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a node."""

    name: str
    kind: Any
    """`bool`, `int`, `float`, `str`, or a tuple of any number of strings, ints or floats."""
    default: Value
    description: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    live: bool = False
    """May be changed while the node runs."""
    plain: tuple[str, str] | None = None
    """A text that YAML takes for something else when it stands without quotes: a number, which is
    the text that was written, or a boolean. What false and true mean then."""

    path: bool = False
    """A file or folder on this machine: `~` is a user's home."""

    @property
    def type_name(self) -> str:
        """The ROS name of the type."""
        return _TYPES[self.kind]

    @property
    def range_text(self) -> str:
        """The allowed values in words; empty when everything of the type is."""
        if self.choices:
            return ", ".join(self.choices)
        if self.low is None and self.high is None:
            return ""
        low = "" if self.low is None else f"{self.low:g}"
        high = "" if self.high is None else f"{self.high:g}"
        return f"{low} … {high}" if low and high else f"≥ {low}" if low else f"≤ {high}"

    def problem(self, value: object) -> str | None:
        """Say in one line why `value` is not allowed, or `None`."""
        if not self._has_type(value):
            return f"{self.name}: {value!r} is not {self._a_type}"
        if self.choices and value not in self.choices:
            return f"{self.name}: {value!r} is not one of {choices(self.choices)}"
        for number in value if isinstance(value, list | tuple) else (value,):
            if isinstance(number, int | float) and not isinstance(number, bool):
                outside = self._outside(number)
                if outside:
                    return f"{self.name}: {number!r} {outside}"
        return None

    def _outside(self, number: float) -> str:
        """Say why a number is not allowed; empty when it is."""
        if isinstance(number, int) and not -_INT64 <= number < _INT64:
            return "needs more than 64 bits"
        if not math.isfinite(number):
            return "is not finite"
        below = self.low is not None and number < self.low
        if below or (self.high is not None and number > self.high):
            return f"is outside {self.range_text}"
        return ""

    @property
    def _a_type(self) -> str:
        return f"{'an' if self.type_name.startswith('i') else 'a'} {self.type_name}"

    def _has_type(self, value: object) -> bool:
        if self.kind is float:
            return isinstance(value, int | float) and not isinstance(value, bool)
        if self.kind is int:
            return isinstance(value, int) and not isinstance(value, bool)
        if typing.get_origin(self.kind) is tuple:
            item = typing.get_args(self.kind)[0]
            allowed = (int, float) if item is float else (item,)
            return isinstance(value, list | tuple) and all(type(v) in allowed for v in value)
        return isinstance(value, self.kind)

    def read(self, value: object) -> object:
        """Return a value as it was meant: see `plain`; a number is a list of one."""
        if self.kind == tuple[float, ...] and type(value) in (int, float):
            return (float(typing.cast(float, value)),)
        if self.plain is None or isinstance(value, str):
            return value
        if isinstance(value, bool):
            return self.plain[value]
        return str(value) if isinstance(value, int | float) else value

    def parse(self, text: str) -> Value:
        """Read a value from a command line; `ConfigError` when it is none or not allowed."""
        value: Any
        try:
            if self.kind is bool:
                value = {"true": True, "false": False}[text.lower()]
            elif typing.get_origin(self.kind) is tuple:
                item = typing.get_args(self.kind)[0]
                value = tuple(item(part) for part in _items(text))
            elif self.plain is not None:
                value = self.read({"true": True, "false": False}.get(text.lower(), text))
            else:
                value = self.kind(text)
        except (KeyError, ValueError) as error:
            raise ConfigError(f"{self.name}: {text!r} is not {self._a_type}") from error
        problem = self.problem(value)
        if problem is not None:
            raise ConfigError(problem)
        return typing.cast(Value, value)


def _items(text: str) -> list[str]:
    r"""Split a list at its commas; one that is part of an item is written `\,`."""
    return [part.replace("\\,", ",") for part in re.split(r"(?<!\\),", text) if part]


def choice(default: Named, description: str, *, live: bool = False) -> Any:  # noqa: ANN401 - as `parameter`
    """Declare a parameter that is one of an enumeration's words."""
    return parameter(default.word, description, choices=type(default).words(), live=live)


def parameter(default: Any, description: str, **details: Any) -> Any:  # noqa: ANN401 - a field
    """Make a dataclass field that is a parameter; `details` are the rest of `Parameter`."""
    return dataclasses.field(default=default,
                             metadata={_KEY: {"description": description, **details}})


def parameters(config: type) -> Mapping[str, Parameter]:
    """Return the parameters of a configuration dataclass by name, in order."""
    if config not in _KNOWN:
        hints = typing.get_type_hints(config)
        _KNOWN[config] = MappingProxyType({
            field.name: Parameter(field.name, hints[field.name],
                                  typing.cast(Value, field.default), **field.metadata[_KEY])
            for field in dataclasses.fields(config)})
    return _KNOWN[config]


_KNOWN: dict[type, Mapping[str, Parameter]] = {}


def build(config: type[Config], values: Mapping[str, object]) -> Config:
    """Make a configuration from values by name; absent ones keep their defaults.

    `ConfigError` names the parameter, the value and what is allowed.
    """
    known = parameters(config)
    checked: dict[str, object] = {}
    for name, given in values.items():
        if name not in known:
            raise ConfigError(f"unknown parameter {name!r}; known: {choices(known)}")
        value = known[name].read(given)
        problem = known[name].problem(value)
        if problem is not None:
            raise ConfigError(problem)
        kind = known[name].kind
        checked[name] = (float(typing.cast(float, value)) if kind is float
                         else tuple(map(float, typing.cast(tuple[float, ...], value)))
                         if kind == tuple[float, ...]
                         else tuple(typing.cast(tuple[Any, ...], value))
                         if typing.get_origin(kind) is tuple else value)
    return config(**checked)


def values_of(config: object) -> dict[str, Value]:
    """Return a configuration's values by name."""
    return {field.name: getattr(config, field.name)
            for field in dataclasses.fields(typing.cast(Any, config))}
