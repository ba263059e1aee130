"""Plant options: `key=value` words to a frozen dataclass, checked one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from realtime_rl.core.errors import ConfigError, PlantError, choices
from realtime_rl.core.settings.config import Parameter, Value, parameters

Options = TypeVar("Options")


def parse_options(words: Iterable[str]) -> dict[str, str]:
    """Read `["rom=catch", "stochasticity=64"]`; `PlantError` for a word that is not `key=value`.

    Empty words are skipped: ROS has no empty list of strings, `[""]` stands for it.
    """
    options: dict[str, str] = {}
    for word in words:
        key, sign, value = word.partition("=")
        key = key.strip()
        if not word.strip():
            continue
        if not sign or not key:
            raise PlantError(f"plant option {word!r}: write it like 'rom=catch', and a comma that "
                             r"is part of a value as '\,'")
        if key in options:
            raise PlantError(f"plant option {key!r} is given twice")
        options[key] = value.strip()
    return options


def build_options(plant: str, kind: type[Options], given: Mapping[str, object]) -> Options:
    """Make the options dataclass of `plant` from `given`; absent ones keep their defaults.

    Where the dataclass has a field `settings`, options that are no field are settings of the
    game: `stochasticity=64` is short for `settings="stochasticity=64"`. `PlantError` names the
    plant, the option, the value and what is allowed.
    """
    known = parameters(kind)
    values: dict[str, Value] = {}
    settings: list[str] = []
    for name, value in given.items():
        if name in known:
            values[name] = _convert(plant, known[name], value)
        elif "settings" in known:
            settings.append(f"{name}={value}")
        else:
            raise PlantError(f"plant {plant!r} has no option {name!r}; choose from "
                             f"{choices(known)}")
    if settings:
        values["settings"] = " ".join([str(values.get("settings", "")), *settings]).strip()
    return kind(**values)


def describe_options(kind: type) -> str:
    """Write one line an option: name, default, allowed values, description."""
    lines = []
    for item in parameters(kind).values():
        unit = f" {item.unit}" if item.unit else ""
        allowed = f" ({item.range_text})" if item.range_text else ""
        lines.append(f"  {item.name}={item.default}{unit}{allowed}: {item.description}")
    return "\n".join(lines)


def _convert(plant: str, item: Parameter, value: object) -> Value:
    """Bring one scalar or text to the option's type; `PlantError` when it does not fit."""
    try:
        if item.kind is str or isinstance(value, str):
            return item.parse(str(value))
        problem = item.problem(value)
    except ConfigError as error:
        problem = str(error)
    if problem is not None:
        raise PlantError(f"plant {plant!r}, option {problem}")
    assert isinstance(value, bool | int | float)
    return float(value) if item.kind is float else value
