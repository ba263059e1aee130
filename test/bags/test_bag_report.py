from __future__ import annotations

import argparse
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import synthetic
from handmade import step
from synthetic import Scenario

from realtime_rl.bags import plots
from realtime_rl.bags.html import page
from realtime_rl.bags.report import emulation, make_report, number, title, to_json, to_text
from realtime_rl.bags.writer import BagWriter
from realtime_rl.cli import report as cli
from realtime_rl.core.errors import BagError, MissingDependencyError, RealtimeRlError


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = synthetic.make(Scenario(ticks=700, episode_ticks=50))
    return synthetic.write(tmp_path_factory.mktemp("bags") / "run", made)


def small_bag(folder: Path, **changes: object) -> Path:
    with BagWriter(folder, list(synthetic.topics())) as writer:
        writer.write("/timestep", synthetic.cdr_of(step(0, **changes)), 0)
    return folder


def run_cli(*words: str) -> int:
    parser = argparse.ArgumentParser(prog="realtime-rl")
    cli.add_parser(parser.add_subparsers())
    args = parser.parse_args(["report", *words])
    return int(args.main(args))


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(html: str) -> _Tags:
    tags = _Tags()
    tags.feed(html)
    assert tags.open == []
    return tags


def test_json_has_no_nan_and_reads_back(tmp_path: Path, bag: Path) -> None:
    for path in (bag, small_bag(tmp_path / "small")):
        report = make_report(path)
        assert json.loads(to_json(report.figures)) == report.figures


def test_text_in_plain_words(bag: Path) -> None:
    text = to_text(make_report(bag))
    assert text.startswith("catch: 700 ticks in ")
    assert "Emulated accelerator: constant:95ms" in text
    assert "promised: 6" in text
    assert "warning" not in text


def test_what_is_not_emulated_is_not_called_so(tmp_path: Path) -> None:
    report = make_report(small_bag(tmp_path / "small"))
    assert emulation(report) is None
    assert "mulated" not in to_text(report)
    assert "mulated accelerator" not in page(report)


def test_numbers_for_people() -> None:
    assert number(None) == "–"
    assert number(1234.567, 1, "ms") == "1,234.6 ms"
    assert number(6.0, 0) == "6"


def test_the_page_needs_nothing_else(bag: Path) -> None:
    html = page(make_report(bag))
    tags = parsed(html)
    assert "script" not in tags.tags
    assert len(tags.links) == 6
    assert all(link.startswith("data:image/svg+xml;base64,") for link in tags.links)
    assert not re.search(r"https?://", html)
    assert "<strong>Emulated accelerator: constant:95ms</strong>" in html
    for key in ("excess_delay_ticks", "rejected: late", "promised_delay_ticks", "gaps"):
        assert f">{key}<" in html


def test_the_same_run_gives_the_same_page(bag: Path) -> None:
    report = make_report(bag)
    assert page(report) == page(report)


def test_of_very_many_dots_those_that_others_hide_are_left_out(
        monkeypatch: pytest.MonkeyPatch) -> None:
    times, values = np.arange(30_000.0), np.tile([1.0, 2.0, 2.0 + 1e-6], 10_000)
    values[7] = 9.0
    assert plots._seen(times, values)[0] is times
    monkeypatch.setattr(plots, "_MANY", 20_000)
    kept_times, kept = plots._seen(times, values)
    assert 2990 < kept.size <= 3001
    assert 9.0 in kept
    assert kept_times.tolist() == sorted(kept_times)
    assert plots._seen(times, np.ones(30_000))[1].size <= 1500


def test_the_page_of_a_run_with_next_to_nothing(tmp_path: Path) -> None:
    report = make_report(small_bag(tmp_path / "small", plant="<b>&x"))
    html = page(report)
    parsed(html)
    assert "&lt;b&gt;&amp;x" in html
    assert title(report) == "<b>&x"


def test_the_cli_writes_a_page_and_figures(
        tmp_path: Path, bag: Path, capsys: pytest.CaptureFixture[str]) -> None:
    html, figures = tmp_path / "run.html", tmp_path / "run.json"
    assert run_cli(str(bag), "--html", str(html), "--json", str(figures)) == 0
    assert html.read_text().startswith("<!doctype html>")
    assert json.loads(figures.read_text())["plant"]["ticks"] == 700
    assert capsys.readouterr().out.startswith("catch: 700 ticks")


def test_json_on_stdout_is_json_alone(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = small_bag(tmp_path / "small")
    (folder / "metadata.yaml").unlink()
    assert run_cli(str(folder), "--json", "-") == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["schema"] == 1
    assert captured.err.startswith("warning: the bag was not closed in order")


def test_a_file_that_cannot_be_written(tmp_path: Path, bag: Path) -> None:
    with pytest.raises(RealtimeRlError, match=r"run\.json' cannot be written: No such file"):
        run_cli(str(bag), "--json", str(tmp_path / "absent" / "run.json"))


def test_no_bag(tmp_path: Path) -> None:
    with pytest.raises(BagError, match="does not exist"):
        run_cli(str(tmp_path / "absent"))


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("html", "plots", "timeline", "drawing"):
        monkeypatch.delitem(sys.modules, f"realtime_rl.bags.{module}", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingDependencyError, match=r"pip install '\.\[bags\]' in the clone"):
        import realtime_rl.bags.html  # noqa: F401


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run_cli("--help")
    assert "realtime-rl report run1 --html run1.html" in capsys.readouterr().out
