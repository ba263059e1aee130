"""Remembers a stop for the process that enforces it: started again, it is still stopped."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from realtime_rl.core.errors import ConfigError
from realtime_rl.files import sync_folder, write_atomically


class StopMemory:
    """A file that exists as long as the stop is held."""

    def __init__(self, path: Path) -> None:
        """Remember in `path`; `ConfigError` when it cannot be told whether a stop is held."""
        self.path = path
        try:
            self.held = path.exists()
            self.said = path.read_text(encoding="utf-8") if self.held else ""
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"stop_file {str(path)!r}: cannot be read ({error}); "
                              "name another file") from error

    def set(self, stopped: bool, said: str = "stopped\n") -> str:
        """Remember a stop or its release; return what hinders that, empty when nothing does.

        `said`: what is to be known of it.
        """
        try:
            if stopped:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(self.path, said.encode())
            elif self.path.exists():
                self.path.unlink()
                sync_folder(self.path.parent)
        except OSError as error:
            return f"{str(self.path)!r}: {error.strerror}"
        return ""


def stop_path(given: str, node: str, environment: Mapping[str, str]) -> Path:
    """Return the file that remembers the stops of a node.

    Args:
        given: the file that was asked for; empty: one in ROS' own folder, by domain and node.
        node: its fully qualified name.
        environment: says where that folder is.

    Raises:
        ConfigError: none was asked for, and the environment does not say.
    """
    if given:
        return Path(given)
    home = environment.get("HOME")
    folder = environment.get("ROS_HOME") or (os.path.join(home, ".ros") if home else "")
    if not folder:
        raise ConfigError("stop_file: empty, and neither ROS_HOME nor HOME is set: name a file")
    domain = environment.get("ROS_DOMAIN_ID") or "0"
    return Path(folder) / "realtime_rl" / f"stop-{domain}-{node.strip('/').replace('/', '-')}"
