"""Which nodes a scenario has, with their parameters: the one graph, however it is started.

Needs no rclpy: the launch file turns a `NodeSpec` into a `launch_ros` action, the runner into a
process.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realtime_rl.core.control.exploration import LEARNER, OFF
from realtime_rl.core.errors import ConfigError, choices
from realtime_rl.core.messages import names
from realtime_rl.core.observations import names_of
from realtime_rl.core.robot import contract as robot_contract
from realtime_rl.core.robot import contract_parameters
from realtime_rl.core.settings import parameters as p
from realtime_rl.core.settings.config import Value, values_of
from realtime_rl.core.settings.coordinator import CoordinatorParameters
from realtime_rl.core.settings.inference import InferenceParameters
from realtime_rl.core.types import PlantSpec
from realtime_rl.ros import parameter_files
from realtime_rl.ros.scenario_settings import (
    INFERENCE_NAME,
    ROBOT,
    SECTIONS,
    Settings,
    contract_of,
    section_of,
    split,
)
from realtime_rl.ros.user_paths import build_with_user_paths

PACKAGE = "realtime_rl"
PARENT_VARIABLE = "REALTIME_RL_PARENT"
"""Environment of a node: the process that watches over it, and with which it ends."""
MEMORY_VARIABLE = "REALTIME_RL_MEMORY_MB"
"""Environment of a node: what it may hold at most [MiB]; 0: as much as there is."""
_FILES = {"policy", "bag", "run_dir"}
"""Parameters of nodes that name files of one run."""
_Wanted = tuple[str, str, Mapping[str, object]]
"""A node: its executable, its name, and what it is told where no section of its own says it."""


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """One node of the graph."""

    executable: str
    """Its executable in `lib/realtime_rl`, which is also its module in `realtime_rl.nodes`."""
    name: str
    namespace: str
    parameters: dict[str, Value]
    respawn: bool


def nodes(settings: Settings, plant: PlantSpec, policy: str, run_dir: str) -> list[NodeSpec]:
    """Return the nodes of a scenario.

    Args:
        settings: from `read_settings` and `override`.
        plant: the plant's spec, which the other nodes are told.
        policy: URI of the policy to start from; empty when the learner will announce one.
        run_dir: folder for exported policies.
    """
    scenario: p.Scenario = section_of(settings, "scenario")
    return [_node(settings, scenario, *node) for node in _wanted(settings, plant, policy, run_dir)]


def said_by_nodes(settings: Settings, plant: PlantSpec, policy: str, run_dir: str) -> list[str]:
    """Say which files of the scenario are not used, as a node's own section names others.

    So it is with what `ros2 param dump` wrote in another run. Arguments as of `nodes`.
    """
    lines = []
    for executable, name, given in _wanted(settings, plant, policy, run_dir):
        own = settings.get(name, {})
        said = {**settings.get(executable, {}), **own}
        for item in _FILES & said.keys() & given.keys():
            if said[item] != given[item]:
                lines.append(f"{name if item in own else executable}.{item}: {said[item]!r}, of "
                             f"its own section, goes before the scenario's, {given[item]!r}; "
                             "leave it out there to have that")
    return sorted(set(lines))


def _wanted(settings: Settings, plant: PlantSpec, policy: str, run_dir: str) -> list[_Wanted]:
    """Return the nodes that start here; arguments as of `nodes`."""
    scenario: p.Scenario = section_of(settings, "scenario")
    spec = {"period_ns": plant.period_ns, "actions": str(plant.actions),
            "observation": str(plant.observation)}
    parts = names_of(plant.observation) or ()
    inference: InferenceParameters = section_of(settings, "inference")
    learner: p.LearnerParameters = section_of(settings, "learner")
    coordinator: CoordinatorParameters = section_of(settings, "coordinator")
    actuator: p.ActuatorParameters = section_of(settings, "actuator")
    # a baseline is one from its first tick, before anything was measured
    schedule = {"schedule_algorithm": coordinator.algorithm,
                "schedule_dealing": coordinator.dealing}
    inference_names = tuple(f"inference_{index}" for index in range(scenario.processes))
    for name in settings:
        if INFERENCE_NAME.fullmatch(name) and name not in inference_names:
            raise ConfigError(f"{name}: no node of this graph, which has "
                              f"{choices(inference_names)}: see scenario.processes")
    shared = {"workers": scenario.workers, "processes": scenario.processes}
    stop_file = str(Path(run_dir) / "stopped") if run_dir else ""
    wanted: list[_Wanted] = [
        *(("inference", name, {**spec, **shared, **schedule, "process": index, "policy": policy,
                               "policy_root": run_dir if scenario.learner else "",
                               "chunk_merge": actuator.chunk_merge,
                               "exploration": LEARNER if scenario.learner else OFF,
                               "exploration_hold": learner.hold_ticks})
          for index, name in enumerate(inference_names)),
        ("actuator", "actuator", {
            **spec, "workers": scenario.workers, "robot": ROBOT in settings,
            "stop_file": stop_file, "chunk_interval": coordinator.chunk_interval}),
        ("coordinator", "coordinator", {"inference_nodes": inference_names,
                                        "workers": scenario.workers,
                                        "alive_lease": inference.alive_lease,
                                        "stale_after": actuator.stale_after,
                                        "chunk_merge": actuator.chunk_merge,
                                        "period_ns": plant.period_ns, "parts": parts}),
        ("monitor", "monitor", {"period_ns": plant.period_ns, "workers": scenario.workers}),
    ]
    if scenario.learner:
        wanted.append(("learner", "learner", {**spec, "run_dir": run_dir}))
    if scenario.record:
        wanted.insert(0, ("recorder", "recorder", {
            "bag": scenario.record, "parts": parts, "robot_topics": _robot_topics(settings)}))
    wanted.append((ROBOT, ROBOT, {"allow_second": scenario.allow_second,
                                  "gamepad_layout": actuator.gamepad_layout,
                                  "stop_file": stop_file and f"{stop_file}-{ROBOT}"})
                  if ROBOT in settings else
                  ("plant", "plant", {"allow_second": scenario.allow_second}))
    return [node for node in wanted if not scenario.nodes or node[0] in scenario.nodes]


def _node(settings: Settings, scenario: p.Scenario, executable: str, name: str,
          given: Mapping[str, object]) -> NodeSpec:
    values, of_ros = split({**given, **settings.get(executable, {}), **settings.get(name, {})})
    if executable == ROBOT:
        return NodeSpec(ROBOT, name, names.clean(scenario.namespace),
                        {**contract_parameters.as_parameters(values), **of_ros}, scenario.respawn)
    config: Any = build_with_user_paths(SECTIONS[executable], values)
    # a second recorder would find the first one's bag
    respawn = scenario.respawn and executable != "recorder"
    return NodeSpec(executable, name, names.clean(scenario.namespace),
                    {**values_of(config), **of_ros}, respawn)


def _robot_topics(settings: Settings) -> tuple[str, ...]:
    if ROBOT not in settings:
        return ()
    return tuple(f"{name}={kind}" for name, kind in
                 robot_contract.topics(contract_of(settings)).items())


def own_topics(specs: Iterable[NodeSpec]) -> list[str]:
    """Return the topics, with their namespaces, on which nobody but these nodes may publish."""
    return [f"/{spec.namespace}/{name}".replace("//", "/") for spec in specs
            if (name := _own_topic(spec))]


def _own_topic(spec: NodeSpec) -> str:
    if spec.executable == "inference":
        return f"{spec.name}/alive"
    return {"plant": "timestep", ROBOT: "timestep", "actuator": "command",
            "coordinator": "schedule"}.get(spec.executable, "")


def parameter_file(node: NodeSpec) -> str:
    """Write a node's parameters as a ROS 2 parameter file."""
    return parameter_files.write(node.parameters)
