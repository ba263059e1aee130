"""What the runner notes of its nodes comes back in the report."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import synthetic
from handmade import step

from realtime_rl.bags import run_record
from realtime_rl.bags.attribution import disagreements
from realtime_rl.bags.html import page
from realtime_rl.bags.report import make_report, to_text
from realtime_rl.bags.writer import BagWriter
from realtime_rl.core.figures.accounting import RunRecords
from realtime_rl.core.figures.grids import two_at_once
from realtime_rl.core.figures.statistics import plant_sessions
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.peers.deaths import Deaths
from realtime_rl.core.peers.noted import Note, Noted


def deaths() -> Deaths:
    found = Deaths()
    found.died("plant", ("plant",), 1.25, 1, "RuntimeError: no motor", respawn=True)
    found.died("recorder", ("recorder",), 2.0, -9, "[INFO] recording", respawn=False)
    return found


def test_deaths_are_noted_beside_the_messages_and_read_again(tmp_path: Path) -> None:
    run_record.write(tmp_path, deaths(), "this machine alone")
    noted = run_record.read(tmp_path)
    assert noted is not None
    assert (noted.deaths, noted.count, noted.reach) == (deaths().kept, 2, "this machine alone")
    assert noted.lines == [
        "plant died at 1.2 s (status 1), started again: RuntimeError: no motor",
        "recorder died at 2.0 s (SIGKILL), not started again"]


def test_when_the_run_began_places_its_deaths(tmp_path: Path) -> None:
    found = Deaths(7_000_000_000)
    found.died("plant", ("plant",), 1.25, 1, respawn=True)
    run_record.write(tmp_path, found, "")
    noted = run_record.read(tmp_path)
    assert noted is not None and noted.died == ((8_250_000_000, "plant"),)
    run_record.write(tmp_path, deaths(), "")  # by who does not know it, or before it was noted
    noted = run_record.read(tmp_path)
    assert noted is not None and noted.died == ()


def test_from_what_a_run_can_be_made_anew_is_noted(tmp_path: Path) -> None:
    origin = run_record.Origin("pyboy", ("rom=catch", "size=84"), 3, "file:///p.onnx#sha256=00")
    run_record.write(tmp_path, deaths(), "", origin=origin)
    noted = run_record.read(tmp_path)
    assert noted is not None and noted.origin == origin
    run_record.write(tmp_path, deaths(), "")  # by who does not know it, or before it was noted
    noted = run_record.read(tmp_path)
    assert noted is not None and noted.origin is None
    content = json.loads((tmp_path / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps({**content, "origin": {"plant": "counter"}}))
    with pytest.raises(ValueError, match="options"):
        run_record.read(tmp_path)


def test_very_many_are_counted_and_the_first_are_listed(tmp_path: Path) -> None:
    found = Deaths()
    for n in range(1000):
        found.died("monitor", ("monitor",), 10.0 * n, 1, respawn=True)
    run_record.write(tmp_path, found, "")
    noted = run_record.read(tmp_path)
    assert noted is not None and noted.count == 1000
    assert len(noted.lines) == 11 and noted.lines[-1] == "nodes died 990 more time(s)"


def test_where_there_is_no_bag_nothing_is_made(tmp_path: Path) -> None:
    run_record.write(tmp_path / "absent", deaths(), "")
    assert list(tmp_path.iterdir()) == []
    assert run_record.read(tmp_path) is None


@pytest.mark.parametrize("text", ["", "[", "[]", "{}", '{"kept": [{}], "deaths": 1, "reach": ""}',
                                  '{"kept": 3, "deaths": 1, "reach": ""}', "\udcff"])
def test_what_is_no_record_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / run_record.NAME).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError):
        run_record.read(tmp_path)


def test_a_record_of_unknown_words_is_said(tmp_path: Path) -> None:
    run_record.write(tmp_path, deaths(), "")
    path = tmp_path / run_record.NAME
    content = json.loads(path.read_text())
    content["kept"][0]["then"] = "resurrected"
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="resurrected"):
        run_record.read(tmp_path)


def test_how_the_rate_comes_about_is_noted_and_told(tmp_path: Path) -> None:
    bag = tmp_path / "run"
    with BagWriter(bag, list(synthetic.topics())) as writer:
        writer.write("/timestep", synthetic.cdr_of(step(0)), 0)
    run_record.write(bag, Deaths(), "", "15 ticks a second: 60 frames a second, 4 a step")
    report = make_report(bag)
    for shown in (to_text(report), page(report)):
        assert "(15 ticks a second: 60 frames a second, 4 a step)" in shown
        assert "a tick (mean); 0.00 in all came in episodes that were not seen" in shown
    old = json.loads((bag / run_record.NAME).read_text())
    del old["rate"]
    (bag / run_record.NAME).write_text(json.dumps(old))
    assert "ticks a second" not in to_text(make_report(bag))


def test_the_report_tells_of_the_deaths(tmp_path: Path) -> None:
    bag = tmp_path / "run"
    with BagWriter(bag, list(synthetic.topics())) as writer:
        writer.write("/timestep", synthetic.cdr_of(step(0)), 0)
    assert make_report(bag).figures["recording"]["deaths"] is None
    run_record.write(bag, deaths(), "this machine alone")
    report = make_report(bag)
    assert report.figures["recording"]["deaths"] == 2
    assert report.warnings[:2] == tuple(run_record.read(bag).lines)  # type: ignore[union-attr]
    (bag / run_record.NAME).write_text("{")
    assert make_report(bag).warnings[0].startswith("run.json: not the record of a run: ")


def ticks(begin_ns: int, numbers: range, late_s: float = 0.0) -> list[Timestep]:
    """Ticks of a plant whose grid began at `begin_ns`."""
    example = step(0)
    return [replace(example, tick=n, lateness_s=late_s, stamp_ns=begin_ns + n * example.period_ns
                    + round(late_s * 1e9)) for n in numbers]


def test_two_plants_at_once_are_told_from_one_that_was_started_again() -> None:
    again = [*ticks(0, range(50)), *ticks(10**9, range(50)), *ticks(2 * 10**9, range(9))]
    assert not two_at_once(plant_sessions(again))
    late = [*ticks(0, range(20)), *ticks(0, range(20, 25), 0.3), *ticks(0, range(25, 40))]
    assert not two_at_once(plant_sessions(late))
    first, second = ticks(0, range(90, 120)), ticks(2 * 10**9, range(30))
    both = [tick for pair in zip(first, second, strict=True) for tick in pair]
    assert two_at_once(plant_sessions(both))
    found = disagreements(RunRecords(both, topics=frozenset({"timestep"})))
    assert any(line.startswith("two plants published their ticks at once") for line in found)
    assert not any("started again" in line for line in found)


def test_what_the_nodes_warned_of_is_kept_each_line_once(tmp_path: Path) -> None:
    noted = Noted()
    for _ in range(3):
        noted.take("[WARN] [1764000000.5] [plant]: late", 1.23456)
    for number in range(300):
        noted.take(str(number), 2.0)
    run_record.write(tmp_path, Deaths(), "", noted=noted)
    found = run_record.read(tmp_path)
    assert found is not None
    assert found.noted.kept["[WARN] [plant]: late"] == Note(1.235, 3)
    assert (len(found.noted.kept), found.noted.left_out) == (200, 101)
    assert found.noted.lines(1) == ["… and 300 line(s) more", "   2.0 s  198"]
