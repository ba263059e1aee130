"""The verbs `simulate` and `export`."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from realtime_rl.cli.main import main
from realtime_rl.core.messages.policy_uri import PolicyUri
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.core.types import ActionSpace
from realtime_rl.plants import rom_files
from realtime_rl.policies.policy_loader import Loader

COUNTER = ["--plant", "counter", "--plant-option", "observation=vector",
           "--plant-option", "episode_ticks=20"]


def simulated(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["simulate", *COUNTER, "--steps", "200", "--json", "-", *arguments]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def exported(tmp_path: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> Path:
    path = tmp_path / "first.onnx"
    assert main(["export", *COUNTER, "--network", "mlp", "--stack", "2", *arguments,
                 str(path)]) == 0
    uri = PolicyUri.parse(capsys.readouterr().out)
    assert uri.path == path
    assert uri.sha256
    return path


def test_figures_of_a_random_policy(capsys: pytest.CaptureFixture[str]) -> None:
    document = simulated(capsys, "--policy", "random", "--delay", "3")
    assert document["schema"] == 1
    assert document["ticks"] == 200
    assert document["delay_ticks"] == 3
    assert document["inaction_fraction"] == 0.0
    assert document["episodes"]["count"] == 9
    figures = document["episodes"]["return"]
    assert figures["low"] <= figures["mean"] <= figures["high"]


def test_one_episode_has_no_interval(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["simulate", *COUNTER, "--policy", "random", "--episodes", "1"]
    assert main(arguments) == 0
    assert re.search(r": mean return [-.\d]+, no interval of one value, ", capsys.readouterr().out)
    assert main([*arguments, "--json", "-"]) == 0
    figures = json.loads(capsys.readouterr().out)["episodes"]["return"]
    assert figures["mean"] is not None
    assert figures["low"] is figures["high"] is None


def test_the_same_seed_gives_the_same_figures(capsys: pytest.CaptureFixture[str]) -> None:
    one, two, other = (simulated(capsys, "--policy", "random", "--seed", seed)
                       for seed in ("1", "1", "2"))
    assert one == two
    assert one["reward"] != other["reward"]


def test_sequential_interaction_is_inactive_in_between(
    capsys: pytest.CaptureFixture[str]
) -> None:
    document = simulated(capsys, "--policy", "random", "--delay", "4",
                         "--interaction", "sequential")
    assert document["inaction_fraction"] == pytest.approx(0.75, abs=0.01)


def test_the_default_policy_alone_has_no_inaction_figure(
    capsys: pytest.CaptureFixture[str]
) -> None:
    assert simulated(capsys, "--policy", "default")["inaction_fraction"] is None


def test_an_exported_policy_plays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = exported(tmp_path, capsys)
    document = simulated(capsys, "--policy", str(path), "--delay", "2")
    assert document["inaction_fraction"] == 0.0


def test_what_is_odd_about_a_policy_is_said_as_in_a_live_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = exported(tmp_path, capsys)
    foreign = onnx.load(str(path))
    del foreign.metadata_props[:]
    onnx.save(foreign, str(path))
    arguments = ["simulate", *COUNTER, "--steps", "50", "--policy", str(path)]
    for more in ([], ["--episodes", "2"]):
        assert main([*arguments, *more]) == 2
        assert "set inference.stack=2 (simulate: --stack 2)" in capsys.readouterr().err
        assert main([*arguments, *more, "--stack", "2"]) == 0
        warning, = capsys.readouterr().err.splitlines()
        assert warning.startswith("warning: no metadata: taken as a stack of 2 observations, with")


def test_what_a_person_should_know_of_a_plant_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pyboy")
    rom = tmp_path / "own game.gb"
    rom.write_bytes(rom_files.find("catch").data)
    for option, said in ((f"rom={rom}", "pyboy:own game: no rules file: no rewards, so that "
                                        "nothing can be learned\n"), ("rom=catch", "")):
        assert main(["simulate", "--plant", "pyboy", "--plant-option", option, "--steps", "3",
                     "--policy", "random"]) == 0
        captured = capsys.readouterr()
        assert captured.err == said
        assert captured.out.startswith("3 ticks, 0 episodes, reward 0 (0.0000 a tick): no episode")


def test_a_policy_explores_only_when_asked_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An untrained one wants ε = 1 of whoever collects its learner's data."""
    path = str(exported(tmp_path, capsys))
    found = {text: simulated(capsys, "--policy", path, *options) for text, options in {
        "": [], "off": ["--exploration", "off"], "learner": ["--exploration", "learner"],
        "1": ["--exploration", "1"]}.items()}
    assert [found[text]["exploration"] for text in ("", "off", "learner")] == [
        "off", "off", "learner"]
    assert found[""]["reward"] == found["off"]["reward"]
    assert found["learner"]["reward"] == found["1"]["reward"] != found["off"]["reward"]
    assert simulated(capsys, "--policy", "random")["exploration"] is None


def test_episodes_are_the_same_with_one_process_and_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(exported(tmp_path, capsys, "--set", "action_history=2"))
    one, two = (simulated(capsys, "--policy", path, "--delay", "2", "--episodes", "6",
                          "--processes", processes) for processes in ("1", "2"))
    assert one == two
    assert one["episodes"]["count"] == 6
    assert one["ticks"] == 6 * 21


def test_any_parameter_of_the_learner_shapes_an_exported_policy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same file as a learner with these parameters starts from, and it plays."""
    words = ["algorithm=rainbow", "action_history=3", "atoms=11", "stack=1"]
    path = exported(tmp_path, capsys, *[part for word in words for part in ("--set", word)])
    from realtime_rl.learning.dqn import DqnLearner
    from realtime_rl.learning.onnx_import import load_weights
    from realtime_rl.plants import registry
    spec = registry.make("counter", {"observation": "vector"}, 0).spec
    config = DqnConfig(network="mlp", stack=1, algorithm="rainbow", atoms=11, action_history=3)
    learner, other = (DqnLearner(replace(config, seed=seed), spec.observation, spec.actions)
                      for seed in (0, 1))
    load_weights(other.network, path, other.metadata(0))
    seen, history = np.zeros(spec.observation.shape, np.float32), ((1.0,), None, (2.0,))
    assert other.greedy(seen, history) == learner.greedy(seen, history)
    document = simulated(capsys, "--policy", str(path), "--delay", "2")
    assert document["inaction_fraction"] == 0.0


@pytest.mark.parametrize(("word", "message"), [
    ("brain=1", "--set 'brain=1': unknown parameter 'brain'; known: 'action_history'"),
    ("dueling=maybe", "dueling: 'maybe' is not a bool"),
    ("replay=lifo", "replay: 'lifo' is not one of 'priority', 'recency', 'reservoir'"),
    ("value_min=10", "value_min: 10.0 must be below value_max 10.0"),
])
def test_a_parameter_that_is_none_is_refused(
    word: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "never.onnx"
    assert main(["export", *COUNTER, "--set", word, str(path)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not path.exists()


def test_a_parameter_may_be_named_as_train_names_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = tmp_path / "one.onnx", tmp_path / "two.onnx"
    for path, word in ((one, "learner.dueling=true"), (two, "dueling=true")):
        assert main(["export", *COUNTER, "--network", "mlp", "--set", word, str(path)]) == 0
    capsys.readouterr()
    assert one.read_bytes() == two.read_bytes()


def test_an_exported_policy_says_what_it_is_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = exported(tmp_path, capsys)
    from realtime_rl.plants import registry
    spec = registry.make("counter", {"observation": "vector"}, 0).spec
    metadata = Loader((spec.observation, spec.actions))(str(PolicyUri(path))).metadata
    assert metadata is not None
    assert (metadata.stack, metadata.version, metadata.epsilon) == (2, 0, 1.0)
    assert metadata.actions == ActionSpace(("A0", "A1", "A2"), (0.0,))


def test_figures_are_written_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "figures.json"
    assert main(["simulate", *COUNTER, "--policy", "random", "--steps", "200",
                 "--json", str(path)]) == 0
    assert json.loads(path.read_text())["ticks"] == 200
    assert "200 ticks, 9 episodes" in capsys.readouterr().out


def test_too_few_steps_for_a_return_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", *COUNTER, "--policy", "random", "--steps", "5"]) == 0
    assert "no episode ended; raise --steps" in capsys.readouterr().out


def test_episodes_without_an_end_are_counted_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "figures.json"
    command = ["simulate", *COUNTER, "--policy", "random", "--episodes", "2", "--json", str(path)]
    assert main(command) == 0
    assert json.loads(path.read_text())["episodes"]["cut"] == 0
    assert "cut off" not in capsys.readouterr().out
    monkeypatch.setattr("realtime_rl.simulate.episodes.LONGEST", 7)
    assert main(command) == 0
    assert json.loads(path.read_text())["episodes"]["cut"] == 2
    said = capsys.readouterr().out
    assert "14 ticks, 0 episodes" in said
    assert "2 more cut off after" in said
    assert "--steps" not in said


@pytest.mark.parametrize(("arguments", "message"), [
    (["--policy", "absent.onnx"], "policy 'absent.onnx': this host cannot read it"),
    (["--policy", "random", "--delay", "0"], "delay 0 must be 1 tick or more"),
    (["--policy", "random", "--exploration", "much"], "exploration: 'much' is not 'learner'"),
    (["--policy", "random", "--hold", "0"], "hold_ticks 0 must be 1 or more"),
    (["--policy", "random", "--steps", "0"], "steps 0 must be 1 or more"),
    (["--policy", "random", "--processes", "2"], "what is shared out is episodes; give --episodes"),
    (["--policy", "random", "--episodes", "0"], "episodes 0 must be 1 or more"),
    (["--policy", "absent.onnx", "--episodes", "2", "--processes", "2"], "policy 'absent.onnx'"),
    (["--policy", "random", "--json", "/proc/absent/figures.json"], "cannot be written"),
])
def test_bad_input_is_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", *COUNTER, *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
