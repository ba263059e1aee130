"""Which nodes a scenario has, and what may stand in a parameter file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.enumerations import Algorithm, Dealing
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.observations import ObservationSpec, parse
from realtime_rl.core.schedule.coordination import Coordination
from realtime_rl.core.settings.config import build, parameters, values_of
from realtime_rl.core.settings.coordinator import CoordinatorParameters, policy_of
from realtime_rl.core.settings.inference import InferenceParameters
from realtime_rl.core.settings.parameters import PlantParameters
from realtime_rl.core.types import ActionSpace, PlantSpec
from realtime_rl.ros import graph
from realtime_rl.ros.graph import NodeSpec
from realtime_rl.ros.scenario_file import read_settings
from realtime_rl.ros.scenario_settings import SECTIONS, Settings, override, section_of, words

CONFIGS = sorted((Path(__file__).resolve().parents[2] / "config").glob("*.yaml"))
PLANT = PlantSpec("toy", 20_000_000, ObservationSpec((4,), "float32", -1.0, 1.0),
                  ActionSpace(("v",), (0.0,), (-0.1,), (0.1,)))


def settings_of(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "scenario.yaml"
    path.write_text(text, encoding="utf-8")
    return read_settings(path).settings


def nodes(*assignments: str) -> dict[str, NodeSpec]:
    settings = override({}, assignments)
    return {node.name: node for node in graph.nodes(settings, PLANT, "file:///p.onnx", "/run")}


def test_exploration_is_held_as_the_learner_says_live_too() -> None:
    found = nodes("learner.hold_ticks=3")
    assert found["inference_0"].parameters["exploration_hold"] == 3
    assert nodes()["inference_0"].parameters["exploration_hold"] == 8


def test_who_needs_them_is_given_the_names_of_parts(tmp_path: Path) -> None:
    several = replace(PLANT, observation=parse("front=uint8[1,2,2] 0:255; arm=float32[1] 0:1"))
    settings = settings_of(tmp_path, "scenario:\n  ros__parameters:\n    record: bag\n")
    for plant, parts in ((several, ("front", "arm")), (PLANT, ())):
        specs = {node.name: node for node in graph.nodes(settings, plant, "", "")}
        assert specs["recorder"].parameters["parts"] == parts
        assert specs["coordinator"].parameters["parts"] == parts
        assert parse(str(specs["inference_0"].parameters["observation"])) == plant.observation


@pytest.mark.parametrize(("assignments", "exploration", "root"), [
    ((), "learner", "/run"), (("scenario.learner=false",), "off", ""),
    (("scenario.learner=false", "inference.exploration=0.1", "inference.policy_root=/p"),
     "0.1", "/p"),
    (("inference.exploration=off", "inference.policy_root=/p"), "off", "/p")])
def test_nothing_explores_where_nobody_learns_unless_asked_for(
    assignments: tuple[str, ...], exploration: str, root: str
) -> None:
    found = nodes(*assignments)["inference_0"].parameters
    assert (found["exploration"], found["policy_root"]) == (exploration, root)


@pytest.mark.parametrize(("written", "meant"), [
    ("off", "off"), ("0.1", "0.1"), ("1", "1"), ("learner", "learner"), ("'off'", "off")])
def test_exploration_in_a_file_needs_no_quotes(tmp_path: Path, written: str, meant: str) -> None:
    settings = settings_of(
        tmp_path, f"inference: {{ros__parameters: {{exploration: {written}}}}}")
    made = graph.nodes(settings, PLANT, "file:///p.onnx", "/run")
    assert next(n for n in made if n.executable == "inference").parameters["exploration"] == meant


def test_another_exploration_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="inference: exploration: 'on' is not 'learner', 'off'"):
        settings_of(tmp_path, "inference: {ros__parameters: {exploration: on}}")


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_bundled_scenarios_are_sound(path: Path) -> None:
    assert graph.nodes(read_settings(path).settings, PLANT, "file:///p.onnx", "/run")


def test_a_parameter_file_is_read_by_section(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, """
scenario: {ros__parameters: {workers: 7, duration: 60}}
plant: {ros__parameters: {name: pyboy, options: ["rom=catch"]}}
learner: {ros__parameters: {learning_rate: 3e-4, gamma: 1}}
""")
    assert settings == {"scenario": {"workers": 7, "duration": 60},
                        "plant": {"name": "pyboy", "options": ["rom=catch"]},
                        "learner": {"learning_rate": 3e-4, "gamma": 1}}
    assert section_of(settings, "scenario").duration == 60.0
    assert section_of(settings, "plant").options == ("rom=catch",)
    assert section_of(settings, "actuator") == build(SECTIONS["actuator"], {})


@pytest.mark.parametrize(("written", "value"), [
    ("3e-4", 3e-4), ("1E5", 1e5), ("-.5e+1", -5.0), ("0.5", 0.5), ("7", 7), ("1e", "1e"),
    ("e5", "e5"), ("'3e-4'", "3e-4"), ("v1e5", "v1e5"), ("1e5x", "1e5x")])
def test_numbers_are_read_as_ros_reads_them(tmp_path: Path, written: str, value: object) -> None:
    text = f"plant: {{ros__parameters: {{name: {written}}}}}"
    if isinstance(value, str):
        assert settings_of(tmp_path, text) == {"plant": {"name": value}}
    else:
        with pytest.raises(ConfigError, match=f"name: {value!r} is not a string"):
            settings_of(tmp_path, text)


@pytest.mark.parametrize(("text", "message"), [
    ("", "not a ROS 2 parameter file (section: ros__parameters: …)"),
    ("- a", "not a ROS 2 parameter file"), ("a: [", "not a YAML file"),
    ("plant: 3", "'plant' has no 'ros__parameters:' with values"),
    ("plant: {name: x}", "'plant' has no 'ros__parameters:' with values"),
    ("plant: {ros__parameters: }", "'plant' has no 'ros__parameters:' with values"),
    ("plants: {ros__parameters: {}}", "unknown section 'plants': 'plant' is meant, or a node of "
     "another name; known: 'actuator', 'coordinator', 'inference', 'learner', 'monitor', "),
    ("3: {ros__parameters: {}}", "'3' is no node name of ROS 2"),
    ("rob*/plant: {ros__parameters: {}}", "'rob*' is no node name of ROS 2"),
    ("plant: {ros__parameters: {seed: 1}}\nplant: {ros__parameters: {seed: 2}}",
     "'plant' is there twice"),
    ("plant: {ros__parameters: {seed: 1, seed: 2}}", "'seed' is there twice"),
    ("/a: {scenario: {ros__parameters: {}}}\n/b: {scenario: {ros__parameters: {}}}",
     "scenario: several namespaces, 'a', 'b': choose one with scenario.namespace"),
    ("plant: {ros__parameters: {use_sim_time: 1}}", "plant: use_sim_time: 1 is not a bool"),
    ("scenario: {ros__parameters: {use_sim_time: true}}",
     "scenario: unknown parameter 'use_sim_time'; known: "),
    ("/**: {ros__parameters: {seed: x}}", ": seed: 'x' is not an integer"),
    ("/**/plant: {ros__parameters: {nme: x}}", "plant: unknown parameter 'nme'; known: "),
    ("plant: {ros__parameters: {nme: x}}", "plant: unknown parameter 'nme'; known: "),
    ("plant: {ros__parameters: {seed: x}}", "plant: seed: 'x' is not an integer"),
    ("plant: {ros__parameters: {seed: -1}}", "plant: seed: -1 is outside ≥ 0"),
    ("plant: {ros__parameters: {command_type: x}}", "plant: command_type: 'x' is not one of "
     "'float64_multi_array', 'joint_state', 'joint_trajectory', 'joy', 'twist'"),
    ("scenario: {ros__parameters: {processes: 9}}", "scenario: processes: 9 exceeds workers 4"),
])
def test_a_bad_file_gives_one_line_with_the_file_and_what_is_wrong(tmp_path: Path, text: str,
                                                                   message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings_of(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'scenario.yaml'}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read: No such file"):
        read_settings(tmp_path / "none.yaml")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ConfigError, match="not a YAML file"):
        read_settings(tmp_path / "binary")


def test_a_file_as_ros_has_them_is_read(tmp_path: Path) -> None:
    """Wildcards, a leading slash, single processes, what every node of ROS 2 has."""
    settings = settings_of(tmp_path, """
/**: {ros__parameters: {seed: 1, use_sim_time: true}}
/plant: {ros__parameters: {seed: 3}}
inference_1: {ros__parameters: {threads: 2, sessions: 2}}
/inference: {ros__parameters: {threads: 3, start_type_description_service: false}}
/*: {ros__parameters: {sessions: 4}}
scenario: {ros__parameters: {processes: 2}}
""")
    made = {node.name: node.parameters
            for node in graph.nodes(settings, PLANT, "file:///p.onnx", "/run")}
    assert [made[name]["threads"] for name in ("inference_0", "inference_1")] == [3, 2]
    assert [made[name]["sessions"] for name in ("inference_0", "inference_1")] == [4, 4]
    assert [made[name]["seed"] for name in ("plant", "inference_1", "learner")] == [3, 1, 1]
    assert all(values["use_sim_time"] is True for values in made.values())
    assert made["inference_0"]["start_type_description_service"] is False
    assert "start_type_description_service" not in made["plant"]


@pytest.mark.parametrize("text", [
    "/robot1/plant: {ros__parameters: {seed: 3}}", "robot1/plant: {ros__parameters: {seed: 3}}",
    "robot1: {plant: {ros__parameters: {seed: 3}}}", "/*/plant: {ros__parameters: {seed: 3}}",
    "/**/plant: {ros__parameters: {seed: 3}}", "/robot1/*: {ros__parameters: {seed: 3}}",
    "/robot1/**: {ros__parameters: {seed: 3}}", "plant: {ros__parameters: {seed: 3}}"])
def test_a_section_in_the_graphs_namespace_is_its_own(tmp_path: Path, text: str) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(text, encoding="utf-8")
    read = read_settings(path, ["scenario.namespace=/robot1"])
    assert section_of(read.settings, "plant").seed == 3
    assert read.passed_over == ()


@pytest.mark.parametrize("text", [
    "/robot2/plant: {ros__parameters: {seed: 3, nme: x}}", "/*: {ros__parameters: {seed: 3}}",
    "/*/*/plant: {ros__parameters: {seed: 3}}", "camera: {ros__parameters: {fps: 30}}",
    "plant_camera: {ros__parameters: {fps: 30}}", "/robot2: {plants: {ros__parameters: {}}}"])
def test_what_is_of_other_nodes_is_passed_over_and_said(tmp_path: Path, text: str) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(text, encoding="utf-8")
    read = read_settings(path, ["scenario.namespace=robot1"])
    assert read.settings == {}
    [said] = read.passed_over
    assert said.startswith("not of this graph, whose namespace is '/robot1': '/")


def test_a_scenario_in_a_namespace_is_in_it(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, """
robot1:
  scenario: {ros__parameters: {workers: 2}}
  plant: {ros__parameters: {seed: 3}}
""")
    assert settings == {"scenario": {"workers": 2, "namespace": "robot1"}, "plant": {"seed": 3}}


def test_a_scenario_that_is_in_another_namespace_than_it_says_is_anothers(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, """
robot1: {scenario: {ros__parameters: {workers: 2, namespace: robot2}}}
robot2: {plant: {ros__parameters: {seed: 3}}}
""")
    assert settings == {"scenario": {"namespace": "robot2"}, "plant": {"seed": 3}}


@pytest.mark.parametrize(("text", "namespace", "others"), [
    # named as a whole, as rcl has it
    ("/outer/robot1/scenario: {ros__parameters: {workers: 2}}\n"
     "/outer/robot1/plant: {ros__parameters: {seed: 3}}\n"
     "/robot1/plant: {ros__parameters: {seed: 4}}", "outer/robot1", "'/robot1/plant'"),
    ("scenario: {ros__parameters: {namespace: robot1}}\n"
     "/outer/*/plant: {ros__parameters: {seed: 3}}", "outer/robot1", ""),
    ("/outer/plant: {ros__parameters: {seed: 3}}\n/robot1/scenario: {ros__parameters: {}}",
     "outer", "'/robot1/scenario'"),
    # as if there were nothing around it
    ("/robot1: {scenario: {ros__parameters: {}}, plant: {ros__parameters: {seed: 3}}}",
     "outer/robot1", ""),
    ("/plant: {ros__parameters: {seed: 3}}\n/outer2/plant: {ros__parameters: {seed: 4}}",
     "outer", "'/outer2/plant'"),
    ("scenario: {ros__parameters: {namespace: /robot1}}\n"
     "/robot1/plant: {ros__parameters: {seed: 3}}", "robot1", "")])
def test_a_file_within_a_namespace_of_the_launch(
        tmp_path: Path, text: str, namespace: str, others: str) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(text, encoding="utf-8")
    read = read_settings(path, within="/outer")
    assert read.namespace == namespace
    assert read.settings["plant"] == {"seed": 3}
    assert [said.rpartition(": ")[2] for said in read.passed_over] == [others] * bool(others)


def test_what_has_no_effect_is_said(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text("""
/**: {ros__parameters: {seed: 3, frame_rate: 30}}
plant: {ros__parameters: {qos_overrides: {/command: {subscription: {depth: 3}}}}}
""", encoding="utf-8")
    read = read_settings(path)
    assert read.settings["plant"] == {"seed": 3}
    assert read.passed_over == (
        "/**: no node of this graph has 'frame_rate'",
        "/plant: qos_overrides have no effect: the QoS of this graph's topics is fixed")


@pytest.mark.parametrize(("written", "meant"), [
    ("true", "true"), ("false", ""), ("2026", "2026"), ("bag", "bag"), ("''", "")])
def test_whether_to_record_needs_no_quotes(tmp_path: Path, written: str, meant: str) -> None:
    settings = settings_of(tmp_path, f"scenario: {{ros__parameters: {{record: {written}}}}}")
    assert section_of(settings, "scenario").record == meant
    settings = override({}, [f"scenario.record={written.strip(chr(39))}"])
    assert section_of(settings, "scenario").record == meant


def test_a_process_that_is_not_there_has_no_parameters() -> None:
    assert nodes("inference_1.threads=2", "scenario.processes=2")["inference_1"].parameters[
        "threads"] == 2
    with pytest.raises(ConfigError, match="inference_1: no node of this graph, which has "
                                          "'inference_0'"):
        nodes("inference_1.threads=2")


def test_assignments_go_before_the_file() -> None:
    settings = {"scenario": {"workers": 7}, "plant": {"seed": 1}}
    changed = override(settings, [
        "scenario.workers=3", "inference.latency=lognormal:215ms,cv=0.05",
        "plant.options=rom=/a=b.gb,x=1", "scenario.learner=false", "scenario.workers=5"])
    assert changed == {
        "scenario": {"workers": 5, "learner": False}, "plant": {
            "seed": 1, "options": ("rom=/a=b.gb", "x=1")},
        "inference": {"latency": "lognormal:215ms,cv=0.05"}}
    assert settings == {"scenario": {"workers": 7}, "plant": {"seed": 1}}


@pytest.mark.parametrize(("assignment", "message"), [
    ("scenario.workers", "'scenario.workers': write it as 'node.parameter=value'"),
    ("workers=3", "'workers=3': write it as 'node.parameter=value'"),
    ("scenery.workers=3", "unknown section 'scenery'; known: "),
    ("scenario.wrkers=3", "scenario: unknown parameter 'wrkers'; known: "),
    ("scenario.workers=few", "scenario.workers: 'few' is not an integer"),
    ("scenario.workers=0", "scenario.workers: 0 is outside 1 … 4096"),
    ("scenario.learner=maybe", "scenario.learner: 'maybe' is not a bool"),
    ("scenario.processes=5", "scenario: processes: 5 exceeds workers 4")])
def test_a_bad_assignment_is_refused_in_one_line(assignment: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        override({}, [assignment])
    assert message in str(caught.value)


def test_assignments_must_fit_together() -> None:
    with pytest.raises(ConfigError, match="min_workers: 9 exceeds max_workers 3"):
        override({}, ["coordinator.max_workers=3", "coordinator.min_workers=9"])


def test_workers_may_be_chosen_by_the_coordinator(tmp_path: Path) -> None:
    made = nodes("scenario.workers=auto")
    assert made["coordinator"].parameters["sizing"] == "auto"
    assert made["inference_0"].parameters["workers"] == 64
    assert settings_of(tmp_path, "scenario: {ros__parameters: {workers: auto}}") == {
        "scenario": {"workers": 64}, "coordinator": {"sizing": "auto"}}


def test_the_nodes_of_a_scenario() -> None:
    made = nodes("scenario.workers=7", "scenario.processes=2", "scenario.record=bag")
    assert [(node.executable, node.name) for node in made.values()] == [
        ("recorder", "recorder"), ("inference", "inference_0"), ("inference", "inference_1"),
        ("actuator", "actuator"), ("coordinator", "coordinator"), ("monitor", "monitor"),
        ("learner", "learner"), ("plant", "plant")]
    assert {node.executable for node in made.values()} == set(SECTIONS) - {"scenario"}


def test_a_host_starts_the_nodes_that_it_is_told_to() -> None:
    here = nodes("scenario.nodes=plant,actuator", "scenario.processes=2")
    assert set(here) == {"plant", "actuator"}
    there = nodes("scenario.nodes=inference,coordinator", "scenario.processes=2")
    assert set(there) == {"inference_0", "inference_1", "coordinator"}
    with pytest.raises(ConfigError, match="nodes: 'arm' is not one of 'actuator'"):
        nodes("scenario.nodes=arm")


@pytest.mark.parametrize("dealing", Dealing.words())
@pytest.mark.parametrize("algorithm", Algorithm.words())
def test_nodes_begin_with_the_generation_0_that_virtual_time_has(algorithm: str, dealing: str
                                                                 ) -> None:
    made = nodes(f"coordinator.algorithm={algorithm}", f"coordinator.dealing={dealing}")
    told = build(InferenceParameters, made["inference_0"].parameters)
    first = Coordination(policy_of(build(CoordinatorParameters,
                                         made["coordinator"].parameters))).schedule
    assert told.schedule_generation == first.generation == 0
    assert told.schedule_algorithm == algorithm == first.algorithm.name.lower()
    assert told.schedule_dealing == dealing == first.dealing.name.lower()
    assert told.schedule_slot_source == first.slot_source.name.lower()


def test_learner_and_recorder_are_there_when_asked_for() -> None:
    assert not {"learner", "recorder"} & set(nodes("scenario.learner=false"))


def test_every_node_is_told_of_the_plant_and_of_the_others() -> None:
    made = nodes("scenario.workers=7", "scenario.processes=2", "scenario.record=bag",
                 "actuator.stale_after=7.5")
    spec = {"period_ns": 20_000_000, "actions": "v:-0.1:0.1 = 0", "observation": "float32[4] -1:1"}
    for name in ("inference_0", "inference_1", "actuator", "learner"):
        assert spec.items() <= made[name].parameters.items()
    shared = {"workers": 7, "processes": 2, "policy": "file:///p.onnx"}
    assert (shared | {"process": 0}).items() <= made["inference_0"].parameters.items()
    assert (shared | {"process": 1}).items() <= made["inference_1"].parameters.items()
    assert {"inference_nodes": ("inference_0", "inference_1"), "workers": 7,
            "period_ns": 20_000_000, "stale_after": 7.5,
            }.items() <= made["coordinator"].parameters.items()
    assert {"period_ns": 20_000_000, "workers": 7}.items() <= made["monitor"].parameters.items()
    assert made["learner"].parameters["run_dir"] == "/run"
    assert made["recorder"].parameters["bag"] == "bag"


def test_a_sections_own_values_reach_its_nodes() -> None:
    made = nodes("inference.threads=3", "scenario.processes=2")
    assert [made[name].parameters["threads"] for name in ("inference_0", "inference_1")] == [3, 3]


def test_every_parameter_of_a_node_is_given() -> None:
    for node in nodes("scenario.record=bag").values():
        assert list(node.parameters) == list(parameters(SECTIONS[node.executable]))


def test_a_second_recorder_would_find_the_first_ones_bag() -> None:
    made = nodes("scenario.record=bag")
    assert {node.name for node in made.values() if not node.respawn} == {"recorder"}
    assert not any(node.respawn for node in nodes("scenario.respawn=false").values())


def test_the_whole_graph_is_in_one_namespace() -> None:
    assert {node.namespace for node in nodes("scenario.namespace=robot2").values()} == {"robot2"}


def loaded(node: NodeSpec) -> dict[str, Any]:
    return yaml.safe_load(graph.parameter_file(node))["/**"]["ros__parameters"]


def test_a_nodes_parameter_file_gives_the_same_values() -> None:
    for node in nodes("scenario.record=bag", "scenario.processes=2").values():
        config = build(SECTIONS[node.executable], loaded(node))
        assert values_of(config) == node.parameters


@given(st.text(), st.floats(0, 1), st.lists(st.integers(0, 9), unique=True))
def test_any_value_survives_a_parameter_file(text: str, number: float, ids: list[int]) -> None:
    config = InferenceParameters(workers=10, policy=text, timer_phase=number,
                                 schedule_active=tuple(ids))
    read = loaded(NodeSpec("inference", "i", "", values_of(config), True))
    assert build(InferenceParameters, read) == config


@pytest.mark.parametrize("text", ["y", "N", "1e3", "nan", "true", "7", "~", ""])
def test_strings_are_quoted_for_rcl(text: str) -> None:
    """It reads a plain `y` as a boolean and a plain `1e3` as a number; see test_node_parameters."""
    node = NodeSpec("plant", "plant", "", {"name": text, "options": (text,)}, True)
    written = graph.parameter_file(node)
    assert f'"name": "{text}"' in written
    assert f'- "{text}"' in written


def test_an_empty_list_is_left_out() -> None:
    assert loaded(NodeSpec("plant", "plant", "", {"options": (), "seed": 1}, True)) == {"seed": 1}


@given(st.lists(st.text(), max_size=4).map(tuple))
def test_any_items_of_a_list_can_be_written_as_one_text(items: tuple[str, ...]) -> None:
    kept = tuple(item for item in items if item and not item.endswith("\\"))
    text = ",".join(item.replace(",", "\\,") for item in kept)
    assert parameters(PlantParameters)["options"].parse(text) == kept


@pytest.mark.parametrize(("text", "several"), [
    ("", []), ("  a.b=1\tc.d=2 ", ["a.b=1", "c.d=2"]), ("scenario.policy=''", ["scenario.policy="]),
    ('actuator.actions="A B NOOP = NOOP" a.b=#1', ["actuator.actions=A B NOOP = NOOP", "a.b=#1"]),
    (r"'plant.options=rom=/my games/a\,b.gb' a.b=\n", [r"plant.options=rom=/my games/a\,b.gb",
                                                       r"a.b=\n"])])
def test_words_in_one_text(text: str, several: list[str]) -> None:
    assert words(text) == several


def test_a_quote_that_is_not_closed_is_refused() -> None:
    with pytest.raises(ConfigError, match="a quote is not closed"):
        words("plant.options=rom=it's.gb")
