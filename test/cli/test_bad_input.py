"""Bad input: one clear line on standard error, status 2, nothing left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from realtime_rl.cli.main import main

CATCH = str(Path(__file__).resolve().parents[2] / "config" / "catch.yaml")


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run a verb that must fail; return its one line."""
    assert main(arguments) == 2
    captured = capsys.readouterr()
    lines = captured.err.strip().splitlines()
    assert len(lines) == 1, captured.err
    assert captured.out == ""
    return lines[0]


@pytest.mark.parametrize(("arguments", "expected"), [
    (["--config", "no-such"], "unknown scenario 'no-such'"),
    (["--config", CATCH, "--set", "workers=3"], "write it as 'node.parameter=value'"),
    (["--config", CATCH, "--set", "robots.speed=3"], "unknown section 'robots'"),
    (["--config", CATCH, "--set", "scenario.wrokers=3"], "unknown parameter 'wrokers'"),
    (["--config", CATCH, "--set", "scenario.workers=0"], "outside 1 … 4096"),
    (["--config", CATCH, "--set", "scenario.workers=few"], "'few' is not an integer"),
    (["--config", CATCH, "--set", "scenario.processes=9"], "exceeds workers"),
    (["--config", CATCH, "--set", "coordinator.algorithm=best"], "'exp_time', 'max_time'"),
    (["--config", CATCH, "--set", "plant.name=toaster"], "'gymnasium', 'mujoco', 'pyboy'"),
    (["--config", CATCH, "--set", "plant.options=rom=/no/such.gb"], "/no/such.gb"),
    (["--config", CATCH, "--set", "plant.options=colour=red"], "'colour'"),
    (["--config", CATCH, "--set", "scenario.policy=/no/such.onnx"], "'/no/such.onnx'"),
    (["--config", CATCH, "--set", "scenario.policy=", "--set", "scenario.learner=false"],
     "name an ONNX file"),
    (["--config", CATCH, "--set", "learner.stack=3"], "scenario.policy= begins untrained"),
    (["--config", CATCH, "--set", "inference.latency=slow"], "'slow'"),
    (["--config", CATCH, "--set", "learner.network=brain"], "'brain'"),
    (["--config", CATCH, "--duration", "-1"], "duration"),
    (["--config", CATCH, "--html", "x.html"], "--record"),
    (["--config", CATCH, "--record", "/proc/nowhere/bag"], "/proc/nowhere"),
    (["--config", CATCH, "--set", "scenario.namespace=robot-1"], "'robot-1' is no namespace"),
])
def test_run_says_what_is_wrong(arguments: list[str], expected: str,
                                capsys: pytest.CaptureFixture[str]) -> None:
    assert expected in refused(["run", *arguments], capsys)


@pytest.mark.parametrize(("name", "value"), [
    ("ROS_DOMAIN_ID", "abc"), ("ROS_DOMAIN_ID", "233"), ("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCAL"),
    ("REALTIME_RL_MEMORY_MB", "much")])
def test_a_wrong_environment_is_told_before_anything_starts_and_by_the_doctor(
        name: str, value: str, capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    line = refused(["run", "--config", CATCH], capsys)
    assert f"{name}: {value!r}" in line
    main(["doctor"])
    assert f"MISSING  environment          {name}: {value!r}" in capsys.readouterr().out


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path,
                                               capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch", reason="training needs torch")
    folder, precious = tmp_path / "run", tmp_path / "precious"
    folder.mkdir()
    precious.write_text("content")
    (folder / ".lock").symlink_to(precious)
    line = refused(["train", "--plant", "counter", "--plant-option", "observation=vector",
                    "--set", "learner.network=mlp", "--ticks", "10", "--out", str(folder)], capsys)
    assert "/.lock: Too many levels of symbolic links" in line
    assert precious.read_text() == "content"


def test_a_bag_that_exists_is_not_overwritten(tmp_path: Path,
                                              capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(["run", "--config", CATCH, "--record", str(tmp_path)], capsys)
    assert "exists already" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["", "a: [", "scenario: 3", "scenario: {workers: 3}",
                                     "scenario: {ros__parameters: {workers: '3'}}"])
def test_a_parameter_file_that_is_none(content: str, tmp_path: Path,
                                       capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(content)
    assert str(path) in refused(["run", "--config", str(path)], capsys)


def test_report_of_what_is_no_bag(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert str(tmp_path) in refused(["report", str(tmp_path)], capsys)


def test_output_to_a_full_disk() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([sys.executable, "-m", "realtime_rl.cli.main", "plants"], stdout=full,
                              stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("realtime-rl plants: error: No space left on device, where ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("verb", ["run", "report", "simulate", "train", "plants", "export",
                                  "doctor"])
def test_every_verb_has_help_with_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([verb, "--help"])
    assert left.value.code == 0
    assert f"realtime-rl {verb}" in capsys.readouterr().out.split("examples:")[1]
