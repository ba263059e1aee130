"""Files that a scenario names: relative ones are relative to the scenario's own folder."""

from __future__ import annotations

import re
from pathlib import Path

from realtime_rl.core.config import parameters
from realtime_rl.core.errors import RealtimeRlError
from realtime_rl.plants import registry
from realtime_rl.ros import graph

_TRACE = "trace:"
_NAMED = ("policy", "rom")
"""Where the name of a bundled file may stand, too."""
_DATED = ("record", "true")
"""A name with the date, of a folder where one is when the run begins."""


def anchored(settings: graph.Settings, folder: Path) -> graph.Settings:
    """Return settings in which every path is as seen from anywhere.

    Args:
        settings: of a parameter file.
        folder: that of the file.
    """
    changed = {section: {name: _placed(name, value, folder)
                         if name in _paths(_kind(section)) else value
                         for name, value in values.items()}
               for section, values in settings.items()}
    plant = changed.get("plant", {})
    if isinstance(plant.get("options"), list | tuple):
        plant["options"] = _options(plant, folder)
    for values in changed.values():
        latency = values.get("latency")
        if isinstance(latency, str) and latency.startswith(_TRACE):
            path, comma, rest = latency.removeprefix(_TRACE).partition(",")
            values["latency"] = f"{_TRACE}{_placed('latency', path, folder)}{comma}{rest}"
    return changed


def _kind(section: str) -> type | None:
    """Return the parameters of a section, also of one of several inference nodes."""
    return graph.SECTIONS.get(re.sub(r"_\d+$", "", section))


def _paths(kind: type | None) -> set[str]:
    return {name for name, item in parameters(kind).items() if item.path} if kind else set()


def _options(plant: dict[str, object], folder: Path) -> tuple[object, ...]:
    """Return a plant's options; those of one that there is not are left for others to refuse."""
    given = plant["options"]
    assert isinstance(given, list | tuple)
    try:
        known = _paths(registry.options(str(plant.get("name", "pyboy"))))
    except RealtimeRlError:
        return tuple(given)
    found: list[object] = []
    for word in given:
        name, equals, value = str(word).partition("=")
        found.append(f"{name}={_placed(name.strip(), value.strip(), folder)}"
                     if equals and name.strip() in known else word)
    return tuple(found)


def _placed(name: str, value: object, folder: Path) -> object:
    """Return a path as seen from anywhere; what is none, or has no need of it, stays."""
    if not isinstance(value, str) or not value or "://" in value or value.startswith("~"):
        return value
    path = folder / value  # an absolute one stays
    if name in _NAMED and "/" not in value and not Path(value).suffix and not path.is_file():
        return value  # as `catch`
    return value if (name, value) == _DATED else str(path)
