"""One short live run of the whole graph; no figure of time is asserted here."""

from __future__ import annotations

import json
import os
import queue
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2: pip install 'realtime-rl[ros]'")
pytest.importorskip("torch", reason="the policy is made with torch")

from realtime_rl.bench.live import _Complaints
from realtime_rl.cli.main import main


def test_a_run_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                           capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", str(1 + os.getpid() % 200))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    bag = tmp_path / "bag"
    assert main(["bench", "stagger", "--workers", "3", "--processes", "2", "--latency",
                 "constant:30ms", "--duration", "4", "--record", str(bag), "--json", "-"]) == 0
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


def test_what_nodes_complain_of_is_passed_on() -> None:
    lines: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
    for line in (("plant", "[INFO] [plant]: all is well"), ("plant", "[ERROR] [plant]: no more"),
                 ("inference_0", "Traceback (most recent call last):"),
                 ("inference_0", '  File "x.py", line 3'), ("plant", "[WARN] [plant]: late"),
                 ("inference_0", "ValueError: 3"), ("inference_0", "[INFO] going on")):
        lines.put(line)
    said: list[str] = []
    _Complaints(lines, said.append).drain()
    assert said == ["[ERROR] [plant]: no more", "inference_0: Traceback (most recent call last):",
                    'inference_0:   File "x.py", line 3', "inference_0: ValueError: 3"]
