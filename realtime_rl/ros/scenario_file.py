"""A scenario's parameter file: which of its sections are of a graph, and what they say of it.

Needs no rclpy.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from realtime_rl.core.errors import ConfigError, choices
from realtime_rl.core.messages import names
from realtime_rl.core.robot.contract import Contract
from realtime_rl.core.settings.inference import InferenceParameters
from realtime_rl.ros import parameter_files
from realtime_rl.ros.parameter_files import Section
from realtime_rl.ros.scenario_settings import (
    AUTO,
    INFERENCE_NAME,
    ROBOT,
    SECTIONS,
    Settings,
    check,
    parameters_of,
    size_automatically,
)

_QOS = "qos_overrides."
_MISSPELT = 0.85
"""Likeness of a section's name to one of ours from which on it is taken for that, misspelt."""


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
        if settings.get("scenario", {}).get("workers") == AUTO:
            size_automatically(settings)
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
                     if not section.general or name in parameters_of(node)}
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
