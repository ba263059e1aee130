"""Which processes a graph has, and what each is started with."""

from __future__ import annotations

import pytest
import yaml

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.observations import ObservationSpec
from realtime_rl.core.types import ActionSpace, PlantSpec
from realtime_rl.ros import graph
from realtime_rl.ros.processes import ProcessSpec, processes
from realtime_rl.ros.scenario_settings import override, section_of

PLANT = PlantSpec("counter", 2_000_000, ObservationSpec((3,), "float32", 0.0, 1.0),
                  ActionSpace(("A", "B"), (0.0,)))


def spread(*assignments: str, apart: tuple[str, ...] = ()) -> list[ProcessSpec]:
    settings = override({}, ["scenario.learner=true", "scenario.record=bag", *assignments])
    composed = section_of(settings, "scenario").composed
    return processes(graph.nodes(settings, PLANT, "", "runs"), composed=composed, apart=apart)


def test_a_node_is_a_process_of_its_own_unless_it_is_asked_otherwise() -> None:
    found = spread("scenario.workers=2", "scenario.processes=2")
    assert {process.name: process.executables for process in found} == {
        "recorder": ("recorder",), "inference_0": ("inference",), "inference_1": ("inference",),
        "actuator": ("actuator",), "coordinator": ("coordinator",), "monitor": ("monitor",),
        "learner": ("learner",), "plant": ("plant",)}
    one = next(process for process in found if process.name == "inference_1")
    assert (one.executable, one.kind, one.arguments) == ("inference", "inference", [])
    assert one.names == ["-r", "__node:=inference_1"]
    assert list(yaml.safe_load(one.parameter_file)) == ["/**"]


def test_a_composed_graph_has_those_that_act_in_one_process_and_those_that_watch_in_another(
) -> None:
    found = {process.name: process for process in spread("scenario.composed=true",
                                                         "scenario.namespace=robot1")}
    assert {name: process.executables for name, process in found.items()} == {
        "observers": ("coordinator", "monitor", "recorder"),
        "path": ("plant", "inference", "actuator"), "learner": ("learner",)}
    path = found["path"]
    assert (path.executable, path.kind) == ("composed", "path")
    assert path.arguments == ["plant", "inference", "actuator"]
    assert path.names == ["-r", "inference:__node:=inference_0"]
    assert path.namespace == "robot1"
    written = yaml.safe_load(path.parameter_file)
    assert list(written) == ["/robot1/plant", "/robot1/inference_0", "/robot1/actuator"]
    assert written["/robot1/inference_0"]["ros__parameters"]["period_ns"] == PLANT.period_ns
    assert path.respawn and found["learner"].respawn
    assert not found["observers"].respawn  # its recorder would find the first one's bag


def test_a_recorder_of_ros_is_a_process_of_its_own() -> None:
    found = {process.name: process.executables
             for process in spread("scenario.composed=true", apart=("recorder",))}
    assert found["observers"] == ("coordinator", "monitor")
    assert found["recorder"] == ("recorder",)


def test_only_one_inference_process_can_be_composed() -> None:
    with pytest.raises(ConfigError, match="composed: one inference process"):
        spread("scenario.composed=true", "scenario.workers=2", "scenario.processes=2")
