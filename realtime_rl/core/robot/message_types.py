"""Types of messages that robots speak: one entry each. A draft."""

from __future__ import annotations

from dataclasses import dataclass

from realtime_rl.core.errors import ConfigError, choices


@dataclass(frozen=True, slots=True)
class SourceType:
    """A type that a source may have."""

    name: str
    has_header: bool = True
    is_image: bool = False
    arrays: tuple[str, ...] = ()
    """Arrays whose values are called by `name`, as of a JointState."""


SOURCES = {each.name: each for each in (
    SourceType("sensor_msgs/msg/JointState", arrays=("position", "velocity", "effort")),
    SourceType("sensor_msgs/msg/Image", is_image=True),
)}


def source(name: str) -> SourceType:
    """Return a type by name; `ConfigError` names those that there are."""
    if name not in SOURCES:
        raise ConfigError(f"type: {name!r} is not one of {choices(SOURCES)}")
    return SOURCES[name]
