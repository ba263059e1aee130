"""A robot in the plant's place, as it is prepared: its contract may stand in a file of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from core.robot.contracts import changed

from realtime_rl.core.errors import ConfigError
from realtime_rl.runner import prepare as module
from realtime_rl.runner.prepare import Prepared, prepare


@pytest.fixture
def scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a scenario whose robot's contract lies beside it; no policy is written or tried."""
    monkeypatch.setattr(module, "_first_policy", lambda settings, plant, folder: "")
    (tmp_path / "robots").mkdir()
    (tmp_path / "robots" / "arm.yaml").write_text(
        yaml.safe_dump({"robot": {"ros__parameters": changed()}}))
    path = tmp_path / "scenario.yaml"
    path.write_text("scenario: {ros__parameters: {robot: robots/arm.yaml, learner: false}}\n")
    return path


def prepared(scenario: Path, *assignments: str) -> Prepared:
    return prepare(str(scenario), [f"scenario.run_dir={scenario.parent / 'run'}", *assignments])


def test_the_robots_node_is_there_and_no_plant(scenario: Path) -> None:
    run = prepared(scenario, f"scenario.record={scenario.parent / 'bag'}",
                   "robot.source.joints.max_age=0.2")
    told = {node.executable: node.parameters for node in run.nodes}
    assert "plant" not in told
    assert told["robot"]["source.joints.max_age"] == 0.2
    assert told["robot"]["stop_file"] != told["actuator"]["stop_file"]
    assert told["actuator"]["robot"] is True
    assert told["actuator"]["period_ns"] == run.plant.period_ns == 20_000_000
    assert told["recorder"]["robot_topics"] == (
        "/joint_states=sensor_msgs/msg/JointState", "/commands=std_msgs/msg/Float64MultiArray")


@pytest.mark.parametrize(("words", "said"), [
    (["scenario.nodes=plant,actuator"], "'plant' is named, and a robot stands in its place"),
    (["scenario.robot=", "plant.name=counter", "scenario.nodes=robot,actuator"],
     "'robot' is named, and there is no contract: name its file as scenario.robot"),
    (["robot.source.joints.max_age=-1.0"], "robot: source.joints.max_age: -1.0 is outside"),
    (["robot.sources.joints.max_age=1.0"], "robot: unknown section 'sources'"),
    (["actuator.command_type=twist"], "the robot's contract says which messages it takes")])
def test_what_does_not_fit_is_refused(scenario: Path, words: list[str], said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        prepared(scenario, *words)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_without_a_contract_is_refused(scenario: Path) -> None:
    with pytest.raises(ConfigError, match=r"has no section 'robot:' with a contract"):
        prepared(scenario, f"scenario.robot={scenario}")


def test_a_robots_scenario_without_a_contract_says_so(scenario: Path) -> None:
    scenario.write_text("actuator: {ros__parameters: {robot: true}}\n")
    with pytest.raises(ConfigError, match="there is no contract: give --robot FILE"):
        prepared(scenario)
    bundled = Path(__file__).parents[2] / "config" / "robot.yaml"
    with pytest.raises(ConfigError, match="there is no contract: give --robot FILE"):
        prepare(str(bundled), [])
    scenario.write_text("actuator: {ros__parameters: {robot: true, operator_button: 4}}\n"
                        "plant: {ros__parameters: {name: counter}}\n"
                        "scenario: {ros__parameters: {learner: false}}\n")
    assert prepared(scenario).plant.name == "counter"  # a bridge may stand in for it


def test_a_robot_without_a_policy_is_not_told_to_try_one_of_a_game(
        scenario: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    with pytest.raises(ConfigError) as refused:
        prepared(scenario)
    assert "name an ONNX file" in str(refused.value)
    assert "export" not in str(refused.value)
