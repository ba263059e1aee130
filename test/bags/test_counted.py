"""Counters of a plant, from the bag to the report."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import synthetic
from synthetic import Scenario

from realtime_rl.bags.html import page
from realtime_rl.bags.report import make_report, to_json, to_text
from realtime_rl.core.figures.counters import joined
from realtime_rl.core.messages.records import Timestep


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six episodes of fifty ticks; `won` counts every tenth tick, `lost` nothing."""
    made = synthetic.make(Scenario(ticks=300, episode_ticks=50))
    begun, records = 0, []
    for at_ns, record in made.records:
        if isinstance(record, Timestep):
            begun = record.tick if record.first else begun
            record = replace(record, counted=joined(("won", "lost")),  # noqa: PLW2901
                             counters=(float((record.tick - begun) // 10), 0.0))
        records.append((at_ns, record))
    folder = tmp_path_factory.mktemp("counted") / "run"
    return synthetic.write(folder, replace(made, records=records))


def test_the_report_tells_counters(bag: Path) -> None:
    report = make_report(bag)
    counters = json.loads(to_json(report.figures))["episodes"]["counters"]
    assert list(counters) == ["won", "lost"]
    assert counters["won"]["total"] == 24
    assert (counters["won"]["per_episode"]["mean"], counters["won"]["per_episode"]["n"]) == (4, 6)
    assert counters["lost"]["total"] == 0
    assert re.search(r"^  won +24  counted in all; of an episode 4.00 \(mean\)$", to_text(report),
                     re.MULTILINE)


def test_the_page_draws_them(bag: Path) -> None:
    html = page(make_report(bag))
    assert "What the plant counted beside the reward" in html
    assert "won (24)" in html and "lost (0)" in html
    assert "<th>counters</th>" in html
