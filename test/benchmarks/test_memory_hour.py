"""The benchmark of a learner's memory, in small."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("torch")

from benchmarks import memory


def test_a_full_replay_takes_no_more(capsys: pytest.CaptureFixture[str]) -> None:
    assert memory.main(["--ticks", "9000", "--replay-size", "2000", "--every", "1500",
                        "--updates-per-transition", "0.005", "--json", "-"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert [each["tick"] for each in figures["samples"]] == list(range(0, 9001, 1500))
    assert figures["full_at_tick"] == 3000
    assert figures["hours_when_full"] == pytest.approx(6000 * 16_742_706 / 3.6e12)
    assert figures["predicted_replay_mb"] == pytest.approx(14.6, abs=0.1)
    # 6,000 pictures are 42 MB: they are not kept
    assert figures["grown_when_full_mb"] < 20


def test_a_scenario_that_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert memory.main(["--config", "absent.yaml"]) == 2
    assert capsys.readouterr().err.startswith("memory: error: absent.yaml: cannot be read")
