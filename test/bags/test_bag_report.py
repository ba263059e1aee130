from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
from html.parser import HTMLParser
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import synthetic
from handmade import step
from synthetic import Scenario

from realtime_rl.bags import over_time, run_record
from realtime_rl.bags.commanded import commanded
from realtime_rl.bags.html import page
from realtime_rl.bags.over_time import Clock
from realtime_rl.bags.report import emulation, make_report, number, scale, title, to_json, to_text
from realtime_rl.bags.writer import BagWriter
from realtime_rl.cli import report as cli
from realtime_rl.core.errors import BagError, MissingDependencyError, RealtimeRlError
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.messages.table import Table
from realtime_rl.core.peers.deaths import Deaths
from realtime_rl.core.peers.noted import Noted
from realtime_rl.core.types import Cause


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
        self.ids: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs
                       if name in ("src", "href", "xlink:href")]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

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


def test_where_no_version_was_announced_none_came_into_use(tmp_path: Path) -> None:
    report = make_report(small_bag(tmp_path / "small"))
    report.figures["learning"]["policy_versions"] = 1
    assert re.search(r"Policies +1  versions announced; in use after ", to_text(report))
    report.figures["learning"]["policy_versions"] = 0
    assert re.search(r"Policies +0  versions announced: none followed the one to start from\n",
                     to_text(report))
    report.figures["learning"]["policy_versions"] = None  # nobody was there to announce one
    assert re.search(r"Policies +–  nothing is recorded of versions announced\n", to_text(report))


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
    inside = [link for link in tags.links if not link.startswith("data:image/png;base64,")]
    assert {link.removeprefix("#") for link in inside} <= set(tags.ids)
    assert len(tags.ids) == len(set(tags.ids))
    assert not re.search(r"https?://", html)
    assert "<strong>Emulated accelerator: constant:95ms</strong>" in html
    for key in ("excess_delay_ticks", "rejected: late", "promised_delay_ticks", "gaps"):
        assert f">{key}<" in html


def test_the_list_of_contents_leads_to_every_section(bag: Path) -> None:
    run_record.write(bag, Deaths(), "")
    html = page(make_report(bag))
    listed = re.findall(r'<li><a href="#([^"]+)">([^<]+)</a>', html)
    assert [title for _, title in listed] == [
        "Headlines", "Staggered workers", "Evenness of the actions",
        "Delay from observation to action", "Who acted", "Commands", "Inference times",
        "Returns and policy versions", "All figures"]
    assert [name for name, _ in listed] == re.findall(
        r'<(?:section|figure) id="([^"]+)"', html)


def test_every_colour_is_the_pages_own_and_explained(bag: Path) -> None:
    html = page(make_report(bag))
    shown, style = html.split("</style>")[1], html.split("</style>")[0]
    assert not re.search(r"#[0-9a-f]{6}\b", shown), "a colour that is not made for the dark"
    used = set(re.findall(r"var\(--([a-z]+)\)", shown))
    dark = style.split("prefers-color-scheme: dark")[1]
    assert all(f"--{name}:" in dark for name in used)
    for figure in shown.split("<figure ")[1:]:
        drawing = figure.split('<div class="wide"')[1]
        explained = set(re.findall(r'--key: var\(--([a-z]+)\)', figure))
        coloured = set(re.findall(r"(?:fill|stroke): var\(--([a-z]+)\)", drawing))
        assert coloured - {"ink", "faint", "paper", "rule", "grid"} <= explained


def test_a_phone_has_pictures_of_its_own(bag: Path) -> None:
    html = page(make_report(bag))
    boxes = re.findall(r'<div class="(wide|narrow)"[^>]*><svg viewBox="0 0 ([\d.]+)', html)
    assert [kind for kind, _ in boxes] == ["wide", "narrow"] * (len(boxes) // 2)
    assert all(float(width) < 350 for kind, width in boxes if kind == "narrow")


def test_the_ticks_of_before_the_recorder_are_not_in_its_time(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "late", list(synthetic.topics())) as writer:
        for tick in range(100):  # what is latched comes at once
            writer.write("/timestep", synthetic.cdr_of(step(tick)), 10**9 + tick)
    report = make_report(tmp_path / "late")
    period_s = report.run.records.timesteps[0].period_ns / 1e9
    assert scale(report).startswith(f"100 ticks in {100 * period_s:.1f} s")
    skipped = make_report(tmp_path / "late", skip_s=0.5)
    kept = skipped.figures["plant"]["ticks"]
    assert scale(skipped).startswith(f"{kept} ticks in {100 * period_s - 0.5:.1f} s")


def test_startup_is_a_headline(tmp_path: Path, bag: Path) -> None:
    assert re.search(r"Startup +0\.1 s  6 ticks before the policy's first action", to_text(
        make_report(bag)))
    idle = make_report(small_bag(tmp_path / "idle", cause=Cause.DEFAULT, observation_tick=-1,
                                 worker=-1, version=-1))
    assert "the policy never acted, in 1 ticks" in to_text(idle)


def test_what_there_are_no_data_of_is_not_shown(tmp_path: Path) -> None:
    html = page(make_report(small_bag(tmp_path / "small")))
    for absent in ("Learning", "Inference times", "swap_ms", "Policies", "Return<"):
        assert absent not in html.split("</style>")[1]
    for present in ("Plant", "Interaction", "Who acted", "Commands"):
        assert f">{present}<" in html


@pytest.mark.parametrize(("actions", "axes"), [
    ([(0.0,), (2.0,), (1.0,)], ["choice"]),
    ([(0.5,), (2.0,), (1.0,)], ["action 0"]),
    ([(0.0, 1.0), (2.0,), (1.0, 3.0, 5.0)], ["action 0", "action 1", "action 2"]),
    ([(float("nan"),), ()], None),
    ([tuple(map(float, range(40)))] * 2, [f"action {place}" for place in range(12)])])
def test_commands_are_drawn_a_dimension_a_row(
        actions: list[tuple[float, ...]], axes: list[str] | None) -> None:
    ticks = Table.of(Timestep, [step(tick, action=action) for tick, action in enumerate(actions)])
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        picture = commanded(ticks, Clock.of(0, 1.0))
    assert (picture is None) == (axes is None)
    if picture is not None and axes is not None:
        assert len(picture.keys) == 1
        height = float(re.search(rb'viewBox="0 0 [\d.]+ ([\d.]+)"', picture.svg)[1])
        assert height == pytest.approx(72 * (0.8 + (1.0 if axes == ["choice"]
                                                    else 0.95 * len(axes))))


def test_what_the_nodes_warned_of_and_how_they_died_are_sections(tmp_path: Path) -> None:
    bag, deaths, noted = small_bag(tmp_path / "run"), Deaths(), Noted()
    deaths.died("plant", "plant", 3.0, -9, "no motor", respawn=True)
    noted.take("[WARN] [plant]: <late>", 2.0)
    run_record.write(bag, deaths, "", noted=noted)
    html = page(make_report(bag))
    told = html.split('<section id="deaths"')[1].split("</section>")[0]
    assert "<h2>1 death(s) of nodes</h2>" in told
    assert "plant died at 3.0 s (SIGKILL), started again: no motor" in told
    said = html.split('<section id="complaints"')[1].split("</section>")[0]
    assert "2.0 s  [WARN] [plant]: &lt;late&gt;" in said
    places = [html.index(f'id="{name}"') for name in ("deaths", "headlines", "complaints")]
    assert places == sorted(places)  # deaths before the figures, warnings after them
    assert "died" not in html.split('<section id="warnings"')[1].split("</section>")[0]


def test_deaths_are_marked_in_the_pictures_over_time(tmp_path: Path, bag: Path) -> None:
    deaths = Deaths(synthetic.START_NS - 2_000_000_000)
    for node, at_s in (("coordinator", 1.0), ("inference_0", 5.0), ("plant", 14.0)):
        deaths.died(node, (node,), at_s, -9, respawn=True)
    shutil.copytree(bag, tmp_path / "run")
    run_record.write(tmp_path / "run", deaths, "")
    report = make_report(tmp_path / "run")
    told = page(report)
    assert ("Times count from the start of the run; pictures begin with the first tick, 2.0 s "
            "later.") in told
    figures = {re.search("<h2>(.*?)</h2>", text)[1]: text
               for text in told.split("<figure ")[1:]}
    marked = [name for name, text in figures.items() if 'class="dotted"' in text]
    assert marked == ["Who acted", "Commands", "Inference times", "Returns and policy versions"]
    # who died before the first tick is in the list only, and the last tick ends the pictures
    assert all("a node died: inference_0, plant</li>" in figures[name] for name in marked)
    assert "dotted" not in page(make_report(bag)).split("</style>")[1]


@pytest.mark.parametrize(("span_s", "died_s", "places"), [
    (10.0, [-0.1, 0.0, 4.0, 10.0], [0.0, 4.0, 10.0]),
    (10.0, [10.9, 11.1], [10.0]),
    (1200.0, [600.0], [10.0])])
def test_deaths_have_their_place_on_the_clock(
        span_s: float, died_s: list[float], places: list[float]) -> None:
    start_ns = synthetic.START_NS
    clock = Clock.of(start_ns, span_s, [(start_ns + round(at * 1e9), "plant") for at in died_s])
    assert [at for at, _ in clock.died] == pytest.approx(places)


def test_of_many_nodes_that_died_some_are_named() -> None:
    clock = Clock.of(0, 10.0, [(n * 10**9, f"inference_{n % 6}") for n in range(9)])
    assert [key.meaning for key in clock.keys] == [
        "a node died: inference_0, inference_1, inference_2, inference_3 and 2 more"]


def test_the_same_run_gives_the_same_page(bag: Path) -> None:
    report = make_report(bag)
    assert page(report) == page(report)


def test_of_very_many_dots_those_that_others_hide_are_left_out(
        monkeypatch: pytest.MonkeyPatch) -> None:
    times, values = np.arange(30_000.0), np.tile([1.0, 2.0, 2.0 + 1e-6], 10_000)
    values[7] = 9.0
    assert over_time.seen(times, values)[0] is times
    monkeypatch.setattr(over_time, "MANY", 20_000)
    kept_times, kept = over_time.seen(times, values)
    assert 2990 < kept.size <= 3001
    assert 9.0 in kept
    assert kept_times.tolist() == sorted(kept_times)
    assert over_time.seen(times, np.ones(30_000))[1].size <= 1500


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
