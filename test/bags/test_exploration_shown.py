"""Whether actions explored is told wherever a run is told of."""

from __future__ import annotations

from pathlib import Path

import synthetic
from handmade import inference, step

from realtime_rl.bags.html import page
from realtime_rl.bags.report import make_report, scale, to_text
from realtime_rl.bags.writer import BagWriter
from realtime_rl.core.figures.accounting import RunRecords, account
from realtime_rl.core.figures.health import assess


def recorded(folder: Path, exploration: str) -> Path:
    with BagWriter(folder, list(synthetic.topics())) as writer:
        writer.write("/timestep", synthetic.cdr_of(step(0)), 0)
        writer.write("/inference", synthetic.cdr_of(inference(0, exploration=exploration)), 1)
    return folder


def test_the_report_says_it_in_its_first_line(tmp_path: Path) -> None:
    report = make_report(recorded(tmp_path / "off", "off"))
    assert "exploration: off" in to_text(report).splitlines()[0]
    assert "exploration: off" in page(report)
    assert report.figures["inference"]["exploration"] == "off"


def test_an_older_bag_does_not_say_it(tmp_path: Path) -> None:
    report = make_report(recorded(tmp_path / "old", ""))
    assert report.figures["inference"]["exploration"] is None
    assert "exploration" not in scale(report)


def test_the_live_figures_say_it() -> None:
    def shown(*said: str) -> str:
        figures = account(RunRecords([step(0)], (), [
            inference(tick, exploration=text) for tick, text in enumerate(said)]))
        return assess(figures, None, None, (), 0)[2].figures["exploration"]

    assert (shown(), shown("0.1"), shown("learner")) == ("–", "0.1", "learner")
