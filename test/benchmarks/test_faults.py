"""The benchmark of faults: what it makes of a bag and of what was said."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import onnx
import onnxruntime
from handmade import defaulted, stamp, step, verdict

from benchmarks import faults, strangers
from benchmarks.running import ROOT, telling
from realtime_rl.core.figures.accounting import RunRecords
from realtime_rl.core.types import Cause


def scene(*lines: tuple[float, str], **changes: Any) -> Any:
    values: dict[str, Any] = {
        "begin_s": 10.0, "begin_ns": stamp(100), "end_ns": stamp(110), "also_said": [],
        "also_wrong": [], "running": SimpleNamespace(lines=list(lines))}
    return SimpleNamespace(**{**values, **changes})


def records(idle: range) -> RunRecords:
    """300 ticks; the default policy acts in `idle`."""
    steps = [step(tick, Cause.DEFAULT if tick in idle else Cause.POLICY) for tick in range(2, 302)]
    return RunRecords(steps, [defaulted(s.tick) if s.missing else verdict(s.tick) for s in steps],
                      topics=frozenset({"timestep", "verdict"}))


def test_a_run_that_recovers_and_says_so() -> None:
    found = faults.judge("kill-actuator", records(range(100, 130)), scene(
        (9.0, "[WARN] [actuator]: before the fault"),
        (11.0, "[ERROR] [actuator]: died with status -9")), 1)
    assert (found.ticks, found.missed, found.unattributed, found.inaction) == (300, 0, 0, 30)
    assert found.acts_again_s == pytest.approx(0.2)
    assert (found.said, found.wrong) == ("[ERROR] [actuator]: died with status -9", "")


def test_what_should_have_been_otherwise() -> None:
    silent = faults.judge("kill-actuator", records(range(100, 302)), scene(), 0)
    assert silent.wrong == "status 0; not said; the policy does not act again"
    kept = records(range(0))
    absent = faults.judge("stop-actuator", RunRecords(
        kept.timesteps[:150] + kept.timesteps[160:], kept.verdicts, topics=kept.topics), scene(), 0)
    assert absent.unattributed == 10
    assert absent.wrong.startswith("10 tick(s) are absent")
    assert faults.judge("two-graphs", kept, scene(
        (11.0, "another publisher of timestep"), also_wrong=["the second was not refused"]),
        0).wrong == "the second was not refused"


def test_single_actions_are_no_recovery() -> None:
    steps = [step(tick, Cause.POLICY if tick % 5 else Cause.NONE) for tick in range(100)]
    assert faults.acts_again_s(steps, stamp(0)) is None
    assert faults.acts_again_s([], stamp(0)) is None


def test_the_first_line_that_fits_is_told() -> None:
    assert telling(["a", "Recorder: No Space", "no space"], "no space") == "Recorder: No Space"
    assert telling(["a"], "") == telling(["a"], "b") == ""


def test_the_policy_that_hangs_is_a_policy() -> None:
    model = strangers.hung(onnx.load(ROOT / "policies" / "catch.onnx"))
    onnx.checker.check_model(model)
    onnxruntime.InferenceSession(model.SerializeToString())
    assert {entry.key: entry.value for entry in model.metadata_props}["realtime_rl.version"] == "99"
