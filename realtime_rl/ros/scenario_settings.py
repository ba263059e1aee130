"""The settings of a scenario, by section, and what words of a command line change of them.

Needs no rclpy.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from realtime_rl.core.errors import ConfigError, choices
from realtime_rl.core.robot import contract_reading
from realtime_rl.core.robot.contract import Contract
from realtime_rl.core.settings import parameters as p
from realtime_rl.core.settings.config import Parameter, Value, build, parameters
from realtime_rl.core.settings.coordinator import CoordinatorParameters
from realtime_rl.core.settings.inference import InferenceParameters
from realtime_rl.ros import parameter_files
from realtime_rl.ros.user_paths import build_with_user_paths

SECTIONS: dict[str, type] = {
    "scenario": p.Scenario, "plant": p.PlantParameters, "inference": InferenceParameters,
    "coordinator": CoordinatorParameters, "actuator": p.ActuatorParameters,
    "learner": p.LearnerParameters, "monitor": p.MonitorParameters,
    "recorder": p.RecorderParameters}
ROBOT = "robot"
"""Section and executable of a robot, whose parameters are its contract."""
AUTO = "auto"
_AUTO_HOSTED = 64
"""Workers that stand ready under `workers: auto`; idle ones cost nothing but an entry in a list."""
INFERENCE_NAME = re.compile(r"inference_\d+")
_OF_ROS = {item.name: item for item in (
    Parameter("use_sim_time", bool, False, "stamps and clocks follow `/clock`"),
    Parameter("start_type_description_service", bool, True, "as every node of ROS 2 has it"))}
Settings = dict[str, dict[str, object]]
"""Parameters by section, as a parameter file and the command line give them: by the names of
`SECTIONS`, and of single inference nodes."""


def parameters_of(section: str) -> dict[str, Parameter]:
    """Return a node's parameters by name, with those that every node of ROS 2 has."""
    return {**parameters(_section(section)), **({} if section == "scenario" else _OF_ROS)}


def override(settings: Settings, assignments: Iterable[str]) -> Settings:
    """Return settings changed by `node.parameter=value` words; `ConfigError` for a bad one."""
    changed = {section: dict(values) for section, values in settings.items()}
    for assignment in assignments:
        target, equals, text = assignment.partition("=")
        section, dot, name = target.partition(".")
        if not equals or not dot:
            raise ConfigError(f"{assignment!r}: write it as 'node.parameter=value'")
        if section == ROBOT:
            changed.setdefault(ROBOT, {})[name] = parameter_files.value(text)
            continue
        known = parameters_of(section)
        if target == "scenario.workers" and text == AUTO:
            size_automatically(changed)
            continue
        if name not in known:
            raise ConfigError(f"{section}: unknown parameter {name!r}; known: {choices(known)}")
        try:
            changed.setdefault(section, {})[name] = known[name].parse(text)
        except ConfigError as error:
            raise ConfigError(f"{section}.{error}") from error
    check(changed)
    return changed


def words(text: str) -> list[str]:
    """Split several assignments at their blanks, but for those in quotes; `ConfigError`.

    A backslash stays, as it may stand before a comma within an item of a list.
    """
    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace_split, lexer.commenters, lexer.escape = True, "", ""
    try:
        return list(lexer)
    except ValueError as error:
        raise ConfigError(f"{text!r}: a quote is not closed; write values that have blanks as "
                          "'node.parameter=value' in quotes") from error


def size_automatically(settings: Settings) -> None:
    """`workers: auto`: host many, and let the coordinator choose how many of them are active."""
    settings.setdefault("scenario", {})["workers"] = _AUTO_HOSTED
    settings.setdefault("coordinator", {})["sizing"] = AUTO


def check(settings: Settings) -> None:
    """`ConfigError` names the section, parameter and value that are not allowed."""
    for section, values in settings.items():
        try:
            if section == ROBOT:
                contract_of(settings)
            else:
                build(_section(section), values if section == "scenario" else split(values)[0])
        except ConfigError as error:
            raise ConfigError(f"{section}: {error}") from error


def section_of(settings: Settings, section: str) -> Any:  # noqa: ANN401 - a section's dataclass
    """Return one section's configuration, defaults filled in."""
    return build_with_user_paths(_section(section), split(settings.get(section, {}))[0])


def contract_of(settings: Settings) -> Contract:
    """Return the contract of the robot that is in the plant's place; `ConfigError`."""
    return contract_reading.read(split(settings[ROBOT])[0])


def split(values: Mapping[str, object]) -> tuple[dict[str, object], dict[str, Value]]:
    """Return our parameters, and those that every node has; `ConfigError` where these are bad."""
    ours = {name: value for name, value in values.items() if name not in _OF_ROS}
    of_ros: dict[str, Value] = {}
    for name, item in _OF_ROS.items():
        if name in values:
            problem = item.problem(values[name])
            if problem is not None:
                raise ConfigError(problem)
            of_ros[name] = bool(values[name])
    return ours, of_ros


def _section(name: str) -> type:
    if INFERENCE_NAME.fullmatch(name):
        return InferenceParameters
    if name not in SECTIONS:
        raise ConfigError(f"unknown section {name!r}; known: {choices(SECTIONS)}")
    return SECTIONS[name]
