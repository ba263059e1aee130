"""Where a run is recorded, whether that is here, and where its policies lie."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.settings.parameters import Scenario
from realtime_rl.files import make_parents
from realtime_rl.ros.scenario_settings import ROBOT, Settings, override, section_of


def check_record(record: str) -> None:
    """`ConfigError` where a bag could not be made."""
    if record and Path(record).exists():
        raise ConfigError(f"record: {record!r} exists already; name another folder")
    try:
        if record:
            make_parents(Path(record).absolute())
    except OSError as error:
        raise ConfigError(f"record: {record!r} cannot be written: {error.strerror}") from error


def recorded_here(settings: Settings, assignments: Sequence[str]
                   ) -> tuple[Settings, tuple[str, ...]]:
    """Where only some nodes start here: whether the recorder is one of them; what to say of it.

    `ConfigError` for a node that is named and would have nothing to do.
    """
    scenario: Scenario = section_of(settings, "scenario")
    here, record = scenario.nodes, scenario.record
    stranger, instead = (("plant", ROBOT) if ROBOT in settings else (ROBOT, "plant"))
    if stranger in here:
        raise ConfigError(f"nodes: {stranger!r} is named, and "
                          + (f"a {instead} stands in its place" if ROBOT in settings else
                             "there is no contract: name its file as scenario.robot"))
    if "learner" in here and not scenario.learner:
        raise ConfigError("nodes: 'learner' is named, but scenario.learner is false")
    if "recorder" in here and not record:
        raise ConfigError("nodes: 'recorder' is named, but has nothing to record to: name a new "
                          "folder as scenario.record")
    if not here or not record or "recorder" in here:
        return settings, ()
    if any(word.startswith("scenario.record=") for word in assignments):
        return override(settings, [f"scenario.nodes={','.join((*here, 'recorder'))}"]), ()
    left = ["scenario.record="]
    if not scenario.run_dir:
        left.append(f"scenario.run_dir={_beside(record)}")
    return override(settings, left), (
        f"not recorded here: the file's scenario.record ({record!r}) is for the host whose nodes "
        "have the 'recorder'",)


def _beside(record: str) -> str:
    """Where a bag's policies lie: where a pattern for bags, as `rosbag2_*`, does not find them."""
    folder, name = os.path.split(record.rstrip("/"))
    return os.path.join(folder, f"policies-{name}")


def run_dir_of(scenario: Scenario) -> Path:
    """Make the folder for policies: as asked, beside the bag, or a temporary one."""
    if not scenario.run_dir and not scenario.record:
        return Path(tempfile.mkdtemp(prefix="realtime_rl-"))
    folder = Path(scenario.run_dir or _beside(scenario.record)).resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be made: {error.strerror}") from error
    return folder
