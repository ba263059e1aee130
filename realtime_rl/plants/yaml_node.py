"""A mapping read from a YAML file that knows where it stands, for errors that say so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

from realtime_rl import yaml_loader
from realtime_rl.core.errors import PlantError, choices

Value = TypeVar("Value")


Place = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A file, and the line of each of its values."""

    path: str
    lines: Mapping[Place, int]

    def at(self, place: Place) -> str:
        """Say where a value stands, or would: `FILE:LINE`."""
        names = tuple(part if isinstance(part, int) else str(part) for part in place)
        while names and names not in self.lines:
            names = names[:-1]
        return f"{self.path}:{self.lines.get(names, 1)}"


class YamlNode:
    """One mapping of a YAML file. Every method raises `PlantError` with file, line, key, value."""

    def __init__(self, source: Source, place: Place, values: object, keys: Iterable[str]) -> None:
        """Refuse what is no mapping, and keys that are not among `keys`."""
        self._source = source
        self._place = place
        if not isinstance(values, Mapping):
            raise self.error("", values, "a mapping of keys to values")
        self._values = values
        for key in values:
            if key not in keys:
                raise self.error(key, values[key], f"a known key: {choices(keys)}")

    @staticmethod
    def load(path: Path, keys: Iterable[str]) -> YamlNode:
        """Read a file whose top is a mapping with some of `keys`."""
        try:
            values, lines = yaml_loader.load_with_lines(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise PlantError(f"{str(path)!r} cannot be read: {reason}") from error
        except yaml.YAMLError as error:
            line = " ".join(str(error).split())
            raise PlantError(f"{str(path)!r} is not YAML: {line}") from error
        return YamlNode(Source(str(path), lines), (), values, keys)

    @property
    def folder(self) -> Path:
        """That of the file."""
        return Path(self._source.path).parent

    @property
    def keys(self) -> list[str]:
        """The keys that are there."""
        return [str(key) for key in self._values]

    def sub(self, key: str, keys: Iterable[str]) -> YamlNode:
        """Return the mapping of a key."""
        return YamlNode(self._source, (*self._place, key), self._values.get(key), keys)

    def of(self, keys: Iterable[str]) -> YamlNode:
        """Return the same mapping with fewer keys allowed."""
        return YamlNode(self._source, self._place, self._values, keys)

    def error(self, key: object, value: object, wanted: str) -> PlantError:
        """Make the error that says what `key` should be."""
        return self.refused(key, f"{value!r} is not {wanted}")

    def refused(self, key: object, why: str) -> PlantError:
        """Make an error that says where `key` stands, and what is wrong."""
        return PlantError(f"{self._source.at((*self._place, *([key] if key else [])))}: "
                          f"{self._at(key)}: {why}")

    @contextmanager
    def at(self, key: str) -> Iterator[None]:
        """Put file and key before the message of a `PlantError` raised inside."""
        try:
            yield
        except PlantError as error:
            raise self.refused(key, str(error)) from error

    def __contains__(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self._values

    def value(self, key: str) -> object:
        """Return what the key has, whatever it is; `None` where it is not there."""
        return self._values.get(key)

    def integer(self, key: str, low: int, high: int) -> int:
        """Return an integer that must be there."""
        value = self._values.get(key)
        if type(value) is not int or not low <= value <= high:
            raise self.error(key, value, f"an integer in {low} … {high}")
        return value

    def number(self, key: str, default: float) -> float:
        """Return an integer or float."""
        value = self._values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(key, value, "a number")
        return float(value)

    def text(self, key: str, default: Value) -> str | Value:
        """Return a text."""
        value = self._values.get(key)
        if value is None or isinstance(value, str):
            return default if value is None else value
        raise self.error(key, value, "a text")

    def needed(self, key: str) -> str:
        """Return a text that must be there."""
        value = self._values.get(key)
        if not isinstance(value, str) or not value:
            raise self.error(key, value, "a text")
        return value

    def flag(self, key: str) -> bool:
        """Return whether something holds; left out: it does not."""
        value = self._values.get(key, False)
        if not isinstance(value, bool):
            raise self.error(key, value, "true or false")
        return value

    def pair(self, key: str, default: tuple[int, int], most: int = 2**31) -> tuple[int, int]:
        """Return two integers, the least and the most."""
        if key not in self:
            return default
        match self.items(key):
            case [int(low), int(high)] if 0 <= low <= high <= most and not (
                    isinstance(low, bool) or isinstance(high, bool)):
                return low, high
        raise self.error(key, self.value(key), "two integers, the least and the most")

    def choice(self, key: str, allowed: Iterable[str], default: str | None = None) -> str:
        """Return one of the allowed texts; without a default it must be there."""
        value = self._values.get(key, default)
        if not isinstance(value, str) or value not in allowed:
            raise self.error(key, value, f"one of {choices(allowed)}")
        return value

    def items(self, key: str) -> list[object]:
        """Return a list; empty where there is none."""
        value = self._values.get(key, [])
        if not isinstance(value, list):
            raise self.error(key, value, "a list")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts; empty where there is none."""
        values = self.items(key)
        texts = tuple(value for value in values if isinstance(value, str))
        if len(texts) != len(values):
            raise self.error(key, values, "a list of texts")
        return texts

    def nodes(self, key: str, keys: Iterable[str]) -> list[YamlNode]:
        """Return a list of mappings with some of `keys`; empty where there is none."""
        return [YamlNode(self._source, (*self._place, key, index), value, keys)
                for index, value in enumerate(self.items(key))]

    def named(self, key: str, keys: Iterable[str]) -> dict[str, YamlNode]:
        """Return mappings by name; empty where there are none."""
        value = self._values.get(key, {})
        if not isinstance(value, Mapping):
            raise self.error(key, value, "a mapping of names")
        return {str(name): YamlNode(self._source, (*self._place, key, name), item, keys)
                for name, item in value.items()}

    def _at(self, key: object) -> str:
        text = ""
        for part in (*self._place, *([key] if key != "" else [])):
            text += f"[{part}]" if isinstance(part, int) else f"{'.' if text else ''}{part}"
        return text or "the file"
