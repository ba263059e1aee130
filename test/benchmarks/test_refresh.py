"""The benchmark of refreshes: each way acts with the new weights, and its stages are told."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from benchmarks import refresh


def test_every_way_is_told_by_its_stages(
    monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "argv", ["refresh.py", "--network", "nature:1/16", "--repeats", "2",
                                      "--folder", str(tmp_path), "--json", "-"])
    assert refresh.main() == 0
    found = json.loads(capsys.readouterr().out)
    for way in refresh.WAYS:
        run = found["runs"][way][1]
        assert len(found["runs"][way]) == 2
        assert all(run[stage] > 0 for stage in refresh.STAGES)
        assert sum(run[stage] for stage in refresh.STAGES) <= run["total"]  # none counts twice
    middle = found["median"]
    assert found["ratio"] == pytest.approx(middle["refresh"]["total"] / middle["exported"]["total"])
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_network_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(sys, "argv", ["refresh.py", "--network", "huge"])
    assert refresh.main() == 1
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert "'huge'" in captured.err
