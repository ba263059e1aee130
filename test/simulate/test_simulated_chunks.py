"""A file whose policy gives chunks, on the command line and in live runs' settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("onnx", reason="the policy is made with onnx")
pytest.importorskip("onnxruntime", reason="the policy is run")

from benchmarks import chunk_policy
from realtime_rl.cli.main import main
from realtime_rl.core.control.chunk_merging import Merge
from realtime_rl.core.enumerations import MergeRule
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.settings.chunks import ChunkParameters, chunking_of
from realtime_rl.core.types import ActionSpace

ARM = ActionSpace(("elbow", "gripper"), (0.0, 0.0), (-1.0, 0.0), (1.0, 1.0))


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return chunk_policy.count(tmp_path_factory.mktemp("chunks") / "count.onnx", 9)


def simulated(capsys: pytest.CaptureFixture[str], policy: Path, *words: str) -> dict[str, Any]:
    assert main(["simulate", "--plant", "counter", "--plant-option", "episode_ticks=0",
                 "--policy", str(policy), "--steps", "103", *words, "--json", "-"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


@pytest.mark.parametrize(("every", "ticks"), [(1, 100), (4, 100), (7, 100), (9, 77)])
def test_each_row_acts_at_its_own_tick(capsys: pytest.CaptureFixture[str], policy: Path,
                                       every: int, ticks: int) -> None:
    found = simulated(capsys, policy, "--delay", "3", "--every", str(every))
    assert found["inaction_fraction"] == pytest.approx(1 - ticks / 100, abs=0.03)
    # without a row the no-op is the target of a third of the ticks
    assert found["reward"] >= ticks
    assert found["feedback_age_ticks"]["mean"] == pytest.approx(
        3 + (min(every, 7) - 1) / 2, abs=0.1)


@pytest.mark.parametrize(("delay", "every"), [(1, 1), (3, 3), (4, 7)])
def test_a_policy_that_goes_on_from_what_it_is_told_is_right(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, delay: int, every: int
) -> None:
    policy = chunk_policy.carry_on(tmp_path / "on.onnx", 12, max_prefix=3)
    found = simulated(capsys, policy, "--delay", str(delay), "--every", str(every),
                      "--chunk-merge", "prefix")
    assert found["reward"] >= 103 - delay
    age = found["feedback_age_ticks"]["mean"]
    assert age == pytest.approx(delay + (every - 1) / 2, abs=0.1)


@pytest.mark.parametrize(("words", "message"), [
    (["--delay", "3", "--every", "2"], "set every to 3 or more, not 2"),
    (["--delay", "5", "--every", "5"], "takes a prefix of 3 rows at most (max_prefix), and 4 act"),
])
def test_a_prefix_that_would_not_be_settled_or_is_too_long_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: list[str], message: str
) -> None:
    policy = chunk_policy.carry_on(tmp_path / "on.onnx", 12, max_prefix=3)
    assert main(["simulate", "--plant", "counter", "--policy", str(policy), "--chunk-merge",
                 "prefix", *words]) != 0
    assert message in capsys.readouterr().err.strip().splitlines()[-1]


def test_episodes_are_played_by_chunks_as_well(capsys: pytest.CaptureFixture[str], policy: Path
                                               ) -> None:
    assert main(["simulate", "--plant", "counter", "--plant-option", "episode_ticks=50",
                 "--policy", str(policy), "--episodes", "2", "--delay", "3", "--every", "5",
                 "--max-chunk-age", "5", "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["feedback_age_ticks"]["p95"] == 5
    assert found["inaction_fraction"] == pytest.approx(2 / 5, abs=0.03)


@pytest.mark.parametrize(("words", "message"), [
    (["--chunk-merge", "ensemble"], "choices have no mean"),
    (["--chunk-merge", "prefix"], "takes no prefix, and chunk_merge is 'prefix'"),
    (["--chunk-newest-only", "hand"], "'hand' is not one of"),
    (["--max-chunk-age", "-1"], "--max-chunk-age -1 must be 0 or more"),
    (["--every", "0"], "every 0 must be 1 tick or more"),
])
def test_what_cannot_be_is_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], policy: Path, words: list[str], message: str
) -> None:
    assert main(["simulate", "--plant", "counter", "--policy", str(policy), *words]) != 0
    said = capsys.readouterr().err.strip()
    assert message in said.splitlines()[-1]


def test_what_the_actuators_parameters_ask_for() -> None:
    plain = chunking_of(ChunkParameters(), ARM, 10_000_000)
    assert plain.merge == Merge()
    found = chunking_of(ChunkParameters(
        "ensemble", 0.5, "newest", chunk_newest_only=("gripper",), chunk_indivisible=("gripper",),
        max_chunk_age=0.25), ARM, 10_000_000)
    assert found.merge == Merge(MergeRule.ENSEMBLE, 0.5, False, 4, ("gripper",))
    assert found.max_age_ticks == 25
    with pytest.raises(ConfigError, match="gripper"):
        chunking_of(ChunkParameters("blend", chunk_indivisible=("gripper",)), ARM, 10_000_000)
