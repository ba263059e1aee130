"""Values in messages, by name. A draft."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.robot.message_types import SourceType


@dataclass(frozen=True, slots=True)
class Field:
    """One value, or several, of a message."""

    array: str
    name: str

    @property
    def elements(self) -> tuple[str, ...]:
        """Names of its values."""
        return (f"{self.array}.{self.name}",)

    def read(self, message: Any) -> tuple[float, ...]:  # noqa: ANN401 - of any type
        """Take the values from a message."""
        return (float(getattr(message, self.array)[list(message.name).index(self.name)]),)


def parse(text: str, source: SourceType) -> Field:
    """Read a field of a contract; `ConfigError`."""
    array, dot, name = text.partition(".")
    if not dot or array not in source.arrays:
        raise ConfigError(f"fields: {text!r} is no field of {source.name}")
    return Field(array, name)
