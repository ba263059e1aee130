from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.figures.accounting import RunRecords, account, settled
from realtime_rl.core.figures.counters import Totals, in_words, joined, names_of
from realtime_rl.core.figures.live_window import LiveWindow
from realtime_rl.core.messages import wire
from realtime_rl.core.messages.records import Command, Timestep
from realtime_rl.core.types import Cause

COMMAND = Command(Cause.DEFAULT, (0.0,))
NAMES = ("won", "lost")


def step(tick: int, *counters: float, episode: int = 0, first: bool = False, last: bool = False
         ) -> Timestep:
    return Timestep.latching(
        COMMAND, stamp_ns=tick * 10_000_000, tick=tick, period_ns=10_000_000, episode=episode,
        first=first, last=last, counters=counters, counted=joined(NAMES) if counters else "")


RUN = [step(0, 0, 0, first=True), step(1, 1, 0), step(2, 1, 2, last=True),
       step(3, 0, 0, episode=1, first=True), step(4, 3, 0, episode=1, last=True),
       step(5, 0, 0, episode=2, first=True), step(6, 0, 1, episode=2)]


def totals(run: list[Timestep], skip_s: float = 0.0) -> dict[str, float]:
    figures = account(settled(RunRecords(run), skip_s))["episodes"]["counters"]
    return {name: counted["total"] for name, counted in figures.items()}


def test_counters_add_up_over_episodes() -> None:
    figures = account(RunRecords(RUN))["episodes"]["counters"]
    assert {name: figures[name]["total"] for name in NAMES} == {"won": 4, "lost": 3}
    won = figures["won"]["per_episode"]
    assert (won["mean"], won["n"], won["max"]) == (2, 2, 3)


def test_what_was_counted_in_a_gap_is_not_lost() -> None:
    assert totals([*RUN[:1], *RUN[2:]]) == {"won": 4, "lost": 3}
    assert totals([*RUN[:3], *RUN[4:]]) == {"won": 4, "lost": 3}


def test_what_was_counted_before_the_first_tick_does_not_count() -> None:
    assert totals(RUN[1:]) == {"won": 3, "lost": 3}
    assert totals(RUN, 0.02) == {"won": 3, "lost": 1}


def test_a_plant_that_is_started_again_counts_on() -> None:
    assert totals([*RUN, *RUN]) == {"won": 8, "lost": 6}


def test_a_plant_without_counters() -> None:
    assert totals([step(0, first=True), step(1)]) == {}


@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=5), max_size=5))
def test_live_totals_are_those_of_the_report(episodes: list[list[int]]) -> None:
    run: list[Timestep] = []
    for episode, rises in enumerate(episodes):
        count = 0
        for place, rise in enumerate([0, *rises]):
            count += rise
            run.append(step(len(run), count, 0, episode=episode, first=place == 0,
                            last=place == len(rises)))
    live = Totals()
    for record in run:
        live.add(names_of(record.counted), record.counters, record.episode)
    assert live.totals == totals(run)
    assert live.totals.get("won", 0) == sum(map(sum, episodes))


def test_the_live_view_shows_them() -> None:
    window = LiveWindow(10**9)
    for record in RUN:
        window.take(record, record.stamp_ns)
    plant = next(health for health in window.look(10**8) if health.name == "plant")
    assert plant.figures["counted"] == "won 4, lost 3"
    assert in_words({"points": 10_000.0}) == "points 10,000"


def test_they_travel() -> None:
    for record in (RUN[2], step(0, first=True)):
        assert wire.decode(Timestep, wire.encode(record)) == record
    scalars = wire.encode(RUN[1])
    assert scalars.names[-2:] == ("counters.0", "counters.1")
    old = wire.NamedScalars(scalars.stamp_ns, "plant=x", scalars.names[:-2], scalars.values[:-2])
    assert wire.decode(Timestep, old).counters == ()


@pytest.mark.parametrize("names", [(), ("a",), ("a", "b_2")])
def test_names(names: tuple[str, ...]) -> None:
    assert tuple(names_of(joined(names))) == names
