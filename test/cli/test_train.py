"""`realtime-rl train`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bags.played import play, record

from realtime_rl.cli.main import main
from realtime_rl.plants import registry
from realtime_rl.simulate import evaluation

COUNTER = ["--plant", "counter", "--option", "observation=vector", "--option", "episode_ticks=20",
           "--option", "random_phase=true", "--delay", "2", "--seed", "3",
           "--set", "learner.network=mlp", "--set", "learner.learn_start=50",
           "--set", "learner.batch_size=8", "--set", "learner.epsilon_transitions=200"]


def trained(out: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["train", *COUNTER, "--out", str(out), "--json", "-", *arguments]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_killed_and_resumed_it_ends_with_the_same_weights(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ticks = ["--ticks", "1500", "--keep-replay"]
    whole = trained(tmp_path / "whole", capsys, *ticks)
    out = tmp_path / "killed"
    with subprocess.Popen(
        [sys.executable, "-m", "realtime_rl.cli.main", "train", *COUNTER, *ticks,
         "--checkpoint-every", "100", "--out", str(out)],
        stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "/1500 ticks" in process.stderr.readline()
        process.kill()
    assert process.returncode == -9
    tick = json.loads((out / "checkpoint.json").read_text())["tick"]
    assert 100 <= tick < 1500
    resumed = trained(out, capsys, *ticks, "--resume")
    assert resumed == whole
    assert (out / "result.json").read_text() == (tmp_path / "whole" / "result.json").read_text()


def test_it_says_what_came_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = trained(tmp_path, capsys, "--ticks", "300", "--evaluate", "4")
    assert document["schema"] == 1
    assert (document["ticks"], document["delay_ticks"]) == (300, 2)
    assert document["inaction_fraction"] == 0.0
    assert document["evaluation"]["episodes"] == 4
    assert document["evaluation"]["return"]["low"] <= document["evaluation"]["return"]["mean"]
    assert len(document["weights_sha256"]) == 64
    assert (tmp_path / "returns.svg").read_bytes().startswith(b"<?xml")
    assert main(["train", *COUNTER, "--out", str(tmp_path), "--ticks", "300", "--resume",
                 "--evaluate", "1"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"last quarter of the training: mean return \S+, 95% interval \[", said)
    assert re.search(r"greedy: mean return \S+, no interval of one value, 1 episodes", said)


def test_of_play_that_never_ends_it_says_the_reward_a_tick(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "LONGEST", 60)
    endless = [word.replace("episode_ticks=20", "episode_ticks=100000") for word in COUNTER]
    assert main(["train", *endless, "--out", str(tmp_path), "--ticks", "60",
                 "--evaluate", "2"]) == 0
    said = capsys.readouterr()
    document = json.loads((tmp_path / "result.json").read_text())
    rates = [of["reward_per_tick"] for of in (document, document["evaluation"])]
    assert document["evaluation"]["episodes"] == 0 and document["network"] == "mlp"
    assert [line for line in said.out.splitlines() if "no episode ended" in line] == [
        f"{what}: no episode ended; reward {rate:.4f} a tick over 60 ticks"
        for what, rate in zip(("last quarter of the training", "greedy"), rates, strict=True)]
    assert "evaluation: 0/2 episodes, 1 ticks, reward" in said.err


def test_sequential_interaction_leaves_ticks_to_the_default_policy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = trained(tmp_path, capsys, "--ticks", "100", "--interaction", "sequential")
    assert document["inaction_fraction"] == pytest.approx(0.5, abs=0.02)


def test_resuming_what_has_not_begun_begins(tmp_path: Path,
                                            capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", *COUNTER, "--out", str(tmp_path), "--ticks", "40", "--resume"]) == 0
    assert "no checkpoint in" in capsys.readouterr().err


def test_it_learns_from_what_a_person_played(tmp_path: Path,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    plant = registry.make("counter", {"observation": "vector", "episode_ticks": 20,
                                      "random_phase": True}, 7)
    bag = record(tmp_path / "bag", play(plant, 120), plant.spec.observation, lost=range(50, 53))
    arguments = ["train", *COUNTER, "--out", str(tmp_path / "out"), "--ticks", "30", "--json", "-",
                 "--demonstrations", str(bag), "--pretrain", "11"]
    assert main(arguments) == 0
    captured = capsys.readouterr()
    assert ("demonstrations: 117 ticks, 117 of them a person's, 3 not recorded"
            in captured.err)
    document = json.loads(captured.out)
    assert document["demonstrations"]["ticks"] == 117
    assert document["updates"] == 41
    arguments[arguments.index("observation=vector")] = "observation=image"
    arguments[arguments.index("--out") + 1] = str(tmp_path / "other")
    assert main(arguments) == 2
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 2 and "observations are vectors of shape" in error[1]


@pytest.mark.parametrize(("arguments", "message"), [
    (["--pretrain", "5"], "--pretrain: there is nothing to learn from before the first tick"),
    (["--demonstrations", "absent"], "'absent'"),
    (["--set", "learner.brain=1"], "unknown parameter 'brain'; known: '"),
    (["--set", "network=mlp"], "write it as 'learner.parameter=value'"),
    (["--set", "learner.gamma=2"], "gamma: 2.0 is outside 0 … 1"),
    (["--option", "colour=red"], "plant 'counter' has no option 'colour'"),
    (["--delay", "0"], "delay 0 must be 1 tick or more"),
    (["--ticks", "0"], "ticks 0 must be 1 or more"),
    (["--threads", "0"], "--threads 0 must be 1 or more"),
    (["--evaluate", "-1"], "--evaluate -1 must be 0 or more"),
    (["--updates-per-tick", "nan"], "--updates-per-tick nan must be 0 or more"),
    (["--out", "/proc/nowhere/x"], "'/proc/nowhere/x' cannot be written to"),
])
def test_bad_input_is_one_line(arguments: list[str], message: str, tmp_path: Path,
                               capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", *COUNTER, "--out", str(tmp_path / "out"), *arguments]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_without_a_plant_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--out", str(tmp_path)]) == 2
    assert "--plant: say which" in capsys.readouterr().err
