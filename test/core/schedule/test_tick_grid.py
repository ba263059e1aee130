"""The plant's own time grid, and another node's estimate of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_rl.core.schedule.tick_grid import TickGrid, TickPacer, TickStart, next_on_grid_ns

PERIOD = 1000
MS = 1_000_000


def test_ticks_are_due_on_an_absolute_grid() -> None:
    pacer = TickPacer(PERIOD, 500)
    dues = []
    for late in (0, 300, 999, 0):
        dues.append(pacer.next_due_ns)
        pacer.start(pacer.next_due_ns + late)
    assert dues == [500, 1500, 2500, 3500]


def test_a_late_tick_is_made_up_for_and_counted() -> None:
    pacer = TickPacer(PERIOD, 0)
    pacer.start(0)
    started = [pacer.start(3000) for _ in range(3)]
    assert started == [TickStart(1, 2000, True), TickStart(2, 1000, False), TickStart(3, 0, False)]
    assert pacer.next_due_ns == 4000


def test_a_tick_more_than_a_period_late_is_missed() -> None:
    pacer = TickPacer(PERIOD, 0)
    assert not TickPacer(PERIOD, 0).start(PERIOD).missed
    assert pacer.start(PERIOD + 1).missed


def test_a_tick_before_its_time_is_not_late() -> None:
    assert TickPacer(PERIOD, 500).start(400) == TickStart(0, 0, False)


@settings(max_examples=50)
@given(st.lists(st.integers(0, 5 * PERIOD), min_size=1, max_size=60))
def test_the_pacer_never_drifts(delays: list[int]) -> None:
    pacer, now = TickPacer(PERIOD, 0), 0
    for tick, delay in enumerate(delays):
        now = max(now, pacer.next_due_ns) + delay
        started = pacer.start(now)
        assert started == TickStart(tick, now - tick * PERIOD, now - tick * PERIOD > PERIOD)


def test_nothing_is_known_before_the_first_tick() -> None:
    grid = TickGrid(PERIOD)
    assert not grid.known
    grid.observe(7, 7100)
    assert grid.known
    assert grid.predict_ns(9) == 9100


@settings(max_examples=60)
@given(delays=st.lists(st.integers(0, 10 * PERIOD), min_size=1, max_size=80),
       window=st.integers(1, 100), offset=st.integers(-10_000, 10_000))
def test_the_earliest_arrival_of_the_window_shows_the_grid(delays: list[int], window: int,
                                                           offset: int) -> None:
    grid = TickGrid(PERIOD, window)
    for tick, delay in enumerate(delays):
        grid.observe(tick, offset + tick * PERIOD + delay)
        earliest = min(delays[max(0, tick - window + 1):tick + 1])
        assert grid.predict_ns(tick + 1) == offset + earliest + (tick + 1) * PERIOD


def test_a_delayed_arrival_changes_nothing() -> None:
    grid = TickGrid(PERIOD)
    grid.observe(0, 100)
    grid.observe(1, 1100)
    grid.observe(2, 9000)
    assert grid.predict_ns(3) == 3100


def test_drift_is_followed_within_a_window() -> None:
    grid = TickGrid(PERIOD, window=10)
    for tick in range(200):
        grid.observe(tick, tick * (PERIOD + 2))
    # at most a window's drift behind, never ahead
    assert 0 <= 200 * (PERIOD + 2) - grid.predict_ns(200) <= 10 * 2
    for tick in range(200, 400):
        grid.observe(tick, 200 * (PERIOD + 2) + (tick - 200) * (PERIOD - 2))
    assert grid.predict_ns(400) == 200 * (PERIOD + 2) + 199 * (PERIOD - 2) + PERIOD


def test_ticks_that_were_not_heard_of_leave_the_window_as_well() -> None:
    grid = TickGrid(PERIOD, window=10)
    grid.observe(0, 0)
    grid.observe(50, 50 * PERIOD + 77)
    assert grid.predict_ns(51) == 51 * PERIOD + 77


def test_a_plant_that_was_started_again_has_a_new_grid() -> None:
    for newest in (0, 5):
        grid = TickGrid(PERIOD)
        for tick in range(newest + 1):
            grid.observe(tick, tick * PERIOD)
        grid.observe(0, 70_000)
        assert grid.predict_ns(1) == 71_000


@pytest.mark.parametrize("early_ns", [300 * MS, 3_600_000 * MS])
def test_one_tick_that_is_far_too_early_is_not_believed(early_ns: int) -> None:
    grid = TickGrid(10 * MS)
    for tick in range(100):
        false = tick % 10 == 5
        grid.observe(tick, tick * 10 * MS + 77 - early_ns * false)
        assert grid.predict_ns(tick + 1) == (tick + 1) * 10 * MS + 77


def test_a_false_number_of_a_tick_is_not_believed() -> None:
    grid = TickGrid(10 * MS)
    for tick in range(10):
        grid.observe(tick, tick * 10 * MS)
    grid.observe(2**50, 100 * MS)
    assert grid.predict_ns(10) == 100 * MS


def test_two_ticks_that_agree_are_believed() -> None:
    """The first ones may be heard of late, as in a process that has just started."""
    grid = TickGrid(10 * MS)
    grid.observe(0, 900 * MS)
    grid.observe(1, 10 * MS)
    assert grid.predict_ns(2) == 920 * MS
    grid.observe(2, 21 * MS)
    assert grid.predict_ns(3) == 31 * MS


def test_the_window_is_as_long_at_a_high_rate() -> None:
    """Half a second in which all arrive late is longer than 256 ticks of a millisecond."""
    grid = TickGrid(MS)
    for tick in range(1500):
        grid.observe(tick, (tick + 500 * (tick >= 1000)) * MS)
    assert grid.predict_ns(1500) == 1500 * MS


def test_the_tick_after_a_time_is_later_than_it() -> None:
    grid = TickGrid(PERIOD)
    grid.observe(3, 3100)
    assert [grid.tick_after(now) for now in (3099, 3100, 3101, 4099, 4100)] == [3, 4, 4, 4, 5]


@given(anchor=st.integers(-10**12, 10**12), period=st.integers(1, 10**9),
       now=st.integers(-10**12, 10**12))
def test_the_next_time_on_a_grid(anchor: int, period: int, now: int) -> None:
    time = next_on_grid_ns(anchor, period, now)
    assert (time - anchor) % period == 0
    assert now < time <= now + period
