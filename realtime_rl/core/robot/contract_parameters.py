"""The parameters in which a contract is written: nested by section and name, or flat and dotted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeVar, cast

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.settings.config import Value, build

Values = Mapping[str, object]
_Section = TypeVar("_Section")
OPEN = "FILL_IN"
"""Stands for what only a person can say, in a contract that is begun."""


def check_open(values: Values) -> None:
    """Refuse a contract in which something was left for a person to say."""
    left = [name for name, value in flat(values).items()
            if OPEN in (value if isinstance(value, list | tuple) else (value,))]
    if left:
        raise ConfigError(f"{left[0]}: {OPEN} stands there, which a person must replace"
                          + (f"; so does it at {len(left) - 1} more: {', '.join(left[1:])}"
                             if len(left) > 1 else ""))


def flat(values: Values, prefix: str = "") -> dict[str, object]:
    """Return nested parameters by their dotted names."""
    found: dict[str, object] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found.update(flat(value, f"{prefix}{name}."))
        else:
            found[f"{prefix}{name}"] = value
    return found


def split(values: Values) -> tuple[dict[str, object], dict[str, dict[str, object]]]:
    """Return what stands above the sections, and what is in each of them."""
    top: dict[str, object] = {}
    nested: dict[str, dict[str, object]] = {}
    for name, value in flat(values).items():
        above, dot, rest = name.partition(".")
        if dot:
            nested.setdefault(above, {})[rest] = value
        else:
            top[above] = value
    return top, nested


def by_name(where: str, values: Values) -> dict[str, dict[str, object]]:
    """Return what each name of a section says; `ConfigError` where a value has none."""
    top, nested = split(values)
    if top:
        raise ConfigError(f"{where}.{next(iter(top))}: give it a name, as "
                          f"{where}: {{NAME: {{{next(iter(top))}: …}}}}")
    return nested


def section(kind: type[_Section], values: Values, where: str) -> _Section:
    """Make a section of its values; `ConfigError` begins with `where` it stands."""
    try:
        return build(kind, values)
    except ConfigError as error:
        raise ConfigError(f"{where}.{error}" if where else str(error)) from error


def numbers(where: str, value: object) -> tuple[float, ...]:
    """Return a list of finite numbers; `ConfigError` where it is none."""
    if not isinstance(value, list | tuple) or not all(
            isinstance(each, int | float) and math.isfinite(each) for each in value):
        raise ConfigError(f"{where}: {value!r} is not a list of numbers")
    return tuple(map(float, value))


def as_parameters(values: Values) -> dict[str, Value]:
    """Return a contract that can be read as parameters of a node.

    In a list of theirs all numbers are of one type.
    """
    return {name: tuple(map(float, value)) if isinstance(value, list | tuple)
            and any(isinstance(each, float) for each in value) else
            tuple(value) if isinstance(value, list | tuple) else cast(Value, value)
            for name, value in flat(values).items()}
