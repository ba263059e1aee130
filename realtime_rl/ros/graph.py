"""Which nodes a scenario has, with their parameters: the one graph, however it is started.

Needs no rclpy: the launch file turns a `NodeSpec` into a `launch_ros` action, the runner into a
process.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from realtime_rl.core import names
from realtime_rl.core import parameters as p
from realtime_rl.core.config import Value, build, parameters, values_of
from realtime_rl.core.errors import ConfigError, choices
from realtime_rl.core.exploration import LEARNER, OFF
from realtime_rl.core.types import PlantSpec

PACKAGE = "realtime_rl"
PARENT_VARIABLE = "REALTIME_RL_PARENT"
"""Environment of a node: the process that watches over it, and with which it ends."""
MEMORY_VARIABLE = "REALTIME_RL_MEMORY_MB"
"""Environment of a node: what it may hold at most [MiB]; 0: as much as there is."""
SECTIONS: dict[str, type] = {
    "scenario": p.Scenario, "plant": p.PlantParameters, "inference": p.InferenceParameters,
    "coordinator": p.CoordinatorParameters, "actuator": p.ActuatorParameters,
    "learner": p.LearnerParameters, "monitor": p.MonitorParameters,
    "recorder": p.RecorderParameters}
_AUTO = "auto"
_AUTO_HOSTED = 64
"""Workers that stand ready under `workers: auto`; idle ones cost nothing but an entry in a list."""
Settings = dict[str, dict[str, object]]
"""Parameters by section, as a parameter file and the command line give them."""


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """One node of the graph."""

    executable: str
    """Its executable in `lib/realtime_rl`, which is also its module in `realtime_rl.nodes`."""
    name: str
    namespace: str
    parameters: dict[str, Value]
    respawn: bool


def read_settings(path: Path) -> Settings:
    """Read a ROS 2 parameter file; `ConfigError` for an unknown section, parameter or value."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # a SafeLoader
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        line = str(error).replace("\n", " ")
        raise ConfigError(f"{path}: not a YAML file: {line}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: not a ROS 2 parameter file (section: ros__parameters: …)")
    settings: Settings = {}
    for section, body in content.items():
        if not isinstance(body, dict) or not isinstance(body.get("ros__parameters"), dict):
            raise ConfigError(f"{path}: {section!r} has no 'ros__parameters:' with values")
        settings[section] = dict(body["ros__parameters"])
    if settings.get("scenario", {}).get("workers") == _AUTO:
        _size_automatically(settings)
    try:
        check(settings)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    return settings


def override(settings: Settings, assignments: Iterable[str]) -> Settings:
    """Return settings changed by `node.parameter=value` words; `ConfigError` for a bad one."""
    changed = {section: dict(values) for section, values in settings.items()}
    for assignment in assignments:
        target, equals, text = assignment.partition("=")
        section, dot, name = target.partition(".")
        if not equals or not dot:
            raise ConfigError(f"{assignment!r}: write it as 'node.parameter=value'")
        known = parameters(_section(section))
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
        kind = _section(section)
        try:
            build(kind, values)
        except ConfigError as error:
            raise ConfigError(f"{section}: {error}") from error


def section_of(settings: Settings, section: str) -> Any:  # noqa: ANN401 - a section's dataclass
    """Return one section's configuration, defaults filled in."""
    return build(_section(section), settings.get(section, {}))


def nodes(settings: Settings, plant: PlantSpec, policy: str, run_dir: str) -> list[NodeSpec]:
    """Return the nodes of a scenario.

    Args:
        settings: from `read_settings` and `override`.
        plant: the plant's spec, which the other nodes are told.
        policy: URI of the policy to start from; empty when the learner will announce one.
        run_dir: folder for exported policies.
    """
    scenario: p.Scenario = section_of(settings, "scenario")
    spec = {"period_ns": plant.period_ns, "actions": str(plant.actions),
            "observation": str(plant.observation)}
    inference: p.InferenceParameters = section_of(settings, "inference")
    learner: p.LearnerParameters = section_of(settings, "learner")
    coordinator: p.CoordinatorParameters = section_of(settings, "coordinator")
    actuator: p.ActuatorParameters = section_of(settings, "actuator")
    # a baseline is one from its first tick, before anything was measured
    schedule = {"schedule_algorithm": coordinator.algorithm,
                "schedule_dealing": coordinator.dealing}
    inference_names = tuple(f"inference_{index}" for index in range(scenario.processes))
    shared = {"workers": scenario.workers, "processes": scenario.processes}
    wanted: list[tuple[str, str, Mapping[str, object]]] = [
        *(("inference", name, {**spec, **shared, **schedule, "process": index, "policy": policy,
                               "policy_root": run_dir if scenario.learner else "",
                               "exploration": LEARNER if scenario.learner else OFF,
                               "exploration_hold": learner.hold_ticks})
          for index, name in enumerate(inference_names)),
        ("actuator", "actuator", {
            **spec, "workers": scenario.workers,
            "stop_file": str(Path(run_dir) / "stopped") if run_dir else ""}),
        ("coordinator", "coordinator", {"inference_nodes": inference_names,
                                        "workers": scenario.workers,
                                        "alive_lease": inference.alive_lease,
                                        "max_delay_ticks": actuator.max_delay_ticks,
                                        "period_ns": plant.period_ns}),
        ("monitor", "monitor", {"period_ns": plant.period_ns, "workers": scenario.workers}),
    ]
    if scenario.learner:
        wanted.append(("learner", "learner", {**spec, "run_dir": run_dir}))
    if scenario.record:
        wanted.insert(0, ("recorder", "recorder", {"bag": scenario.record}))
    wanted.append(("plant", "plant", {"allow_second": scenario.allow_second}))
    return [_node(settings, scenario, *node) for node in wanted
            if not scenario.nodes or node[0] in scenario.nodes]


def _node(settings: Settings, scenario: p.Scenario, executable: str, name: str,
          given: Mapping[str, object]) -> NodeSpec:
    config = section_of({executable: {**given, **settings.get(executable, {})}}, executable)
    # a second recorder would find the first one's bag
    respawn = scenario.respawn and executable != "recorder"
    return NodeSpec(executable, name, names.clean(scenario.namespace), values_of(config), respawn)


def own_topics(specs: Iterable[NodeSpec]) -> list[str]:
    """Return the topics, with their namespaces, on which nobody but these nodes may publish."""
    return [f"/{spec.namespace}/{name}".replace("//", "/") for spec in specs
            if (name := _own_topic(spec))]


def _own_topic(spec: NodeSpec) -> str:
    if spec.executable == "inference":
        return f"{spec.name}/alive"
    return {"plant": "timestep", "actuator": "command",
            "coordinator": "schedule"}.get(spec.executable, "")


def parameter_file(node: NodeSpec) -> str:
    """Write a node's parameters as a ROS 2 parameter file."""
    # rcl cannot tell the type of an empty list; leaving it out means the same
    values = {name: list(value) if isinstance(value, tuple) else value
              for name, value in node.parameters.items() if value != ()}
    return str(yaml.dump({"/**": {"ros__parameters": values}}, Dumper=_QuotingDumper,
                         sort_keys=False))


class _Loader(yaml.SafeLoader):
    """Reads `3e-4` as rcl does; to PyYAML it is a string."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"),
    list("-+.0123456789"))


class _QuotingDumper(yaml.SafeDumper):
    """Quotes every string: rcl reads a plain `y`, `N` or `1e3` as something else than PyYAML."""


_QuotingDumper.add_representer(str, lambda dumper, text: dumper.represent_scalar(
    "tag:yaml.org,2002:str", text, style='"'))


def _section(name: str) -> type:
    if name not in SECTIONS:
        raise ConfigError(f"unknown section {name!r}; known: {choices(SECTIONS)}")
    return SECTIONS[name]

