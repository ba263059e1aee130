"""What a run starts from."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from realtime_rl.cli.main import main
from realtime_rl.core.errors import ConfigError, PlantError, PolicyError
from realtime_rl.core.policy_metadata import PolicyMetadata
from realtime_rl.core.policy_uri import PolicyUri
from realtime_rl.runner.prepare import Prepared, find_policy, prepare

SCENARIO = """
scenario: {ros__parameters: {policy: mine}}
plant: {ros__parameters: {name: counter, options: ["observation=vector"]}}
learner: {ros__parameters: {network: mlp, stack: 1, seed: 3}}
"""


@pytest.fixture
def scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a scenario whose policy, with weights of seed 7, is an installed one."""
    folder = tmp_path / "prefix" / "share" / "realtime_rl" / "policies"
    folder.mkdir(parents=True)
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path / "prefix"))
    assert main(["export", "--plant", "counter", "--plant-option", "observation=vector",
                 "--network", "mlp", "--stack", "1", "--seed", "7",
                 str(folder / "mine.onnx")]) == 0
    path = tmp_path / "scenario.yaml"
    path.write_text(SCENARIO)
    return path


def prepared(scenario: Path, *assignments: str) -> Prepared:
    return prepare(str(scenario), [f"scenario.run_dir={scenario.parent / 'run'}", *assignments])


def first_policy(run: Prepared) -> Path:
    """Return where the policy is that the inference nodes start from."""
    text, = {str(node.parameters["policy"]) for node in run.nodes if node.executable == "inference"}
    return PolicyUri.parse(text).path


def weights(path: Path) -> list[bytes]:
    return [item.SerializeToString() for item in onnx.load(str(path)).graph.initializer]


def version(path: Path) -> int:
    props = {item.key: item.value for item in onnx.load(str(path)).metadata_props}
    metadata = PolicyMetadata.from_props(props)
    assert metadata is not None
    return metadata.version


def test_a_learner_goes_on_from_what_acts_first(scenario: Path) -> None:
    first = first_policy(prepared(scenario))
    assert first == scenario.parent / "run" / "policy-000000.onnx"
    assert weights(first) == weights(find_policy("mine"))
    assert version(first) == 0


def test_without_a_learner_the_policy_acts_as_it_is(scenario: Path) -> None:
    assert first_policy(prepared(scenario, "scenario.learner=false")) == find_policy("mine")


def test_where_the_learner_is_on_another_host_the_policy_acts_as_it_is(scenario: Path) -> None:
    assert first_policy(prepared(scenario, "scenario.nodes=inference")) == find_policy("mine")


@pytest.mark.parametrize("word", [
    "scenario.policy=", "plant.options=observation=vector,random_phase=true",
    "plant.name=counter"])
def test_another_plant_begins_untrained(scenario: Path, word: str) -> None:
    assert weights(first_policy(prepared(scenario, word))) != weights(find_policy("mine"))


def test_a_policy_that_is_asked_for_is_for_another_plant_too(scenario: Path) -> None:
    first = first_policy(prepared(scenario, "plant.name=counter", "scenario.policy=mine"))
    assert weights(first) == weights(find_policy("mine"))


def test_a_policy_that_the_learner_cannot_go_on_from_is_refused(scenario: Path) -> None:
    with pytest.raises(PolicyError, match=r"its stack is '1', not '2'; scenario\.policy= begins"):
        prepared(scenario, "learner.stack=2")


def test_a_gpu_that_there_is_not_is_refused_where_the_learner_is(
    scenario: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    words = ["scenario.policy=", "learner.device=cuda"]
    for first in (words, words[1:]):
        with pytest.raises(PolicyError, match=r"no first policy: .*'cuda': torch .* with CUDA$"):
            prepared(scenario, *first)
    assert first_policy(prepared(scenario, *words, "scenario.nodes=inference")).is_file()


def test_a_policy_that_is_nowhere_is_refused_with_what_there_is(scenario: Path) -> None:
    with pytest.raises(PolicyError, match=r"'yours' is no file, and not one of .*'mine'"):
        prepared(scenario, "scenario.policy=yours")


@pytest.mark.parametrize(("word", "message"), [
    ("actuator.gamepad_layout=A=0", "no place for"),
    ("plant.command_type=twist", "command_type: the plant has 'twist', the actuator 'joy': "
                                 "commands would not be understood; set both"),
    ("plant.gamepad_layout=LEFT=0", "gamepad_layout: the plant has 'LEFT=0', the actuator 'auto'")])
def test_a_layout_that_one_side_would_misread_is_refused(
    scenario: Path, word: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        prepared(scenario, word)


def test_how_the_plants_rate_comes_about_is_told(scenario: Path) -> None:
    pytest.importorskip("gymnasium")
    assert prepared(scenario).notes == ()
    run = prepared(scenario, "plant.name=gymnasium", "plant.options=id=CartPole-v1,frameskip=2")
    assert run.notes == ("gymnasium:CartPole-v1: 25 ticks a second: 50 frames a second "
                         "(render_fps), 1 a step, 2 step(s) a tick",)


def test_a_plant_that_cannot_begin_is_refused_before_anything_starts(
    scenario: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gymnasium = pytest.importorskip("gymnasium")
    env = gymnasium.make("CartPole-v1").unwrapped
    monkeypatch.setattr(type(env), "reset", lambda self: None)
    with pytest.raises(PlantError, match="'CartPole-v1' fails in its reset: TypeError"):
        prepared(scenario, "plant.name=gymnasium", "plant.options=id=CartPole-v1")
