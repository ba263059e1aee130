"""What a tick takes of a source: never a value from after it, and of each joint its own newest."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.robot.contract_choices import Align
from realtime_rl.core.robot.sampling import JUMP_NS, Series, VectorBuffer

MS = 1_000_000
times = st.lists(st.integers(0, 900), min_size=1, max_size=40)
"""[ms]: none of them is of a clock that was set back."""


def kept(at: list[int]) -> Series[int]:
    """Items that are their own times [ms]."""
    series: Series[int] = Series(64)
    for time in at:
        series.add(time * MS, time)
    return series


@given(times, st.integers(-10, 1000))
def test_hold_is_the_newest_at_or_before_the_tick(at: list[int], tick: int) -> None:
    found = kept(at).pick(Align.HOLD, tick * MS)
    before = [time for time in at if time <= tick]
    assert found == ((max(before) * MS, max(before)) if before else None)


@given(times, st.integers(-10, 1000))
def test_nearest_is_the_nearest(at: list[int], tick: int) -> None:
    found = kept(at).pick(Align.NEAREST, tick * MS)
    assert found is not None
    assert abs(found[1] - tick) == min(abs(time - tick) for time in at)


@given(times, st.integers(0, 1000))
def test_linear_lies_between_its_neighbours_and_never_beyond_the_newest(at: list[int], tick: int
                                                                       ) -> None:
    buffer = VectorBuffer(2, Align.LINEAR)
    for time in at:
        buffer.offer(time * MS, (0, 1), (float(time), -2.0 * time))
    values = buffer.sample(tick * MS).values
    if tick < min(at):
        assert np.isnan(values).all()
    else:
        assert values == pytest.approx([min(tick, max(at)), -2.0 * min(tick, max(at))])


@given(st.lists(st.tuples(st.integers(0, 900), st.sets(st.integers(0, 3), min_size=1)),
                min_size=1, max_size=30), st.integers(0, 1000))
def test_each_element_has_its_own_newest(messages: list[tuple[int, set[int]]], tick: int) -> None:
    """Whatever joints come together, and in whatever order."""
    buffer = VectorBuffer(4, Align.HOLD)
    newest: dict[int, tuple[int, float]] = {}
    for number, (time, places) in enumerate(messages):
        order = tuple(sorted(places, key=lambda place: -place))
        buffer.offer(time * MS, order, [number + place / 10 for place in order])
        for place in places:
            if time <= tick and time >= newest.get(place, (0, 0.0))[0]:
                newest[place] = time, number + place / 10
    sample = buffer.sample(tick * MS)
    for place in range(4):
        time, value = newest.get(place, (0, math.nan))
        assert sample.values[place] == value or math.isnan(value)
        assert sample.ages[place] == pytest.approx((tick - time) / 1000) or math.isnan(value)
    heard = {place for _, places in messages for place in places}
    assert set(buffer.unheard) == set(range(4)) - heard


def test_a_joint_that_falls_silent_ages_while_the_others_do_not() -> None:
    buffer = VectorBuffer(2, Align.HOLD)
    for tick in range(10):
        buffer.offer(tick * 10 * MS, (0, 1), (float(tick), float(tick)))
    for tick in range(10, 20):
        buffer.offer(tick * 10 * MS, (0,), (float(tick),))
    sample = buffer.sample(190 * MS)
    assert sample.values.tolist() == [19.0, 9.0]
    assert sample.ages.tolist() == pytest.approx([0.0, 0.1])


@pytest.mark.parametrize(("step_ns", "back"), [(-JUMP_NS - 1, True), (-JUMP_NS, False), (1, False)])
def test_a_clock_that_was_set_back_begins_anew(step_ns: int, back: bool) -> None:
    buffer = VectorBuffer(1, Align.HOLD)
    buffer.offer(5 * JUMP_NS, (0,), (1.0,))
    assert buffer.offer(5 * JUMP_NS + step_ns, (0,), (2.0,)) is back
    assert buffer.sample(6 * JUMP_NS).values[0] == (2.0 if back or step_ns > 0 else 1.0)
    assert np.isnan(buffer.sample(4 * JUMP_NS - 2).values[0])


def test_messages_in_a_row_that_say_the_same_are_counted() -> None:
    buffer = VectorBuffer(1, Align.HOLD)
    counted = []
    for number, value in enumerate([1.0, 1.0, 1.0, 2.0, 2.0]):
        buffer.offer(number, (0,), (value,))
        counted.append(buffer.repeated)
    assert counted == [0, 1, 2, 0, 1]
    buffer.clear()
    assert (buffer.repeated, buffer.unheard) == (0, (0,))


def test_a_source_that_nobody_asks_keeps_only_the_newest() -> None:
    buffer = VectorBuffer(1, Align.HOLD, keep=4)
    for number in range(100):
        buffer.offer(number, (0,), (float(number),))
    assert [buffer.sample(tick).values[0] for tick in (99, 96)] == [99.0, 96.0]
    assert np.isnan(buffer.sample(90).values[0])
