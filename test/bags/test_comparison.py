"""Runs side by side, and a bag that is still being written."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bags.played import play, record
from simulate.tiny_plant import Echo

from realtime_rl.cli import report
from realtime_rl.cli.main import main
from realtime_rl.core.figures.intervals import difference_of

SPEC = Echo().spec


def bag(folder: Path, ticks: int, seed: int, more: float = 0.0, plant: str = "") -> Path:
    """A run whose rewards are larger by `more` than they were."""
    played = [(replace(step, reward=step.reward + more * (not step.first),
                       plant=plant or step.plant), seen)
              for step, seen in play(Echo(seed), ticks)]
    return record(folder, played, SPEC.observation)


def test_the_difference_of_two_means_has_welchs_interval() -> None:
    found = difference_of([5.0, 6.0, 7.0, 8.0], [1.0, 2.0, 3.0])
    # by hand: 6.5 - 2, standard error sqrt(5/12 + 1/3), 4.96 degrees of freedom, rounded to 4
    assert found.mean == pytest.approx(4.5)
    assert found.high - found.mean == pytest.approx(2.7764 * math.sqrt(5 / 12 + 1 / 3), rel=1e-3)
    assert math.isnan(difference_of([], [1.0]).mean)


def test_the_intervals_of_differences_cover_the_truth() -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(400):
        found = difference_of(rng.normal(3.0, 1.0, 9).tolist(), rng.normal(1.0, 4.0, 6).tolist())
        covered += found.low <= 2.0 <= found.high
    assert 0.92 * 400 <= covered <= 400


def test_runs_stand_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bags = [str(bag(tmp_path / "one", 240, 3)), str(bag(tmp_path / "two", 240, 3, more=1.0))]
    assert main(["report", *bags, "--html", str(tmp_path / "both.html")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["one", "two"]
    assert any(line.startswith("less one's") for line in lines)
    page = (tmp_path / "both.html").read_text(encoding="utf-8")
    assert "2 runs compared" in page and page.count("<svg") == 2
    assert main(["report", *bags, "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [Path(run["bag"]).name for run in found["runs"]] == ["one", "two"]
    first, second = (run["return"]["mean"] for run in found["runs"])
    assert found["return_less_first"][0]["mean"] == pytest.approx(second - first)
    assert second > first


def test_runs_of_different_plants_are_said_to_be(tmp_path: Path,
                                                 capsys: pytest.CaptureFixture[str]) -> None:
    one, other = bag(tmp_path / "a" / "run", 60, 3), bag(tmp_path / "b" / "run", 60, 3, plant="x")
    assert main(["report", str(one), str(other)]) == 0
    out = capsys.readouterr().out
    assert "warning: these are of different plants: echo, x" in out
    assert out.splitlines()[0].split() == [str(one), str(other)]  # their names are alike


def test_a_bag_that_is_being_written_is_read_again_until_it_is_whole(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, folder, html = bag(tmp_path / "whole", 240, 3), tmp_path / "bag", tmp_path / "r.html"
    shutil.copytree(whole, folder)
    (folder / "metadata.yaml").unlink()
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        assert "http-equiv=\"refresh\" content=\"5\"" in html.read_text(encoding="utf-8")
        if len(waited) == 2:
            shutil.copy(whole / "metadata.yaml", folder)

    monkeypatch.setattr(report.time, "sleep", sleep)
    assert main(["report", str(folder), "--follow", "--html", str(html)]) == 0
    assert waited == [5, 5]
    assert "refresh" not in html.read_text(encoding="utf-8")
    assert capsys.readouterr().out.count("echo: 240 ticks") == 3


def test_only_one_bag_can_be_followed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "a", "b", "--follow"]) == 2
    assert "--follow: one bag at a time, not 2" in capsys.readouterr().err
