"""Files that a verb reads and writes: known before it begins, with `~` as a shell has it."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from realtime_rl.cli import export, plan, ram, report, robot, run, simulate, train
from realtime_rl.cli.main import main, parser
from realtime_rl.ros.scenario_settings import override, section_of
from realtime_rl.runner.prepare import find_config, find_policy

STAGGER = ["bench", "stagger"]
WRITES = [
    (["run", "--config", "catch"], "--html"), (["run", "--config", "catch"], "--json"),
    (["report", "bag"], "--html"), (["report", "bag"], "--json"),
    (["simulate", "--plant", "counter", "--policy", "random"], "--json"),
    (["plan", "--latency", "constant:5ms"], "--json"), (STAGGER, "--json"),
    (["bench", "compare"], "--plot"), (["train", "--out", "x", "--plant", "counter"], "--json"),
    (["export", "--plant", "counter"], None), (["robot", "init"], "--out"),
    (["robot", "check", "arm.yaml"], "--json"),
    (["ram", "--plant-option", "rom=catch"], "--png"),
    (["ram", "--plant-option", "rom=catch"], "--json"),
    (["simulate", "--plant", "counter", "--policy", "random"], "--png")]


@pytest.mark.parametrize(("arguments", "option"), WRITES)
@pytest.mark.parametrize("path", ["/proc/nowhere/file.svg", "."])
def test_what_cannot_be_written_is_known_before_anything_is_done(
        arguments: list[str], option: str | None, path: str,
        capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for verb in (export, plan, ram, report, robot, run, simulate, train):
        monkeypatch.setattr(verb, "main", lambda args: pytest.fail("it began"))
    assert main([*arguments, *([option] if option else []), path]) == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"realtime-rl {arguments[0]}: error: '{path}' cannot be written: ")
    assert said.out == ""


def _options(of: argparse.ArgumentParser) -> list[argparse.Action]:
    inner = [action for action in of._actions if isinstance(action, argparse._SubParsersAction)]
    return [*of._actions, *(option for action in inner for verb in action.choices.values()
                            for option in _options(verb))]


def test_every_file_that_is_written_is_among_them() -> None:
    written = {(option.option_strings or [None])[0] for option in _options(parser())
               if "write" in (option.help or "") and "FILE" in str(option.metavar)}
    assert written == {"--html", "--json", "--out", "--png"}


def test_a_folder_that_is_missing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                          capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert main(["plan", "--latency", "constant:5ms", "--json", "~/new/plan.json"]) == 0
    assert (tmp_path / "new" / "plan.json").read_text().startswith("{")
    assert main(["plan", "--latency", "constant:5ms", "--json", "-"]) == 0
    assert capsys.readouterr().out.endswith("}\n")


def test_settings_are_read_from_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine.yaml").touch()
    (tmp_path / "mine.onnx").touch()
    assert find_config("~/mine.yaml") == tmp_path / "mine.yaml"
    assert find_policy("~/mine.onnx") == tmp_path / "mine.onnx"
    settings = override({}, [
        "scenario.policy=~/mine.onnx", "scenario.record=~/bag", "scenario.run_dir=~/run",
        "inference.policy_root=~/run", "actuator.stop_file=~/stopped", "learner.run_dir=~no one/x"])
    scenario = section_of(settings, "scenario")
    assert (scenario.policy, scenario.record, scenario.run_dir) == tuple(
        str(tmp_path / name) for name in ("mine.onnx", "bag", "run"))
    assert section_of(settings, "inference").policy_root == str(tmp_path / "run")
    assert section_of(settings, "actuator").stop_file == str(tmp_path / "stopped")
    assert section_of(settings, "learner").run_dir == "~no one/x"
