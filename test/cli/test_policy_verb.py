"""`realtime-rl policy`: a file alone, with a plant, with a scenario; refusals in one line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

pytest.importorskip("onnxruntime")

from policies.tiny_policies import goal_taker, model, written

from benchmarks import chunk_policy
from realtime_rl.cli.main import main
from realtime_rl.core.observations import ObservationSpec

COUNTER = ObservationSpec((2,), "float32", 0, 2.0**24)
PLANT = ["--plant", "counter", "--runs", "3"]


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A policy of the counter, without metadata."""
    file = tmp_path / "it.onnx"
    file.write_bytes(model(COUNTER, 1, np.ones((2, 3))).SerializeToString())
    return str(file)


def test_a_file_alone_is_described(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", path]) == 0
    printed = capsys.readouterr().out
    assert all(words in printed for words in (
        path, "input", "x", "tensor(float)", "[1, 2]", "y", "[1, 3]",
        "It was not compared with a plant: name a scenario"))


def test_metadata_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", str(written(tmp_path / "new", 4))]) == 0
    printed = capsys.readouterr().out
    assert "realtime_rl.version" in printed
    assert "realtime_rl.producer" in printed


def test_with_a_plant_it_is_tried(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", path, *PLANT]) == 0
    printed = capsys.readouterr().out
    assert "part 'float32[2] 0:1.67772e+07' as float32" in printed or "part 'float32[2]" in printed
    assert "acts: one value a choice, the largest acts" in printed
    assert "of 3 runs" in printed
    assert "counter: a tick every 20 ms; workers for an action at every tick: 1" in printed


def test_json_has_what_is_printed(path: str, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    assert main(["policy", path, *PLANT, "--json", str(out)]) == 0
    document: dict[str, Any] = json.loads(out.read_text())
    assert document["inputs"] == [{"name": "x", "type": "tensor(float)", "shape": [1, 2],
                                   "fed": document["inputs"][0]["fed"]}]
    assert (document["plant"], document["period_ms"], document["workers"]) == ("counter", 20.0, 1)
    assert document["chunk"] is None
    assert not document["recurrent"]
    assert document["duration_ms"]["median"] <= document["duration_ms"]["p95"]


def test_a_scenario_says_what_its_parameters_do(
    tmp_path: Path, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = tmp_path / "it.yaml"
    scenario.write_text(
        "plant: {ros__parameters: {name: counter}}\n"
        "inference: {ros__parameters: {policy_normalize: ['x scale=1/4 mean=2']}}\n")
    assert main(["policy", path, "--config", str(scenario), "--runs", "3"]) == 0
    assert "as float32, scale=0.25 mean=2" in capsys.readouterr().out
    assert main(["policy", path, "--config", str(scenario), "--runs", "3",
                 "--policy-normalize", "x scale=1/2"]) == 0
    assert "as float32, scale=0.5" in capsys.readouterr().out
    assert main(["policy", path, "--config", str(scenario), "--runs", "3",
                 "--set", "plant.options=period_ms=10"]) == 0
    assert "a tick every 10 ms" in capsys.readouterr().out


def test_a_plant_that_others_bring_is_as_the_scenario_says(
    tmp_path: Path, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = tmp_path / "bridge.yaml"
    scenario.write_text(
        "scenario: {ros__parameters: {nodes: [inference, coordinator, actuator]}}\n"
        "/**: {ros__parameters: {period_ns: 50000000, actions: 'A B C = C',\n"
        "                        observation: 'float32[2] -1:1'}}\n"
        "plant: {ros__parameters: {name: counter, options: [observation=image]}}\n")
    assert main(["policy", path, "--config", str(scenario), "--runs", "3"]) == 0
    assert "a tick every 50 ms" in capsys.readouterr().out


@pytest.mark.parametrize(("words", "said"), [
    (["--plant", "counter", "--plant-option", "observation=image"],
     "its input has shape [1, 2], the plant's observations need [1, 1, 8, 8]"),
    (["--plant", "counter", "--plant-option", "actions=4"], "the plant's actions need [1, 4]"),
    (["--plant", "nobody"], "nobody"),
    (["--config", "nobody"], "unknown scenario 'nobody'"),
    (["--plant-option", "a=1"], "--plant-option: needs --plant NAME"),
    (["--set", "plant.name=counter"], "--set: is of a scenario; name it with --config"),
    (["--robot", "arm.yaml"], "--robot: is of a scenario; name it with --config"),
    (["--config", "robot", "--robot", "nowhere.yaml"], "nowhere.yaml"),
    (["--runs", "0"], "--runs 0 must be 1 … 100000"),
    ([*PLANT, "--policy-inputs", "y=observation"], "inputs name 'y', but its inputs are 'x'"),
    ([*PLANT, "--policy-inputs", "x"], "'x' must be like 'observation.state=state'"),
    ([*PLANT, "--policy-output", "z"], "output 'z' is to act, but its outputs are 'y'"),
    ([*PLANT, "--policy-output", "gaussian_tanh"], "which gives values between limits"),
    ([*PLANT, "--policy-constants", "z=1"], "constants name 'z'"),
    ([*PLANT, "--policy-constants", "x=none.npy"], "'none.npy' cannot be read"),
    ([*PLANT, "--policy-descriptors", "none.yaml"], "'none.yaml' cannot be read"),
    ([*PLANT, "--chunk-period", "soon"], "--chunk-period: "),
    ([*PLANT, "--chunk-period", "40ms"], "chunk_period: it gives single actions, no chunk"),
])
def test_bad_input_is_one_line(path: str, words: list[str], said: str,
                               capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", path, *words]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("realtime-rl policy: error: ")
    assert said in line


def test_a_prefix_is_explained_and_a_scenario_that_asks_for_one(
    tmp_path: Path, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = chunk_policy.carry_on(tmp_path / "on.onnx", 9, max_prefix=4)
    assert main(["policy", str(told), *PLANT]) == 0
    printed = capsys.readouterr().out
    assert "prefix: how many of its rows act before the chunk can, D - 1" in printed
    assert "it takes a prefix of 4 rows at most, here " in printed
    scenario = tmp_path / "it.yaml"
    scenario.write_text("plant: {ros__parameters: {name: counter}}\n"
                        "actuator: {ros__parameters: {chunk_merge: prefix}}\n")
    assert main(["policy", str(told), "--config", str(scenario), "--runs", "3"]) == 0
    assert main(["policy", path, "--config", str(scenario), "--runs", "3"]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "takes no prefix, and chunk_merge is 'prefix'" in line


@pytest.mark.parametrize("content", [None, b"", b"no model"])
def test_what_is_no_policy_is_one_line(tmp_path: Path, content: bytes | None,
                                       capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "it.onnx"
    if content is not None:
        path.write_bytes(content)
    assert main(["policy", str(path)]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_an_array_from_a_file_is_a_constant(tmp_path: Path, capsys: pytest.CaptureFixture[str]
                                            ) -> None:
    proto = model(COUNTER, 1, np.ones((2, 3)))
    proto.graph.input.append(onnx.helper.make_tensor_value_info(
        "tokens", onnx.TensorProto.INT64, [1, 2, 2]))
    proto.graph.node.insert(0, onnx.helper.make_node("Identity", ["tokens"], ["unused"]))
    path, array = tmp_path / "it.onnx", tmp_path / "tokens.npy"
    path.write_bytes(proto.SerializeToString())
    np.save(array, np.arange(4).reshape(1, 2, 2))
    assert main(["policy", str(path), *PLANT, "--policy-constants", f"tokens={array}"]) == 0
    assert "constant: [0, 1, 2, 3]" in capsys.readouterr().out
    np.save(array, np.arange(4))
    assert main(["policy", str(path), *PLANT, "--policy-constants", f"tokens={array}"]) == 2
    assert "constant 'tokens' has shape [4]" in capsys.readouterr().err
    np.save(array, np.array([{}], dtype=object), allow_pickle=True)
    assert main(["policy", str(path), *PLANT, "--policy-constants", f"tokens={array}"]) == 2
    assert "cannot be read" in capsys.readouterr().err


@pytest.fixture
def aimed(tmp_path: Path) -> str:
    """A policy of the counter that takes a goal of two values."""
    proto = goal_taker("n")
    del proto.graph.input[0].type.tensor_type.shape.dim[1:]
    proto.graph.input[0].type.tensor_type.shape.dim.add().dim_value = 2
    proto.graph.node.insert(0, onnx.helper.make_node("ReduceSum", ["x"], ["s"], keepdims=1))
    proto.graph.node[0].input.append("axis")
    proto.graph.initializer.append(onnx.numpy_helper.from_array(np.array([1]), "axis"))
    proto.graph.node[2].input[0] = "s"
    file = tmp_path / "aimed.onnx"
    file.write_bytes(proto.SerializeToString())
    return str(file)


@pytest.mark.parametrize(("goal", "words"), [
    ("goal", "before the first one it does not act"), ("goal=1,2", "it begins with [1.0, 2.0]")])
def test_a_goal_is_said_to_come_from_its_topic(
    aimed: str, capsys: pytest.CaptureFixture[str], goal: str, words: str
) -> None:
    assert main(["policy", aimed, *PLANT, "--policy-goal", goal]) == 0
    assert f"goal: the newest 2 value(s) of the topic 'goal'; {words}" in capsys.readouterr().out


def test_runs_of_several_observations_are_timed_for_the_planner(
    aimed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.json"
    asked = ["policy", aimed, *PLANT, "--policy-goal", "goal", "--batches", "4", "2"]
    assert main([*asked, "--json", str(out)]) == 0
    assert [*json.loads(out.read_text())["batch_ms"]] == ["2", "4"]
    assert main(asked) == 0
    assert "`realtime-rl plan --batch 2=" in capsys.readouterr().out


@pytest.mark.parametrize(("words", "message"), [
    (["--batches", "2"], "--batches: needs a scenario or a plant"),
    ([*PLANT, "--batches", "0"], "--batches: 0 is outside 1 … 1024"),
])
def test_sizes_that_cannot_be_are_refused_in_one_line(
    path: str, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert main(["policy", path, *words]) == 2
    said = capsys.readouterr().err
    assert re.search(message, said)
    assert said.count("\n") == 1


def test_a_graph_of_one_observation_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proto = model(COUNTER, 1, np.ones((2, 3)))
    proto.graph.node[-1].output[0] = "m"
    proto.graph.node.append(onnx.helper.make_node("Reshape", ["m", "shape"], ["y"]))
    proto.graph.initializer.append(onnx.numpy_helper.from_array(np.array([1, 3]), "shape"))
    file = tmp_path / "one.onnx"
    file.write_bytes(proto.SerializeToString())
    assert main(["policy", str(file), *PLANT]) == 0
    assert main(["policy", str(file), *PLANT, "--batches", "2"]) == 2
    said = capsys.readouterr().err
    assert "cannot take inference.batch=2: its output 'y'" in said
    assert said.count("\n") == 1


def test_virtual_time_takes_the_goal_that_it_begins_with(
    aimed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["simulate", "--plant", "counter", "--steps", "20", "--policy", aimed]
    assert main([*asked, "--policy-goal", "goal=1,2"]) == 0
    capsys.readouterr()
    assert main([*asked, "--policy-goal", "goal"]) == 2
    said = capsys.readouterr().err
    assert "nobody gives the goal of its input 'goal' in virtual time" in said
    assert "policy_goal=goal=…, 2 value(s)" in said
