"""What a person sees of a run while it goes on, and what stays."""

from __future__ import annotations

import io
import queue
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from handmade import inference, schedule, step, verdict
from rich.console import Console

from realtime_rl.cli import live_view
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.figures.health import Health
from realtime_rl.core.figures.live_window import LiveWindow
from realtime_rl.core.observations import ObservationSpec
from realtime_rl.core.settings.parameters import Scenario
from realtime_rl.core.types import ActionSpace, Cause, PlantSpec
from realtime_rl.runner.prepare import Prepared

S = 1_000_000_000
PREPARED = Prepared(Scenario(duration=60.0), PlantSpec(
    "toy", S // 100, ObservationSpec((1,), "float32", 0, 1), ActionSpace(("A", "B"), (0.0,))), [],
    Path())
SEEN = ObservationSpec((1, 84, 84), "uint8", 0, 255)
WARNING = "[WARN] [1764000000.5] [plant]: late"


def window(causes: list[Cause]) -> LiveWindow:
    made = LiveWindow(10 * S)
    made.take(schedule(), 0)
    for tick, cause in enumerate(causes):
        for record in (step(tick, cause), verdict(tick), inference(tick)):
            made.take(record, tick * S // 100)
    return made


class View:
    """A live view on a terminal of 110 columns, with a monitor of the test's own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, terminal: bool = True,
                 verbose: bool = False, height: int = 50,
                 picture: np.ndarray | None = None) -> None:
        self.out = io.StringIO()
        self.said: list[Health] = []
        monkeypatch.setattr(live_view, "_Screen", lambda **_: Console(
            file=self.out, force_terminal=terminal, width=110, height=height, color_system=None))
        monkeypatch.setitem(sys.modules, "realtime_rl.ros.live", SimpleNamespace(
            LiveFigures=lambda namespace: SimpleNamespace(
                newest=self.said, waiting="", close=lambda: None, picture=picture,
                watch=lambda *words: self.watched.append(words))))
        self.watched: list[tuple[object, ...]] = []
        self.lines: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        prepared = PREPARED if picture is None else replace(
            PREPARED, plant=replace(PREPARED.plant, observation=SEEN),
            scenario=Scenario(namespace="robot1"))
        self.view = live_view.LiveView(prepared, verbose=verbose, live=True,
                                       picture=picture is not None)

    def update(self, health: list[Health], elapsed_s: float) -> str:
        """Return what is drawn now, or what was printed."""
        self.said[:] = health
        self.view.update(self.lines, elapsed_s)
        if self.view._live is None:
            return self.out.getvalue()
        screen = Console(file=io.StringIO(), width=110)
        screen.print(self.view._live.get_renderable())
        return screen.file.getvalue()  # type: ignore[attr-defined]


def rows(drawn: str) -> dict[str, str]:
    cut = (line.split("  ") for line in drawn.splitlines()[1:])
    return {parts[0]: " ".join(parts[1:]).strip() for parts in cut}


@pytest.mark.parametrize(("cause", "who", "stop"), [
    (Cause.POLICY, "policy: worker 0, version 1", "released"),
    (Cause.DEFAULT, "default policy: no action came in time", "released"),
    (Cause.OPERATOR, "operator", "released"),
    (Cause.STOP, "stop: the safe command", "in force, until it is released"),
    (Cause.NONE, "nobody: no command came", "released")])
def test_who_acts_now_is_said(monkeypatch: pytest.MonkeyPatch, cause: Cause, who: str, stop: str
                              ) -> None:
    screen = View(monkeypatch)
    with screen.view:
        shown = rows(screen.update(window([Cause.POLICY] * 50 + [cause]).look(S // 2), 1.0))
    assert (shown["acting now"], shown["stop"]) == (who, stop)
    assert shown["operator"] == ("acts" if cause is Cause.OPERATOR else "has not acted")
    assert shown["observation age"].startswith("1.00 ms when an inference starts")


def test_silent_ticks_are_an_alarm_below_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = View(monkeypatch)
    causes = [Cause.POLICY] * 50 + [Cause.NONE] * 3 + [Cause.POLICY] * 20
    with screen.view:
        drawn = screen.update(window(causes).look(S), 1.0)
    assert drawn.splitlines()[-1].startswith("interaction: 3 silent tick(s): no command came")


@pytest.mark.parametrize(("after_s", "alarm"), [
    (0.2, ""),
    (0.8, "plant: no tick for 0.8 s: the plant stands still, or is not heard"),
    (12.0, "plant: no tick was heard of")])
def test_a_plant_that_says_nothing_is_an_alarm(
        monkeypatch: pytest.MonkeyPatch, after_s: float, alarm: str) -> None:
    screen = View(monkeypatch)
    with screen.view:
        drawn = screen.update(window([Cause.POLICY] * 51).look(round((0.5 + after_s) * S)), 1.0)
    assert alarm in drawn
    assert bool(alarm) == (rows(drawn)["acting now"] == "nobody: no tick is heard")


def test_a_plant_that_stood_still_for_a_second_is_an_alarm_for_a_while(
        monkeypatch: pytest.MonkeyPatch) -> None:
    made = window([Cause.POLICY] * 50)
    made.take(step(50, stamp_ns=step(49).stamp_ns + S, lateness_s=0.99, missed=True), 3 * S // 2)
    for tick in range(51, 150):
        made.take(step(tick, stamp_ns=step(tick + 99).stamp_ns), (tick + 99) * S // 100)
    screen = View(monkeypatch)
    with screen.view:
        drawn = screen.update(made.look(5 * S // 2), 3.0)
        assert "plant: the plant stood still for 1.0 s, 1 s ago" in drawn
        assert "stood still" not in screen.update(made.look(12 * S), 13.0)


def test_warnings_stand_below_the_figures_and_all_of_them_in_the_end(
        monkeypatch: pytest.MonkeyPatch) -> None:
    screen = View(monkeypatch)
    health = window([Cause.POLICY] * 50).look(S // 2)
    with screen.view:
        for number in range(9):
            screen.lines.put(("plant", f"[ERROR] [plant]: {number}"))
        for _ in range(3):
            screen.lines.put(("plant", WARNING))
        drawn = screen.update(health, 2.0).splitlines()
    assert drawn[-7:] == ["… and 4 line(s) more", *(f"   2.0 s  [ERROR] [plant]: {number}"
                                                   for number in range(4, 9)),
                          "   2.0 s  [WARN] [plant]: late (x 3)"]
    last = screen.out.getvalue().rpartition("ended; these are its last figures")[2].splitlines()
    assert any(line.startswith("acting now") for line in last)
    assert sum("[ERROR] [plant]" in line for line in last) == 9
    assert last[-1] == "   2.0 s  [WARN] [plant]: late (x 3)"


def test_without_a_terminal_warnings_come_at_once_and_alarms_with_the_figures(
        monkeypatch: pytest.MonkeyPatch) -> None:
    screen = View(monkeypatch, terminal=False)
    with screen.view:
        screen.lines.put(("plant", WARNING))
        said = screen.update(window([Cause.POLICY] * 51).look(2 * S), 11.0)
        assert said.splitlines()[0] == WARNING
        assert "acting now nobody: no tick is heard" in said
        assert "! plant: no tick for 1.5 s" in said
    assert screen.out.getvalue() == said


@pytest.mark.parametrize(("record", "last"), [("", "    3 s  acting now"), ("runs/one", "")])
def test_without_a_terminal_a_short_run_that_is_not_recorded_ends_with_its_figures(
        monkeypatch: pytest.MonkeyPatch, record: str, last: str) -> None:
    """Of a recorded one the report follows."""
    shown = View(monkeypatch, terminal=False)
    shown.view._prepared = replace(PREPARED, scenario=Scenario(record=record))
    with shown.view:
        assert shown.update(window([Cause.POLICY]).look(0), 3.0) == ""
    assert shown.out.getvalue().startswith(last) and bool(shown.out.getvalue()) == bool(last)


def test_when_verbose_everything_is_printed_and_nothing_kept(
        monkeypatch: pytest.MonkeyPatch) -> None:
    screen = View(monkeypatch, verbose=True)
    with screen.view:
        screen.lines.put(("plant", "[INFO] [plant]: ready"))
        screen.update([], 1.0)
        assert "[INFO] [plant]: ready" in screen.out.getvalue()
    assert not screen.view.noted.kept


def test_on_a_small_terminal_the_figures_and_the_newest_warning_have_room(
        monkeypatch: pytest.MonkeyPatch) -> None:
    screen = View(monkeypatch, height=20)
    with screen.view:
        for number in range(9):
            screen.lines.put(("plant", f"[ERROR] [plant]: {number}"))
        drawn = screen.update(window([Cause.POLICY] * 50).look(S // 2), 2.0).splitlines()
    assert len(drawn) < 20
    assert drawn[-1].endswith("[plant]: 8")


def test_what_the_policy_sees_is_beside_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = View(monkeypatch, picture=np.zeros((1, 84, 84), np.uint8))
    health = window([Cause.POLICY] * 50).look(S // 2)
    with screen.view:
        drawn = screen.update(health, 2.0).splitlines()
    assert screen.watched == [("/robot1/observation", SEEN)]
    lines = [line for line in drawn if "▀" in line]
    plain = View(monkeypatch)
    with plain.view:
        alone = plain.update(health, 2.0).splitlines()
    assert len(lines) == len(drawn) - 1 == len(alone) - 1
    assert {line.count("▀") for line in lines} == {min(2 * len(lines), 36)}
    assert [line.split("▀")[0].rstrip() for line in drawn[1:]] == [
        line.rstrip() for line in alone[1:]]


def test_a_plant_that_shows_no_picture_is_refused() -> None:
    with pytest.raises(ConfigError, match="--picture: 'toy' shows no picture, but float32"):
        live_view.LiveView(PREPARED, verbose=False, live=True, picture=True)
