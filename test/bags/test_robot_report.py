"""The report of a robot: what it was sent, how it followed, and what stopped it."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest
import robot_bag
from handmade import START_NS, step
from robot_bag import PERIOD_NS, TICKS

from realtime_rl.bags.html import page
from realtime_rl.bags.report import Report, make_report, to_json, to_text
from realtime_rl.bags.robot_report import stop_lines
from realtime_rl.core.enumerations import Phase, StopCause
from realtime_rl.core.figures.robot_figures import NAMELESS, robot_figures, stops
from realtime_rl.core.messages.records import RobotRecord

PICTURES = ("What the robot was about, and what stopped it",
            "The robot&#x27;s commands and positions", "How far commands and positions were apart",
            "Ages of the sensors&#x27; values")


def record(tick: int, **changes: object) -> RobotRecord:
    values: dict[str, object] = {
        "stamp_ns": START_NS + tick * PERIOD_NS, "tick": tick, "phase": Phase.ACTING,
        "stopped_by": 0, "sent": (0.1 * tick, math.nan), "measured": (0.0, math.nan),
        "limited": (tick % 2, 0), "ages_s": (0.01, math.nan), "repeated": (tick, 0)}
    return RobotRecord(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return make_report(robot_bag.write(tmp_path_factory.mktemp("bags") / "arm", robot_bag.run()))


def test_figures_of_a_robot(report: Report) -> None:
    robot = json.loads(to_json(report.figures))["robot"]
    assert robot["ticks"] == TICKS
    assert sum(robot[f"{phase.word}_ticks"] for phase in Phase) == TICKS
    assert (robot["waiting_ticks"], robot["unsent_ticks"], robot["stopped_ticks"]) == (10, 10, 90)
    assert (robot["stops"], robot["stopped_ticks_by"]["estop"],
            robot["stopped_ticks_by"]["service"]) == (2, 50, 40)
    assert list(robot["elements"]) == ["j1", "j2"]
    second = robot["elements"]["j2"]
    assert second["limited_ticks"] > 10
    assert second["largest_rate"] == pytest.approx(1.5)
    assert 0.0 < second["difference"]["max"] < 0.2
    assert list(robot["sources"]) == ["joints", "cam"]  # as the observation shows them
    camera = robot["sources"]["cam"]
    assert camera["unheard_ticks"] == 10
    assert camera["age_ms"]["max"] == pytest.approx(150.0)
    assert camera["most_repeated"] == 3
    assert report.warnings == ()


def test_what_is_not_known_is_null_and_steps_are_of_ticks_that_follow() -> None:
    figures = robot_figures([record(0), record(1), record(3)], NAMELESS, PERIOD_NS)
    assert figures is not None
    first, second = figures["elements"]["0"], figures["elements"]["1"]
    assert first["largest_step"] == pytest.approx(0.1)
    assert first["largest_rate"] == pytest.approx(5.0)
    assert first["limited_ticks"] == 2
    assert (second["largest_step"], second["largest_rate"], second["difference"]["max"]) == (
        None, None, None)
    assert figures["sources"]["1"]["age_ms"]["n"] == 0
    assert figures["sources"]["0"]["most_repeated"] == 3
    assert robot_figures([], NAMELESS, PERIOD_NS) is None


def test_stops_and_their_causes() -> None:
    by = {2: StopCause.ESTOP, 3: StopCause.ESTOP | StopCause.STALE, 7: StopCause.DEADMAN}
    records = [record(tick, phase=Phase.STOPPED if tick in by else Phase.HOLDING,
                      stopped_by=int(by.get(tick, 0))) for tick in range(8)]
    found = stops(records)
    assert [(stop.words, stop.end_ns - stop.begin_ns) for stop in found] == [
        ("stale, estop", 2 * PERIOD_NS), ("deadman", 0)]
    assert stop_lines(records, [step(0)]) == [
        "0.04 s: for 0.04 s, by stale, estop", "0.14 s: for 0.00 s, by deadman"]


def test_the_page_shows_the_robot_in_the_pages_own_colours(report: Report) -> None:
    html = page(report)
    for title in PICTURES:
        assert f"<h2>{title}</h2>" in html
    assert "<li>8.00 s: for 1.00 s, by estop</li>" in html
    assert "<li>12.00 s: for 0.80 s, by service</li>" in html
    assert re.search(r"<th>cam</th><td>.*</td></tr>", html)
    assert not re.search(r"#[0-9a-f]{6}\b", html.split("</style>")[1])


def test_the_headline_says_what_there_is_to_say(report: Report) -> None:
    assert re.search(r"Robot +8\d\d  of 1,000 ticks it followed what was asked for, within its "
                     r"limits; stopped 2 times \(ticks: 40 by service, 50 by estop\); "
                     r"ticks limited: j2 \d+(, j\d \d+)*; cam was 150 ms old at most",
                     to_text(report))


@pytest.mark.parametrize(("contract", "warned"), [
    ("", ""), ("a: [", "not YAML"), ("robot: {period: 0.02}", "no section 'ros__parameters'"),
    ("robot: {ros__parameters: {perod: 0.02}}", "unknown parameter 'perod'")])
def test_without_a_contract_things_have_numbers(tmp_path: Path, contract: str, warned: str) -> None:
    bag = robot_bag.write(tmp_path / "arm", robot_bag.run(30), contract)
    report = make_report(bag)
    robot = report.figures["robot"]
    assert robot is not None
    assert list(robot["elements"]) == ["0", "1"]
    assert len(report.warnings) == bool(warned)
    assert all(warned in line for line in report.warnings)
    assert f"<h2>{PICTURES[0]}</h2>" in page(report)


def test_the_beginning_may_be_left_out(tmp_path: Path) -> None:
    bag = robot_bag.write(tmp_path / "arm", robot_bag.run(60))
    robot = make_report(bag, skip_s=0.5).figures["robot"]
    assert robot is not None
    assert (robot["ticks"], robot["waiting_ticks"]) == (35, 0)


def test_a_bag_of_another_plant_has_no_such_sections(tmp_path: Path) -> None:
    records = [each for each in robot_bag.run(30) if not isinstance(each, RobotRecord)]
    report = make_report(robot_bag.write(tmp_path / "other", records, ""))
    assert report.figures["robot"] is None
    html = page(report)
    assert not any(title in html for title in PICTURES)
    assert "Stops of the robot" not in html
    assert "<h3>Robot</h3>" not in html
