"""The bag of many hours that is made up keeps the law of the bag, and goes on where it repeats."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import long_bag
from realtime_rl.bags.report import make_report


def test_it_is_one_run_without_a_seam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_bag, "BASE_TICKS", 300)
    count = long_bag.write(tmp_path / "bag", 900 * long_bag.PERIOD_NS / 3600e9)
    report = make_report(tmp_path / "bag")
    assert report.warnings == ()
    figures = report.figures
    assert (figures["plant"]["ticks"], figures["episodes"]["count"]) == (900, 3)
    assert figures["learning"]["policy_versions"] == 3
    assert figures["interaction"]["startup_ticks"] < 10
    assert count > 2600
