"""What a run starts from."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import onnx
import pytest

from realtime_rl import strict_json
from realtime_rl.cli.main import main
from realtime_rl.core.errors import ConfigError, PlantError, PolicyError
from realtime_rl.core.messages.policy_metadata import PolicyMetadata
from realtime_rl.core.messages.policy_uri import PolicyUri
from realtime_rl.core.settings.config import parameters
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.plants import rom_files
from realtime_rl.runner import prepare as module
from realtime_rl.runner.first_policy import FirstPolicy, write
from realtime_rl.runner.prepare import Prepared, find_policy, prepare
from realtime_rl.runner.scenario_paths import anchored

SCENARIO = """
scenario: {ros__parameters: {policy: mine}}
plant: {ros__parameters: {name: counter, options: ["observation=vector"]}}
learner: {ros__parameters: {network: mlp, stack: 1, seed: 3}}
"""


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where a policy, with weights of seed 7, is installed."""
    prefix = tmp_path_factory.mktemp("prefix")
    folder = prefix / "share" / "realtime_rl" / "policies"
    folder.mkdir(parents=True)
    assert main(["export", "--plant", "counter", "--plant-option", "observation=vector",
                 "--network", "mlp", "--stack", "1", "--seed", "7",
                 str(folder / "mine.onnx")]) == 0
    return prefix


@pytest.fixture
def scenario(tmp_path: Path, prefix: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a scenario whose policy is the installed one."""
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(prefix))
    path = tmp_path / "scenario.yaml"
    path.write_text(SCENARIO)
    return path


def prepared(scenario: Path, *assignments: str) -> Prepared:
    return prepare(str(scenario), [f"scenario.run_dir={scenario.parent / 'run'}", *assignments])


@pytest.fixture
def unwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no first policy be written, which takes seconds."""
    monkeypatch.setattr(module, "_first_policy", lambda settings, plant, folder: "file:///p.onnx")


@pytest.fixture
def written_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a first policy be written in this process, which has torch already: as its child would.

    Where this is not asked for, the child is tried as well.
    """
    def write_here(wanted: FirstPolicy) -> str:
        told = strict_json.loads(strict_json.dumps_exactly(dataclasses.asdict(wanted)))
        return str(write(FirstPolicy(**told)))

    monkeypatch.setattr(module, "write_in_child", write_here)


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
@pytest.mark.usefixtures("written_here")
def test_another_plant_begins_untrained(scenario: Path, word: str) -> None:
    assert weights(first_policy(prepared(scenario, word))) != weights(find_policy("mine"))


@pytest.mark.usefixtures("written_here")
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
    for word in ("scenario.policy=", "scenario.policy=mine"):
        with pytest.raises(PolicyError, match=r"no first policy: .*'cuda': torch .* with CUDA$"):
            prepared(scenario, word, "learner.device=cuda")


@pytest.mark.usefixtures("written_here")
def test_a_gpu_is_the_concern_of_the_host_that_has_the_learner(scenario: Path) -> None:
    run = prepared(scenario, "scenario.policy=", "learner.device=cuda", "scenario.nodes=inference")
    assert first_policy(run).is_file()


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


@pytest.mark.parametrize("more", [[], ["plant.command_type=twist"]])
def test_commands_that_cannot_say_the_actions_are_refused_before_a_node_starts(
    scenario: Path, more: list[str]
) -> None:
    nodes = [] if more else ["scenario.nodes=actuator"]
    with pytest.raises(ConfigError, match=r"'twist' needs a continuous action space.*use 'joy'"):
        prepared(scenario, "actuator.command_type=twist", *more, *nodes)


@pytest.mark.parametrize(("words", "message"), [
    (["actuator.actions=A B = B"], "actions: of actuator it is 'A B = B', of plant 'A0 A1 A2 = A0'"
                                   ": they would not understand each other; the plant says it"),
    (["inference_0.observation=float32[7] -1:1"], "observation: of inference_0 it is 'float32"),
    (["monitor.period_ns=7"], "period_ns: of monitor it is '7', of plant '20000000'"),
    (["inference.workers=7", "scenario.workers=3"],
     "workers: of inference_0 it is '7', of scenario '3': .* scenario says it, so leave it out"),
    (["inference_0.processes=2"], "processes: of inference_0 it is '2', of scenario '1'"),
    (["scenario.nodes=inference,actuator", "actuator.actions=A B = B"],
     "actions: of actuator it is 'A B = B', of inference_0 'A0 A1 A2 = A0': .* give both the same"),
])
def test_nodes_that_were_told_differently_are_refused(
    scenario: Path, unwritten: None, words: list[str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        prepared(scenario, *words)


def test_a_robot_is_of_what_its_nodes_are_told_whatever_the_plant_of_the_file(
    scenario: Path, unwritten: None
) -> None:
    """Written otherwise, it is the same."""
    run = prepared(scenario, "scenario.nodes=inference,actuator", "inference.actions=A B = B",
                   "actuator.actions=A  B = B", "scenario.learner=false",
                   "scenario.policy=mine")
    assert executables(run) == ["inference", "actuator"]


def executables(run: Prepared) -> list[str]:
    return [node.executable for node in run.nodes]


def test_a_recording_that_is_asked_for_is_made_whatever_the_nodes(scenario: Path) -> None:
    bag = scenario.parent / "bag"
    run = prepared(scenario, f"scenario.record={bag}", "scenario.nodes=plant,actuator")
    assert executables(run) == ["recorder", "actuator", "plant"]
    assert run.scenario.record == str(bag)
    assert run.remarks == ()


def test_a_recording_that_the_file_asks_for_is_of_the_host_that_has_the_recorder(
    scenario: Path
) -> None:
    bag = scenario.parent / "bag"
    scenario.write_text(SCENARIO.replace("policy: mine", f"policy: mine, record: '{bag}'"))
    run = prepare(str(scenario), ["scenario.nodes=plant,actuator"])
    assert executables(run) == ["actuator", "plant"]
    assert run.scenario.record == ""
    assert run.run_dir == scenario.parent / "policies-bag"
    assert run.remarks[0].startswith(f"not recorded here: the file's scenario.record ('{bag}')")
    assert "recorder" in executables(prepared(scenario, "scenario.nodes=plant,recorder"))


@pytest.mark.parametrize(("words", "message"), [
    (["scenario.nodes=plant,recorder"], "nodes: 'recorder' is named, but has nothing to record to"),
    (["scenario.nodes=learner", "scenario.learner=false"], "nodes: 'learner' is named, but")])
def test_a_node_that_is_named_has_something_to_do(
    scenario: Path, words: list[str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        prepared(scenario, *words)


def test_a_namespace_is_put_into_the_one_around_it(scenario: Path) -> None:
    words = [f"scenario.run_dir={scenario.parent / 'run'}", "scenario.namespace=robot1"]
    run = prepare(str(scenario), words, within="/fleet")
    assert run.scenario.namespace == "fleet/robot1"
    assert {node.namespace for node in run.nodes} == {"fleet/robot1"}
    with scenario.open("a", encoding="utf-8") as file:
        file.write("/fleet/robot1/plant: {ros__parameters: {seed: 3}}\n")
    run = prepare(str(scenario), words, within="/fleet")
    assert [node.parameters["seed"] for node in run.nodes if node.name == "plant"] == [3]


@pytest.mark.usefixtures("unwritten")
def test_how_the_plants_rate_comes_about_is_told(scenario: Path) -> None:
    pytest.importorskip("gymnasium")
    assert prepared(scenario).remarks == ()
    run = prepared(scenario, "plant.name=gymnasium", "plant.options=id=CartPole-v1,frameskip=2")
    assert run.remarks[0] == ("gymnasium:CartPole-v1: 25 ticks a second: 50 frames a second "
                            "(render_fps), 1 a step, 2 step(s) a tick")


def test_a_plant_that_cannot_begin_is_refused_before_anything_starts(
    scenario: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gymnasium = pytest.importorskip("gymnasium")
    env = gymnasium.make("CartPole-v1").unwrapped
    monkeypatch.setattr(type(env), "reset", lambda self: None)
    with pytest.raises(PlantError, match="'CartPole-v1' fails in its reset: TypeError"):
        prepared(scenario, "plant.name=gymnasium", "plant.options=id=CartPole-v1")


@pytest.mark.usefixtures("unwritten")
def test_files_that_a_scenario_names_lie_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "games"
    (home / "roms").mkdir(parents=True)
    (home / "roms" / "mine.gb").write_bytes(rom_files.find("catch").data)
    (home / "rules.yaml").write_text("{}")
    (home / "trace.txt").write_text("0.01\n0.02\n")
    (home / "own.yaml").write_text(
        "scenario: {ros__parameters: {record: bags/one, run_dir: policies}}\n"
        "plant: {ros__parameters: {name: pyboy, options: [rom=roms/mine.gb, rules=rules.yaml]}}\n"
        "inference: {ros__parameters: {latency: 'trace:trace.txt,outliers=0.01x3'}}\n")
    monkeypatch.chdir(tmp_path)
    run = prepare("games/own.yaml", [])
    told = {node.executable: node.parameters for node in run.nodes}
    assert told["plant"]["options"] == (f"rom={home}/roms/mine.gb", f"rules={home}/rules.yaml")
    assert told["inference"]["latency"] == f"trace:{home}/trace.txt,outliers=0.01x3"
    assert told["recorder"]["bag"] == f"{home}/bags/one"
    assert run.remarks == (f"pyboy:mine: {home}/rules.yaml: no rewards, so that nothing can be "
                           "learned",)
    assert (run.run_dir, run.plant.name) == (home / "policies", "pyboy:mine")


@pytest.mark.parametrize(("section", "name", "value", "expected"), [
    ("scenario", "policy", "mine", "mine"), ("scenario", "policy", "mine.onnx", "/s/mine.onnx"),
    ("scenario", "policy", "a/mine", "/s/a/mine"), ("scenario", "policy", "/b/c", "/b/c"),
    ("scenario", "policy", "~/b.onnx", "~/b.onnx"), ("scenario", "policy", "", ""),
    ("scenario", "record", "true", "true"), ("scenario", "record", "runs", "/s/runs"),
    ("scenario", "namespace", "robot", "robot"),
    ("inference", "policy", "file:///p.onnx#sha256=0", "file:///p.onnx#sha256=0"),
    ("inference", "policy_constants", ["goal=1", "x=t.npy"], ["goal=1", "x=/s/t.npy"]),
    ("inference", "policy_descriptors", "it.yaml", "/s/it.yaml"),
    ("inference", "latency", "constant:95ms", "constant:95ms"),
    ("plant", "options", ["rom=catch"], ("rom=catch",)),
    ("plant", "options", ["rom=catch.gb", "size=42", ""], ("rom=/s/catch.gb", "size=42", "")),
    ("inference_0", "latency", "trace:t.txt", "trace:/s/t.txt"),
    ("learner", "run_dir", "x", "/s/x"), ("actuator", "stop_file", "stopped", "/s/stopped")])
def test_names_and_whole_paths_stay(
    section: str, name: str, value: object, expected: object
) -> None:
    assert anchored({section: {name: value}}, Path("/s")) == {section: {name: expected}}


@pytest.mark.parametrize("words", [
    [], ["scenario.learner=false"], ["scenario.learner=false", "scenario.policy="]])
def test_a_continuous_plant_needs_a_policy_and_is_told_how_to_have_one(
    tmp_path: Path, words: list[str]
) -> None:
    pytest.importorskip("gymnasium")
    path = tmp_path / "swing.yaml"
    path.write_text("plant: {ros__parameters: {name: gymnasium, options: ['id=Pendulum-v1']}}\n")
    with pytest.raises(ConfigError) as caught:
        prepared(path, *words)
    command, _, rest = str(caught.value).partition("`")[2].partition("`")
    assert rest == " writes an untrained one"
    assert command == ("realtime-rl export --plant gymnasium --plant-option id=Pendulum-v1 "
                       "first.onnx")


def test_a_continuous_plant_runs_with_the_policy_that_export_writes(tmp_path: Path) -> None:
    pytest.importorskip("gymnasium")
    path, policy = tmp_path / "swing.yaml", tmp_path / "first.onnx"
    path.write_text("plant: {ros__parameters: {name: gymnasium, options: ['id=Pendulum-v1']}}\n")
    assert main(["export", "--plant", "gymnasium", "--plant-option", "id=Pendulum-v1",
                 str(policy)]) == 0
    run = prepared(path, "scenario.learner=false", f"scenario.policy={policy}")
    assert first_policy(run) == policy


@pytest.mark.usefixtures("unwritten")
def test_a_policy_that_is_left_out_is_said_with_what_stays(scenario: Path) -> None:
    note, = prepared(scenario, "plant.options=observation=vector,random_phase=true").remarks
    assert note == (
        "the scenario's policy 'mine' is left out, as it is of another plant; what the file says "
        "of the learner stays: network=mlp stack=1 seed=3; --config rom and --config gymnasium "
        "begin with neither")
    assert prepared(scenario, "plant.name=counter", "scenario.policy=mine").remarks == ()


@pytest.mark.parametrize("section", ["inference", "inference_0"])
@pytest.mark.usefixtures("unwritten")
def test_a_policy_that_a_nodes_own_section_names_is_said(scenario: Path, section: str) -> None:
    """As `ros2 param dump` of another run does."""
    scenario.write_text(f"{SCENARIO}/{section}: {{ros__parameters: {{policy: 'file:///old'}}}}\n")
    run = prepared(scenario)
    assert {node.parameters["policy"] for node in run.nodes if node.executable == "inference"} == {
        "file:///old"}
    assert run.remarks == (
        f"{section}.policy: 'file:///old', of its own section, goes before the scenario's, "
        "'file:///p.onnx'; leave it out there to have that",)
    scenario.write_text(f"{SCENARIO}/{section}: {{ros__parameters: {{policy: 'file:///p.onnx'}}}}\n")
    assert prepared(scenario).remarks == ()


@pytest.mark.usefixtures("unwritten")
def test_files_of_another_run_that_nodes_name_are_said(scenario: Path) -> None:
    scenario.write_text(f"{SCENARIO}recorder: {{ros__parameters: {{bag: /old}}}}\n"
                        "/learner: {ros__parameters: {run_dir: /older}}\n")
    new = scenario.parent / "new"
    one, two = prepared(scenario, f"scenario.record={new}").remarks
    said = ", of its own section, goes before the scenario's"
    assert one.startswith(f"learner.run_dir: '/older'{said}, '{scenario.parent / 'run'}'")
    assert two.startswith(f"recorder.bag: '/old'{said}, '{new}'")


@pytest.mark.parametrize(("name", "plant"), [
    ("rom", "pyboy:catch"), ("gymnasium", "gymnasium:CartPole-v1")])
@pytest.mark.usefixtures("unwritten")
def test_neutral_scenarios_begin_from_nothing(name: str, plant: str) -> None:
    pytest.importorskip("gymnasium")
    path = Path(__file__).resolve().parents[2] / "config" / f"{name}.yaml"
    run = prepare(str(path), [])
    told = {node.executable: node.parameters for node in run.nodes}
    assert run.plant.name == plant and run.scenario.policy == ""
    assert told["inference"]["latency"] == "none"
    defaults = parameters(DqnConfig)
    assert {key: told["learner"][key] for key in defaults} == {
        key: item.default for key, item in defaults.items()}
