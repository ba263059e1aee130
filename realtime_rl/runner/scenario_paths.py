"""Files that a scenario names: relative ones are relative to the scenario's own folder."""

from __future__ import annotations

import re
from pathlib import Path

from realtime_rl.core.policy.options import FILE
from realtime_rl.core.settings.config import parameters
from realtime_rl.files import beside
from realtime_rl.plants import option_paths
from realtime_rl.ros.scenario_settings import SECTIONS, Settings

_TRACE = "trace:"
_CONSTANTS = "policy_constants"
_NAMED = "policy"
"""Where the name of a bundled file may stand, too."""
_DATED = ("record", "true")
"""A name with the date, of a folder where one is when the run begins."""


def anchored(settings: Settings, folder: Path) -> Settings:
    """Return settings in which every path is as seen from anywhere.

    Args:
        settings: of a parameter file.
        folder: that of the file.
    """
    changed = {section: {name: _placed(name, value, folder) if name in _paths(section) else value
                         for name, value in values.items()}
               for section, values in settings.items()}
    plant = changed.get("plant", {})
    options = plant.get("options")
    if isinstance(options, list | tuple) and all(isinstance(word, str) for word in options):
        plant["options"] = option_paths.anchored(
            str(plant.get("name", "pyboy")), options, folder)
    for values in changed.values():
        if "latency" in values:
            values["latency"] = _trace(values["latency"], folder)
        constants = values.get(_CONSTANTS)
        if isinstance(constants, list | tuple):
            values[_CONSTANTS] = [_constant(word, folder) for word in constants]
    return changed


def _trace(latency: object, folder: Path) -> object:
    """Place the file of an emulated latency, `trace:durations.csv`."""
    if not isinstance(latency, str) or not latency.startswith(_TRACE):
        return latency
    path, comma, rest = latency.removeprefix(_TRACE).partition(",")
    return f"{_TRACE}{beside(folder, path)}{comma}{rest}"


def _constant(word: object, folder: Path) -> object:
    """Place the file of a constant, `instruction=tokens.npy`."""
    if not isinstance(word, str) or not word.endswith(FILE):
        return word
    name, equals, path = word.partition("=")
    return f"{name}{equals}{beside(folder, path.strip())}"


def _paths(section: str) -> set[str]:
    """Return the parameters of a section that are paths, also of one of several processes."""
    kind = SECTIONS.get(re.sub(r"_\d+$", "", section))
    return {name for name, item in parameters(kind).items() if item.path} if kind else set()


def _placed(name: str, value: object, folder: Path) -> object:
    if not isinstance(value, str) or (name, value) == _DATED:
        return value
    return beside(folder, value, named=name == _NAMED)
