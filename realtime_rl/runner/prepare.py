"""From a parameter file to the nodes to start: the same for `realtime-rl run` and `ros2 launch`."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from realtime_rl.core import observations
from realtime_rl.core.errors import ConfigError, PolicyError, choices
from realtime_rl.core.messages.policy_uri import PolicyUri
from realtime_rl.core.settings.config import parameters
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.core.settings.parameters import (
    NODES,
    LearnerParameters,
    PlantParameters,
    Scenario,
)
from realtime_rl.core.types import ActionSpace, PlantSpec
from realtime_rl.files import user_path
from realtime_rl.plants import registry
from realtime_rl.policies import external_weights
from realtime_rl.ros import environment, graph
from realtime_rl.ros.processes import ProcessSpec, processes
from realtime_rl.ros.scenario_file import read_robot, read_settings
from realtime_rl.ros.scenario_settings import ROBOT, Settings, contract_of, override, section_of
from realtime_rl.runner import agreement, scenario_paths
from realtime_rl.runner.first_policy import FirstPolicy, write_in_child
from realtime_rl.runner.recording_here import check_record, recorded_here, run_dir_of


@dataclass(frozen=True, slots=True)
class Prepared:
    """A scenario that is ready to start."""

    scenario: Scenario
    plant: PlantSpec
    nodes: list[graph.NodeSpec]
    run_dir: Path
    """Where the policies of this run are."""
    remarks: tuple[str, ...] = ()
    """What is to be said of it before it starts, in lines."""

    def processes(self, apart: Iterable[str] = ()) -> list[ProcessSpec]:
        """Return the processes that run its nodes; those of the executables `apart` are alone."""
        return processes(self.nodes, composed=self.scenario.composed, apart=apart)


def find_config(name: str) -> Path:
    """Find a scenario by path or by name; `ConfigError` names the known ones."""
    if user_path(name).is_file():
        return user_path(name)
    found = bundled("config", ".yaml")
    if name not in found:
        raise ConfigError(f"unknown scenario {name!r}: no such file, and not one of "
                          f"{choices(found)}")
    return found[name]


def find_policy(name: str) -> Path:
    """Find a policy by path or by name; `PolicyError` names the known ones."""
    if user_path(name).is_file():
        return user_path(name).resolve()
    found = bundled("policies", ".onnx")
    if name not in found:
        raise PolicyError(f"policy: {name!r} is no file, and not one of {choices(found)}")
    return found[name]


def bundled(folder: str, suffix: str) -> dict[str, Path]:
    """Return what is installed in the package's `folder`, by name."""
    prefixes = [*os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep), sys.prefix]
    return {path.stem: path for prefix in reversed(prefixes) if prefix
            for path in (Path(prefix) / "share" / graph.PACKAGE / folder).glob(f"*{suffix}")}


def prepare(config: str, assignments: Sequence[str], within: str = "", *,
            summed_up: bool = False) -> Prepared:
    """Check everything that can be checked before anything starts, and make the first policy.

    Args:
        config: path or name of a parameter file.
        assignments: `node.parameter=value` words that go before the file.
        within: namespace that the scenario's own is put into.
        summed_up: whether a report of the run is wanted, which needs its bag.

    Raises:
        ConfigError, PlantError, PolicyError, MissingDependencyError: what is wrong, in one line.
    """
    environment.check(os.environ)
    path = find_config(config)
    file = read_settings(path, assignments, within)
    said = scenario_paths.anchored(file.settings, path.absolute().parent)
    # before the command line, which may change single parameters of the contract
    said = _with_robot(override(said, [word for word in assignments
                                       if word.startswith("scenario.robot=")]))
    left_out = _policy_left_out(said, assignments)
    settings = override(said, [*(["scenario.policy="] if left_out else []), *assignments])
    if section_of(settings, "scenario").record == "true":
        name = time.strftime("rosbag2_%Y_%m_%d-%H_%M_%S")  # as `ros2 bag record` names its own
        settings = override(settings, [f"scenario.record={name}"])
    _check_contract(settings)
    settings, unrecorded = recorded_here(settings, assignments)
    settings = override(settings, [f"scenario.namespace={file.namespace}"])
    scenario: Scenario = section_of(settings, "scenario")
    if summed_up and not scenario.record:
        raise ConfigError("--html and --json: need a bag; give --record DIR as well")
    check_record(scenario.record)
    plant = _plant_spec(settings)
    nodes = graph.nodes(settings, plant, "", "")  # every value is checked before a file is written
    agreement.check(settings, plant, nodes)
    run_dir = run_dir_of(scenario)
    here = scenario.nodes or NODES
    policy = (_first_policy(settings, plant, run_dir) if {"inference", "learner"} & set(here)
              else "")
    remarks = (*(f"{plant.name}: {text}" for text in (plant.rate, plant.warning) if text),
               *left_out, *graph.said_by_nodes(settings, plant, policy, str(run_dir)),
               *(f"{path}: {note}" for note in file.passed_over), *unrecorded)
    return Prepared(scenario, plant, graph.nodes(settings, plant, policy, str(run_dir)), run_dir,
                    remarks)


def _check_contract(settings: Settings) -> None:
    """`ConfigError` for a robot's scenario that names neither its contract nor another plant."""
    if section_of(settings, "actuator").robot and not {ROBOT, "plant"} & set(settings):
        raise ConfigError("robot: a robot is to be driven, and there is no contract: give --robot "
                          "FILE (scenario.robot); `realtime-rl robot init` writes one")


def plant_and_settings(config: str, assignments: Sequence[str] = ()
                       ) -> tuple[PlantSpec, Settings]:
    """Return what a scenario controls, and its parameters; nothing is made or checked beside.

    Raises:
        ConfigError, PlantError: what is wrong, in one line.
    """
    path = find_config(config)
    said = scenario_paths.anchored(read_settings(path, assignments).settings,
                                   path.absolute().parent)
    settings = override(_with_robot(override(said, [
        word for word in assignments if word.startswith("scenario.robot=")])), assignments)
    return _as_told(_plant_spec(settings), settings), settings


def _as_told(spec: PlantSpec, settings: Settings) -> PlantSpec:
    """Return what the file tells inference of a plant that others bring, as a bridge does."""
    told = settings.get("inference", {})
    if ROBOT in settings or "plant" in (section_of(settings, "scenario").nodes or NODES):
        return spec
    return replace(spec, period_ns=int(str(told.get("period_ns", spec.period_ns))),
                   actions=ActionSpace.parse(str(told.get("actions", spec.actions))),
                   observation=observations.parse(str(told.get("observation", spec.observation))))


def _policy_left_out(settings: Settings, assignments: Sequence[str]) -> list[str]:
    """Say that the file's policy is left out; nothing where it is not.

    It is for the file's plant: for another one it is no beginning, if it fits at all.
    """
    changed = {word.partition("=")[0] for word in assignments}
    policy = section_of(settings, "scenario").policy
    if not policy or "scenario.policy" in changed or not changed & {"plant.name", "plant.options"}:
        return []
    meant = " ".join(f"{name}={value}" for name, value in settings.get("learner", {}).items())
    kept = f"; what the file says of the learner stays: {meant}" if meant else ""
    return [f"the scenario's policy {policy!r} is left out, as it is of another plant{kept}; "
            "--config rom and --config gymnasium begin with neither"]


def _plant_spec(settings: Settings) -> PlantSpec:
    """Return what the nodes are told of what they control, a robot or a plant."""
    if ROBOT in settings:
        return contract_of(settings).spec
    plant: PlantParameters = section_of(settings, "plant")
    return registry.spec(plant.name, plant.options, plant.seed)


def _with_robot(settings: Settings) -> Settings:
    """Take in the contract of a robot that stands in a file of its own; `ConfigError`."""
    path = section_of(settings, "scenario").robot
    if not path:
        return settings
    contract = {**read_robot(Path(path)).settings[ROBOT], **settings.get(ROBOT, {})}
    return override({**settings, ROBOT: contract}, ())


def _first_policy(settings: Settings, spec: PlantSpec, run_dir: Path) -> str:
    """Return the URI of the policy to start from.

    Where a learner is started, that is what it goes on from: the named policy, once more in
    `run_dir`, or an untrained one.
    """
    scenario: Scenario = section_of(settings, "scenario")
    given = find_policy(scenario.policy) if scenario.policy else None
    learns_here = scenario.learner and "learner" in (scenario.nodes or NODES)
    if given is not None and not learns_here:
        return str(PolicyUri(given.resolve(), external_weights.sha256_of(given)))
    if scenario.learner and not spec.actions.discrete:
        raise ConfigError(f"learner: it learns choices, and the actions of {spec.name!r} are "
                          "continuous: set scenario.learner=false, and scenario.policy=FILE"
                          f"{_untrained(settings)}")
    if not scenario.learner:
        raise ConfigError("policy: empty, and the learner is off: name an ONNX file "
                          "(scenario.policy=FILE), or turn the learner on"
                          f"{_untrained(settings)}")
    learner: LearnerParameters = section_of(settings, "learner")
    path = run_dir / "policy-000000.onnx"
    settled = {name: value for name, item in parameters(DqnConfig).items()
               if (value := getattr(learner, name)) != item.default
               and (learns_here or name != "device")}
    try:
        return write_in_child(FirstPolicy.of(spec, str(path), settled,
                                             "" if given is None else str(given)))
    except PolicyError as error:
        advice = ("" if given is None or str(given) not in str(error) else "; scenario.policy= "
                  "begins untrained, scenario.learner=false plays without learning")
        raise PolicyError(f"no first policy: {error}{advice}") from error


def _untrained(settings: Settings) -> str:
    """Say how an untrained policy is had; of a robot nothing, as that would move it anyhow."""
    if ROBOT in settings:
        return ""
    plant: PlantParameters = section_of(settings, "plant")
    words = ["realtime-rl", "export", "--plant", plant.name]
    words += [word for option in plant.options if option for word in ("--plant-option", option)]
    return f"; `{shlex.join([*words, 'first.onnx'])}` writes an untrained one"
