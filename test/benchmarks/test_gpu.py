"""The benchmark of GPUs, on the CPU."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import onnxruntime
import pytest

pytest.importorskip("pyboy")

from benchmarks import gpu, gpu_subject, rates
from realtime_rl.policies.compute import Compute

QUICK = ["--networks", "small", "--workers", "1", "2", "--sessions", "1", "2", "--batch", "4",
         "--batches", "2",
         "--seconds", "0.001", "--json", "-"]


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(rates, "TRANSITIONS", 40)
    monkeypatch.setattr("sys.argv", ["gpu", *QUICK, *arguments])
    return gpu.main()


def test_every_figure_is_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--provider", "cpu", "--device", "cpu") == 0
    captured = capsys.readouterr()
    assert captured.err.startswith("small: 256 of 256 actions are the CPU's, which chose ")
    assert captured.err.count("\n") == 9
    found: dict[str, Any] = json.loads(captured.out)
    (agreement,) = found["agreement"]
    assert agreement.pop("cpu_ms") > 0 and agreement.pop("different_actions") > 1
    assert agreement == {"network": "small", "observations": 256, "same_actions": 256,
                         "largest_difference": 0.0, "largest_gap": 0.0}
    assert found["alone"][0]["inferences"] >= 1
    assert [(each["workers"], each["sessions"]) for each in found["together"]] == [
        (1, 1), (2, 1), (2, 2)]
    assert [each["batch"] for each in found["batches"]] == [1, 2]
    assert found["batches"][0]["times_one"] == 1.0
    assert found["refresh"][0]["refit_ms"] > 0
    assert found["learning"][0]["updates_per_s"] > 0
    assert found["left_out"] == []


def test_what_is_not_there_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    assert run(monkeypatch, "--provider", "cuda", "--device", "cpu") == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("provider 'cuda' is not available here: 'cpu' computes instead")
    assert captured.err.count("\n") == 1 and captured.out == ""


def test_figures_that_cannot_be_written_stand_on_the_screen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--provider", "cpu", "--device", "cpu", "--json", "/proc/no/x") == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith("'/proc/no/x' cannot be written: ") and len(lines) == 10


def test_what_a_provider_does_not_do_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--provider", "cpu", "--device", "cpu", "--cuda-graph") == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("cuda_graph: provider 'cpu' may have none") and not captured.out


def test_a_network_that_there_is_not_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--provider", "cpu", "--device", "cpu", "--networks", "nonet") == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("network 'nonet' is not one of ") and captured.out == ""


def test_a_network_that_does_not_fit_is_told_and_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("realtime_rl.learning.devices.free_bytes", lambda device: 1000)
    assert run(monkeypatch, "--provider", "cpu", "--device", "cpu") == 0
    found = json.loads(capsys.readouterr().out)
    assert "learning" not in found and len(found["together"]) == 3
    assert found["left_out"][0].startswith("network 'small' has")


def test_a_figure_that_fails_is_told_and_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def full(*args: object) -> None:
        raise RuntimeError("CUDA out of memory\nmuch else")

    monkeypatch.setattr(gpu, "alone", full)
    figures = tmp_path / "gpu.json"
    assert run(monkeypatch, "--provider", "cpu", "--device", "cpu", "--json", str(figures)) == 0
    found = json.loads(figures.read_text())
    assert found["left_out"] == ["small: CUDA out of memory"] and "alone" not in found
    assert len(found["together"]) == 3 and len(found["learning"]) == 1


def test_figures_are_written_as_they_come(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def cut_off(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(gpu, "alone", cut_off)
    figures = tmp_path / "gpu.json"
    with pytest.raises(KeyboardInterrupt):
        run(monkeypatch, "--provider", "cpu", "--device", "cpu", "--json", str(figures))
    assert len(json.loads(figures.read_text())["agreement"]) == 1


def test_a_worker_that_fails_keeps_nobody_waiting() -> None:
    class Failing:
        def infer(self, observation: object, *, worker: int) -> None:
            if worker == 1:
                raise ValueError("no memory")

    subject = gpu.Subject("failing", Path(), (gpu.SPEC, gpu.ACTIONS), gpu.pictures(),
                          Compute("cpu"))
    with pytest.raises(ValueError, match="no memory"):
        gpu_subject.infer(subject, Failing(), 3, 0.01)  # type: ignore[arg-type]


def test_a_trained_policy_sees_its_game(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(gpu_subject, "PICTURES", 8)
    seen = tmp_path / "seen.npz"
    asked = ["--networks", "--policy", "policies/catch.onnx", "--observations", str(seen),
             "--provider", "cpu", "--device", "cpu"]
    for _ in range(2):  # played, and read again
        assert run(monkeypatch, *asked) == 0
        found = json.loads(capsys.readouterr().out)
        (agreement,) = found["agreement"]
        assert agreement["network"] == "catch.onnx" and agreement["same_actions"] == 8
        assert found["alone"][0]["network"] == "catch.onnx" and "together" not in found
        assert seen.exists()
