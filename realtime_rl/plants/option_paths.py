"""Files that a plant's options name: relative ones are relative to whatever file says them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from realtime_rl.core.errors import RealtimeRlError
from realtime_rl.core.settings.config import parameters
from realtime_rl.files import beside
from realtime_rl.plants import registry

_NAMED = ("rom", "rules")
"""Where the name of a bundled file may stand, too."""


def anchored(plant: str, options: Iterable[str], folder: Path) -> tuple[str, ...]:
    """Return options, as `key=value`, whose paths are as seen from anywhere.

    Those of a plant that there is not are left for others to refuse.

    Args:
        plant: its name.
        options: as a file says them.
        folder: that of the file.
    """
    try:
        known = parameters(registry.options(plant))
    except RealtimeRlError:
        return tuple(options)
    found = []
    for word in options:
        key, equals, value = word.partition("=")
        name = key.strip()
        is_path = bool(equals) and name in known and known[name].path
        found.append(f"{name}={beside(folder, value.strip(), named=name in _NAMED)}"
                     if is_path else word)
    return tuple(found)
