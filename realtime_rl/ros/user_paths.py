"""Parameters that are paths: `~` in them is a user's home, as in a shell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from realtime_rl.core.settings.config import build, parameters
from realtime_rl.files import user_path

Config = TypeVar("Config")


def build_with_user_paths(config: type[Config], values: Mapping[str, object]) -> Config:
    """Make a configuration as `build` does, for this machine and user; `ConfigError`."""
    known = parameters(config)
    return build(config, {
        name: str(user_path(value)) if name in known and known[name].path
        and isinstance(value, str) and value.startswith("~") else value
        for name, value in values.items()})
