"""How episodes of the pushed arm are summed up."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from benchmarks.chunk_arm_table import Episode, Row, rows_of, save, text


def episodes(run_as: str, workers: int, *errors_mm: float) -> list[Episode]:
    return [Episode(workers, run_as, number, error, 50.0, 11.0, None if number else 0.25, 0.0)
            for number, error in enumerate(errors_mm)]


ALL = [*episodes("queue at 0.5", 1, 30.0, 10.0, 20.0), *episodes("newest", 1, 29.0, 8.0, 17.0),
       *episodes("newest", 4, 20.0, 10.0, 30.0)]


def test_differences_are_paired_with_the_queue() -> None:
    queue, one, four = rows_of(ALL)
    assert (queue.less_mm, queue.error_mm) == (None, 20.0)
    assert (one.run_as, one.workers, one.episodes, one.error_mm, one.less_mm) == (
        "newest", 1, 3, 18.0, -2.0)
    # what episodes differ by is no uncertainty of the difference
    assert one.less_low == pytest.approx(-2 - 4.303 / 3**0.5, abs=1e-3)
    assert one.less_high is not None and one.error_low < one.error_mm + one.less_low
    assert (four.less_mm, four.seam) == (0.0, 0.25)


def test_the_table_and_the_file_say_the_same(tmp_path: Path) -> None:
    rows = rows_of(ALL)
    save(tmp_path / "rows.csv", Row, rows, 3)
    with (tmp_path / "rows.csv").open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert [row["less_mm"] for row in found] == ["", "-2", "0"]
    assert [row["error_mm"] for row in found] == ["20", "18", "20"]
    lines = text(rows).splitlines()
    assert lines[3].startswith("| newest | 1 | 18.0 [")
    assert "| – |" in lines[2]
