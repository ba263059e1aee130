"""The class of a message type, by the type's name."""

from __future__ import annotations

import functools
import importlib
from typing import Any

from realtime_rl.core.errors import ConfigError, installing


@functools.cache
def find(name: str) -> type[Any]:
    """Return the class of a type, as of `sensor_msgs/msg/JointState`.

    `ConfigError` when its package is not installed or has no such type.
    """
    package, _, kind = name.partition("/msg/")
    try:
        found: type[Any] = getattr(importlib.import_module(f"{package}.msg"), kind)
    except ModuleNotFoundError as error:
        raise ConfigError(f"type {name!r}: the package {package!r} is not installed; fix: "
                          f"source the ROS installation that has it, or "
                          f"{installing('ros')}") from error
    except AttributeError as error:
        raise ConfigError(f"type {name!r}: {package!r} has no such message") from error
    return found


def empty(name: str) -> Any:  # noqa: ANN401 - a message of that type
    """Return an empty message of a type; `ConfigError` as of `find`."""
    return find(name)()
