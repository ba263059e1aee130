"""Totals against ticks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.figures.course import MOST, Course


def course_of(ticks: int) -> Course:
    course = Course()
    for tick in range(1, ticks + 1):
        course.add(tick, (tick / 2, -tick))
    return course


@given(st.integers(0, 1500))
def test_its_places_are_even_and_few(ticks: int) -> None:
    course = course_of(ticks)
    assert course.ticks == list(range(course.every, ticks + 1, course.every))
    assert len(course.ticks) < MOST
    assert ticks < MOST or len(course.ticks) >= MOST // 2 - 1
    assert course.column(0) == [tick / 2 for tick in course.ticks]
    assert course.column(1) == [-tick for tick in course.ticks]


def test_a_longer_one_has_ticks_of_a_shorter_one() -> None:
    short, long = course_of(100), course_of(1000)
    assert (short.every, long.every) == (1, 8)
    assert set(long.ticks[:12]) < set(short.ticks)
