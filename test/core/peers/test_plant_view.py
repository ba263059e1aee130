"""Where the plant stands: its own word, unless that cannot be."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_rl.core.messages.records import Command, Timestep
from realtime_rl.core.messages.wire import WireError
from realtime_rl.core.peers.plant_view import PlantView
from realtime_rl.core.types import Cause

PERIOD = 10_000_000
START = 10**15


def stamp(tick: int) -> int:
    return START + tick * PERIOD


def followed(ticks: range) -> PlantView:
    view = PlantView(PERIOD)
    for tick in ticks:
        view.take(tick, stamp(tick), tick * PERIOD)
    return view


def refused(view: PlantView, tick: int, stamp_ns: int, now_ns: int) -> bool:
    before = view.tick
    try:
        view.take(tick, stamp_ns, now_ns)
    except WireError:
        assert view.tick == before
        return True
    assert view.tick == tick
    return False


def test_nothing_is_known_before_the_first_tick() -> None:
    assert not PlantView(PERIOD).known
    assert PlantView(PERIOD).tick == -1
    assert PlantView(PERIOD).began_ns == 0


def test_the_newest_tick_and_the_time_since_another() -> None:
    view = followed(range(5, 100, 7))
    assert view.tick == 96
    assert view.began_ns == stamp(5)
    assert view.reach(99 * PERIOD) == 99
    assert view.since_ns(stamp(90), 96 * PERIOD) == 6 * PERIOD
    assert view.since_ns(stamp(90), 99 * PERIOD) == 9 * PERIOD  # the plant may stand still
    assert refused(view, 96, stamp(96), 120 * PERIOD)  # once more
    assert view.since_ns(stamp(90), 99 * PERIOD) == 9 * PERIOD


def test_a_plant_that_catches_up_is_followed() -> None:
    view = followed(range(100))
    for tick in range(100, 400):
        view.take(tick, stamp(400) + tick, 400 * PERIOD + tick)
        assert view.tick == tick


@pytest.mark.parametrize("first", [0, 40])
def test_a_plant_that_catches_up_from_its_start_is_followed_to_its_grid(first: int) -> None:
    view = PlantView(PERIOD)
    for tick in range(first, 100):
        view.take(tick, max(stamp(80) + tick * 1000, stamp(tick)), 80 * PERIOD + tick)
    for tick in range(100, 140):
        view.take(tick, stamp(tick), tick * PERIOD)
    # now it is known, and nobody is ahead of it
    assert refused(view, 142, stamp(141), 141 * PERIOD)
    assert not refused(view, 142, stamp(142), 142 * PERIOD)


def test_one_that_is_behind_its_time_is_followed() -> None:
    view = followed(range(100))
    for tick in range(100, 300):
        view.take(tick, stamp(tick) + 3 * (tick - 99) * PERIOD, (tick + 3 * (tick - 99)) * PERIOD)


def test_one_false_tick_changes_nothing() -> None:
    for false in ((2**50, stamp(2**50)), (3, stamp(2000)), (0, stamp(0)), (101, 5),
                  (101, stamp(100))):
        view = followed(range(100))
        assert refused(view, *false, 100 * PERIOD)
        assert not refused(view, 100, stamp(100), 100 * PERIOD)
        assert view.began_ns == stamp(0)


def test_a_plant_that_begins_anew_is_believed_at_its_tick_0_once_the_former_is_silent() -> None:
    view = followed(range(100))
    assert refused(view, 0, stamp(148), 148 * PERIOD)
    view = followed(range(100))
    assert not refused(view, 0, stamp(150), 150 * PERIOD)
    assert view.began_ns == stamp(150)
    assert not refused(view, 1, stamp(151), 151 * PERIOD)


def test_a_plant_whose_tick_0_was_not_heard_is_believed_at_its_second_tick() -> None:
    view = followed(range(100))
    again_ns = stamp(300)
    assert refused(view, 4, again_ns, 300 * PERIOD)
    assert refused(view, 4, again_ns, 301 * PERIOD)  # the same one
    assert not refused(view, 6, again_ns + 2 * PERIOD, 302 * PERIOD)
    assert view.began_ns == again_ns
    assert not refused(view, 7, again_ns + 3 * PERIOD, 303 * PERIOD)


def test_one_that_begins_anew_is_believed_though_others_publish_as_well() -> None:
    view = followed(range(100))
    for tick in range(1, 3):
        for false in range(8 * tick, 8 * tick + 8):
            assert refused(view, false, stamp(300) + false, 300 * PERIOD)
        assert refused(view, tick, stamp(300 + tick), (300 + tick) * PERIOD) == (tick == 1)
    assert view.began_ns == stamp(301)


def test_a_second_plant_beside_the_first_is_none() -> None:
    view = followed(range(100))
    for tick in range(100, 200):
        assert refused(view, tick - 90, stamp(tick) + PERIOD // 3, tick * PERIOD)
        assert not refused(view, tick, stamp(tick), tick * PERIOD)
    assert view.began_ns == stamp(0)


def timestep(tick: int, stamp_ns: int, late_ns: int = 0) -> Timestep:
    return Timestep.latching(Command(Cause.NONE, (0.0,)), stamp_ns=stamp_ns, tick=tick,
                             period_ns=PERIOD, lateness_s=late_ns / 1e9)


def test_ticks_that_say_how_late_they_are_lie_on_the_grid() -> None:
    view = PlantView(PERIOD)
    for tick in range(100):  # the first ones are late, and the clock drifts by 500 ppm
        late_ns = max(0, 20 - tick) * PERIOD * 9 // 10
        view.on_timestep(timestep(tick, stamp(tick) + tick * 5000 + late_ns, late_ns),
                         tick * PERIOD + late_ns)
    for false in (timestep(100, stamp(100) + PERIOD // 2), timestep(100, stamp(99) + PERIOD // 2)):
        with pytest.raises(WireError, match=r"tick 100.*does not continue.*at 99"):
            view.on_timestep(false, 100 * PERIOD)
    other_rate = replace(timestep(100, stamp(100) + 500_000), period_ns=PERIOD * 51 // 50)
    with pytest.raises(WireError, match="its period is 10200000 ns, period_ns here 10000000"):
        view.on_timestep(other_rate, 100 * PERIOD)
    view.on_timestep(timestep(100, stamp(100) + 500_000 + PERIOD // 2, PERIOD // 2), 100 * PERIOD)
    assert view.tick == 100


@settings(deadline=None)
@given(st.lists(st.integers(0, 3 * PERIOD), min_size=200, max_size=300))
def test_a_bridge_that_does_not_say_how_late_its_ticks_are_is_followed(late_ns: list[int]) -> None:
    view, stamp_ns = PlantView(PERIOD), 0
    for tick, each_ns in enumerate(late_ns):
        stamp_ns = max(stamp_ns + 1, stamp(tick) + each_ns)
        measured = replace(timestep(tick, stamp_ns), period_ns=PERIOD + each_ns // 300)
        view.on_timestep(measured, stamp_ns - START)
        assert view.tick == tick


@settings(deadline=None)
@given(first=st.integers(0, 300), rate=st.integers(2, 100), per_message=st.sampled_from([0, 1]),
       phase=st.integers(0, PERIOD - 1))
def test_a_flood_takes_at_most_two_ticks_from_the_plant(
        first: int, rate: int, per_message: int, phase: int) -> None:
    view, false = followed(range(100)), first
    lost = 0
    for tick in range(100, 300):
        for number in range(rate):
            at_ns = stamp(tick - 1) + phase + number * (PERIOD - phase) // rate
            refused(view, false, at_ns, at_ns - START)
            false += per_message
        lost += refused(view, tick, stamp(tick), tick * PERIOD)
    assert lost <= 2
