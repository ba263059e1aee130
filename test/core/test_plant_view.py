"""Where the plant stands: its own word, unless that cannot be."""

from __future__ import annotations

from realtime_rl.core.plant_view import PlantView
from realtime_rl.core.records import Timestep
from realtime_rl.core.types import Cause

PERIOD = 10_000_000
START = 10**15


def step(tick: int, stamp_ns: int | None = None) -> Timestep:
    return Timestep(START + tick * PERIOD if stamp_ns is None else stamp_ns, tick, PERIOD, 0.0,
                    False, 0, 0.0, 1.0, False, False, Cause.NONE, -1, -1, -1, (0.0,))


def followed(ticks: range) -> PlantView:
    view = PlantView(PERIOD)
    for tick in ticks:
        assert view.on_timestep(step(tick), tick * PERIOD) is None
    return view


def test_nothing_is_known_before_the_first_tick() -> None:
    assert not PlantView(PERIOD).known
    assert PlantView(PERIOD).tick == -1


def test_the_newest_tick_and_the_time_since_another() -> None:
    view = followed(range(5, 100, 7))
    assert view.tick == 96
    assert view.since_ns(step(90).stamp_ns, 96 * PERIOD) == 6 * PERIOD
    assert view.since_ns(step(90).stamp_ns, 99 * PERIOD) == 9 * PERIOD  # the plant may stand still
    view.on_timestep(step(96), 120 * PERIOD)  # read again
    assert view.since_ns(step(90).stamp_ns, 99 * PERIOD) == 9 * PERIOD


def test_a_plant_that_catches_up_is_followed() -> None:
    view = followed(range(100))
    late_ns = START + 400 * PERIOD
    for tick in range(100, 400):
        assert view.on_timestep(step(tick, late_ns + tick), 400 * PERIOD + tick) is None
        assert view.tick == tick


def test_one_false_tick_changes_nothing() -> None:
    for false in (step(2**50), step(3, START + 2000 * PERIOD), step(0), step(101, 5)):
        view = followed(range(100))
        assert view.on_timestep(false, 100 * PERIOD) is None
        assert view.tick == 99
        assert view.on_timestep(step(100), 100 * PERIOD) is None
        assert view.tick == 100


def test_a_plant_that_begins_anew_is_believed_at_its_second_tick() -> None:
    view = followed(range(100))
    again_ns = START + 300 * PERIOD
    assert view.on_timestep(step(4, again_ns), 300 * PERIOD) is None
    assert view.tick == 99
    assert view.on_timestep(step(4, again_ns), 301 * PERIOD) is None  # the same one
    assert view.on_timestep(step(6, again_ns + 2 * PERIOD), 302 * PERIOD) == again_ns
    assert view.tick == 6
    assert view.on_timestep(step(7, again_ns + 3 * PERIOD), 303 * PERIOD) is None


def test_false_ticks_among_the_true_ones_are_no_new_beginning() -> None:
    view = followed(range(100))
    for tick in range(100, 200):
        assert view.on_timestep(step(tick - 90, START + tick * PERIOD), tick * PERIOD) is None
        assert view.on_timestep(step(tick), tick * PERIOD) is None
        assert view.tick == tick
