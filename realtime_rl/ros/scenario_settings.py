"""What a scenario says: a parameter file and the words of a command line, by section.

Needs no rclpy.
"""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realtime_rl.core.errors import ConfigError, choices
from realtime_rl.core.messages import names
from realtime_rl.core.robot import contract_reading
from realtime_rl.core.robot.contract import Contract
from realtime_rl.core.settings import parameters as p
from realtime_rl.core.settings.config import Parameter, Value, build, parameters
from realtime_rl.core.settings.coordinator import CoordinatorParameters
from realtime_rl.core.settings.inference import InferenceParameters
from realtime_rl.ros import parameter_files
from realtime_rl.ros.parameter_files import Section
from realtime_rl.ros.user_paths import build_with_user_paths

SECTIONS: dict[str, type] = {
    "scenario": p.Scenario, "plant": p.PlantParameters, "inference": InferenceParameters,
    "coordinator": CoordinatorParameters, "actuator": p.ActuatorParameters,
    "learner": p.LearnerParameters, "monitor": p.MonitorParameters,
    "recorder": p.RecorderParameters}
ROBOT = "robot"
"""Section and executable of a robot, whose parameters are its contract."""
_AUTO = "auto"
_AUTO_HOSTED = 64
"""Workers that stand ready under `workers: auto`; idle ones cost nothing but an entry in a list."""
INFERENCE_NAME = re.compile(r"inference_\d+")
_OF_ROS = {item.name: item for item in (
    Parameter("use_sim_time", bool, False, "stamps and clocks follow `/clock`"),
    Parameter("start_type_description_service", bool, True, "as every node of ROS 2 has it"))}
_QOS = "qos_overrides."
_MISSPELT = 0.85
"""Likeness of a section's name to one of ours from which on it is taken for that, misspelt."""
Settings = dict[str, dict[str, object]]
"""Parameters by section, as a parameter file and the command line give them: by the names of
`SECTIONS`, and of single inference nodes."""


@dataclass(frozen=True, slots=True)
class ParameterFile:
    """What a parameter file says of a graph."""

    settings: Settings
    passed_over: tuple[str, ...]
    """What it says beside that, one line each."""
    namespace: str
    """Of the graph, as a whole."""


def read_settings(path: Path, assignments: Iterable[str] = (), within: str = "") -> ParameterFile:
    """Read a ROS 2 parameter file; `ConfigError` for an unknown section, parameter or value.

    Args:
        path: of the file.
        assignments: words for `override`: the graph's namespace may be among them.
        within: namespace around the graph's own. Where sections stand in it, all are named as a
            whole; else they are named as if there were nothing around them.
    """
    sections = parameter_files.read(path)
    outer = names.clean(within)
    whole = any(each.is_in(outer) for each in sections)
    asked = [text for target, _, text in (word.partition("=") for word in assignments)
             if target == "scenario.namespace"]
    try:
        namespace = names.clean(names.within(outer, asked[-1]) if asked
                                else _namespace(sections, outer, whole=whole))
        inner = f"{namespace}/".removeprefix(f"{outer}/").removesuffix("/")
        settings, passed_over = _of_graph(sections, namespace if whole else inner)
        if settings.get("scenario", {}).get("workers") == _AUTO:
            _size_automatically(settings)
        if namespace and not asked:
            settings.setdefault("scenario", {})["namespace"] = namespace
        check(settings)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    return ParameterFile(settings, passed_over, namespace)


def read_robot(path: Path) -> ParameterFile:
    """Read a parameter file that has a robot's contract; `ConfigError` where it has none."""
    file = read_settings(path)
    if ROBOT not in file.settings:
        raise ConfigError(f"{path}: has no section '{ROBOT}:' with a contract; its sections: "
                          f"{choices(file.settings)}")
    return file


def _namespace(sections: Iterable[Section], outer: str, *, whole: bool) -> str:
    """Return the graph's namespace: what the scenario says, or the one in which it stands."""
    said = {names.clean(_named(each, outer, whole=whole)) for each in sections
            if each.node == "scenario" and "*" not in each.namespace
            and not (whole and each.namespace and not each.is_in(outer))} or {outer}
    if len(said) > 1:
        raise ConfigError(f"scenario: several namespaces, {choices(said)}: choose one with "
                          "scenario.namespace")
    return said.pop()


def _named(scenario: Section, outer: str, *, whole: bool) -> str:
    """Return the namespace that a scenario's section says, or the one in which it stands."""
    if "namespace" in scenario.values:
        return names.within(outer, str(scenario.values["namespace"]))
    return scenario.namespace if whole and scenario.namespace else names.within(
        outer, scenario.namespace)


def _of_graph(sections: Iterable[Section], namespace: str) -> tuple[Settings, tuple[str, ...]]:
    """Take what the nodes of a graph know; what is of others is passed over."""
    settings: Settings = {}
    passed_over: list[str] = []
    foreign: list[str] = []
    for section in sections:
        mine = [each for each in {**SECTIONS, ROBOT: Contract, **settings,
                                  **_process(section.node)}
                if section.is_of(namespace, each)
                and not (section.general and each in ("scenario", ROBOT))]
        if not mine:
            foreign.append(_foreign(section))
            continue
        values = {name: value for name, value in section.values.items()
                  if not name.startswith(_QOS)}
        if len(values) < len(section.values):
            passed_over.append(f"{section.name}: qos_overrides have no effect: the QoS of this "
                               "graph's topics is fixed")
        unknown = set(values) if section.general else set()
        for node in mine:
            known = {name: value for name, value in values.items()
                     if not section.general or name in _known(node)}
            unknown -= known.keys()
            if known or not section.general:
                settings.setdefault(node, {}).update(known)
        if unknown:
            passed_over.append(f"{section.name}: no node of this graph has {choices(unknown)}")
    if foreign:
        passed_over.append(f"not of this graph, whose namespace is '/{namespace}': "
                           f"{choices(foreign)}")
    return settings, tuple(passed_over)


def _process(name: str) -> dict[str, type]:
    return {name: InferenceParameters} if INFERENCE_NAME.fullmatch(name) else {}


def _foreign(section: Section) -> str:
    """Return the name of another node's section; `ConfigError` where it is one of ours misspelt."""
    near = difflib.get_close_matches(section.node, SECTIONS, n=1, cutoff=_MISSPELT)
    if near and not section.namespace and not section.node.startswith(f"{near[0]}_"):
        raise ConfigError(f"unknown section {section.node!r}: {near[0]!r} is meant, or a node of "
                          "another name; known: " + choices(SECTIONS))
    return section.name


def _known(section: str) -> dict[str, Parameter]:
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
        known = _known(section)
        if target == "scenario.workers" and text == _AUTO:
            _size_automatically(changed)
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


def _size_automatically(settings: Settings) -> None:
    """`workers: auto`: host many, and let the coordinator choose how many of them are active."""
    settings.setdefault("scenario", {})["workers"] = _AUTO_HOSTED
    settings.setdefault("coordinator", {})["sizing"] = _AUTO


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
