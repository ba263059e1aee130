"""`torchrun … realtime-rl train`: several processes learn the same weights, in step."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import onnx
import pytest
from cli.test_train import COUNTER
from onnx import numpy_helper

from realtime_rl.cli.main import main


def together(out: Path, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
         "-m", "realtime_rl.cli.main", "train", *COUNTER, "--out", str(out), *arguments],
        capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads((out / "result.json").read_text())
    return document


def weights(path: Path) -> dict[str, bytes]:
    return {item.name: numpy_helper.to_array(item).tobytes()
            for item in onnx.load(str(path)).graph.initializer}


def test_two_processes_learn_one_policy_from_two_plants(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = together(tmp_path / "two", "--ticks", "200", "--keep-replay")
    assert (document["processes"], document["updates"] > 100) == (2, True)
    first, second = (tmp_path / "two" / name for name in ("policy.onnx", "rank-1/policy.onnx"))
    assert weights(first) == weights(second)
    assert ((tmp_path / "two" / "episodes.csv").read_text()
            != (tmp_path / "two" / "rank-1" / "episodes.csv").read_text())
    assert main(["train", *COUNTER, "--ticks", "200", "--out", str(tmp_path / "one")]) == 0
    capsys.readouterr()
    assert weights(tmp_path / "one" / "policy.onnx") != weights(first)
    # whole, and stopped in between: the same
    resumed = together(tmp_path / "two", "--ticks", "260", "--keep-replay", "--resume")
    whole = together(tmp_path / "whole", "--ticks", "260")
    assert resumed["weights_sha256"] == whole["weights_sha256"] != document["weights_sha256"]
    # one of the two lost its checkpoint
    (tmp_path / "two" / "rank-1" / "checkpoint.json").unlink()
    with pytest.raises(AssertionError, match="have checkpoints of different ticks"):
        together(tmp_path / "two", "--ticks", "300", "--resume")


def test_who_is_left_by_the_others_says_so(tmp_path: Path) -> None:
    command = shlex.join([sys.executable, "-m", "realtime_rl.cli.main", "train", *COUNTER,
                          "--out", str(tmp_path / "out"), "--ticks"])
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
         "--no-python", "sh", "-c", f"{command} $((300 - 200 * RANK))"],
        capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "realtime-rl train: error: the processes are out of step, one may be gone" in done.stderr


def test_who_waits_for_others_that_nobody_named_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    assert main(["train", *COUNTER, "--ticks", "10", "--out", str(tmp_path / "out")]) == 2
    assert "cannot join the others" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
