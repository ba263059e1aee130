"""One short live run of the whole graph; no figure of time is asserted here."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import cast

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
pytest.importorskip("torch", reason="the policy is made with torch")

from realtime_rl.bags.report import Report
from realtime_rl.bench import live
from realtime_rl.bench.live import LiveBench, Measured
from realtime_rl.bench.usage import Used
from realtime_rl.cli.main import main


def test_a_run_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                           capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", str(1 + os.getpid() % 200))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    bag = tmp_path / "bag"
    assert main(["bench", "stagger", "--workers", "3", "--processes", "2", "--latency",
                 "constant:30ms", "--settle", "3", "--duration", "4", "--record", str(bag),
                 "--json", "-"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == 1
    assert document["plant"]["name"] == "counter"
    assert document["interaction"]["policy_ticks"] > 0
    assert document["inference"]["emulated"] == "constant:30ms"
    assert document["inference"]["processes"] == 2
    assert document["learning"]["updates"] is None
    assert document["cpu_percent"] > 0
    assert document["rss_mb"] > 10
    assert document["stolen_percent"] >= 0
    assert document["bench"]["workers"] == "3"
    assert bag.is_dir()
    assert [path.name for path in tmp_path.iterdir()] == ["bag"]


@pytest.mark.parametrize(("stolen", "limit", "runs", "counts"), [
    ([0.4], 0.5, 1, 0.4),
    ([3.0], None, 1, 3.0),
    ([3.0, 0.5], 0.5, 2, 0.5),
    ([None], 0.5, 1, None),
    ([3.0] * 4 + [2.0] + [4.0] * 5, 0.5, 10, 2.0),
])
def test_a_run_that_was_disturbed_is_made_again_and_the_calmest_counts(
    stolen: list[float | None], limit: float | None, runs: int, counts: float | None,
    monkeypatch: pytest.MonkeyPatch
) -> None:
    made = iter(stolen)
    monkeypatch.setattr(live, "_measure", lambda *_: Measured(
        cast(Report, None), Used(stolen_percent=next(made))))
    said: list[str] = []
    measured = live.measure(
        LiveBench("1", "none", 60.0, max_stolen_percent=limit), lambda _: None, said.append)
    assert (measured.runs, measured.used.stolen_percent) == (runs, counts)
    assert next(made, "all were made") == "all were made"
    assert len(said) == runs - 1
    assert said == [] or said[0] == "the host took 3.00 % of the machine: run 2 of at most 10"
