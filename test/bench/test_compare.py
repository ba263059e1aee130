"""Algorithms and baselines side by side, in virtual time."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from realtime_rl.bench.approaches import COMPARED
from realtime_rl.bench.compare import Comparison, Row, compare
from realtime_rl.bench.documents import compare_document, compare_text, to_json
from realtime_rl.bench.drawing import check_name, draw_comparison
from realtime_rl.bench.planning import Expectation
from realtime_rl.bench.progress import Stages
from realtime_rl.core.errors import ConfigError
from realtime_rl.policies.latency import Latency

EXPECTED = Expectation(Latency.parse("constant:94ms"), 16_000_000)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    comparison = Comparison(EXPECTED, 3.0, 12.0, 0.0, None, None)
    return list(compare(comparison, Stages(len(COMPARED))))


def test_everything_is_compared_with_as_many_workers_as_it_needs(rows: list[Row]) -> None:
    assert [row.approach for row in rows] == list(COMPARED)
    workers = {str(row.approach): row.workers for row in rows}
    assert workers["max_time pooled"] == workers["exp_time pooled"] == 6
    assert workers["sequential"] == workers["single_queue"] == 1


def test_the_outlier_comes_in_the_middle(rows: list[Row]) -> None:
    for row in rows:
        assert row.recovery is not None
        assert row.recovery.duration_ms == pytest.approx(3 * 94, rel=0.01)
        assert 250 < row.recovery.tick < 500


def test_where_workers_are_plenty_an_outlier_costs_its_own_tick() -> None:
    comparison = Comparison(EXPECTED, 3.0, 12.0, 0.0, 12, None)
    recovered = {str(row.approach): row.recovery.ticks
                 for row in compare(comparison, Stages()) if row.recovery}
    assert recovered["max_time pooled"] == recovered["quantile_time pooled"] == 1
    assert recovered["sequential"] is recovered["single_queue"] is None


def test_the_table_and_the_document_say_the_same(rows: list[Row]) -> None:
    comparison = Comparison(EXPECTED, 3.0, 12.0, 0.0, None, None)
    document = json.loads(to_json(compare_document(comparison, rows)))
    assert document["schema"] == 1
    assert document["live"] is False
    names = [row["name"] for row in document["rows"]]
    assert names == [str(approach) for approach in COMPARED]
    lines = compare_text(rows).splitlines()
    for name, row, line in zip(names, document["rows"], lines[1:], strict=False):
        assert line.startswith(name)
        assert f"{row['inaction_fraction'] * 100:.2f} %" in line
        assert row["action_jitter_ms"]["n"] > 0
    assert "calmest" not in "\n".join(lines)
    again = [replace(row, runs=3 if row is rows[1] else 1) for row in rows]
    assert compare_text(again).splitlines()[-1] == (
        "the calmest of several runs: max_time fixed 3")
    assert [row["runs"] for row in compare_document(comparison, again)["rows"]] == [
        1, 3, 1, 1, 1, 1, 1]


@pytest.mark.parametrize(("name", "magic"), [("c.svg", b"<?xml"), ("c.PNG", b"\x89PNG")])
def test_the_picture(rows: list[Row], name: str, magic: bytes, tmp_path: Path) -> None:
    check_name(tmp_path / name)
    draw_comparison(rows, "caption", tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(magic)


@pytest.mark.parametrize(("name", "message"), [
    ("c.gif", "name it .svg or .png"), ("nowhere/c.svg", "no such folder")])
def test_a_picture_that_could_not_be_written(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        check_name(tmp_path / name)


@pytest.mark.parametrize("outlier", [-1.0, 0.5, 1.0, 1001.0, float("nan")])
def test_an_outlier_is_longer_than_others(outlier: float) -> None:
    with pytest.raises(ConfigError, match="--outlier"):
        Comparison(EXPECTED, outlier, 12.0, 0.0, None, None)


def test_contention_stays_with_the_trace() -> None:
    latency = Latency.parse("constant:20ms,contention=0.5")
    comparison = Comparison(Expectation(latency, 16_000_000), 3.0, 4.0, 0.0, 3, None)
    row = next(compare(comparison, Stages()))
    assert row.figures["inference"]["emulated"].endswith(",contention=0.5")
    assert row.figures["inference"]["duration_ms"]["p50"] > 20.0
