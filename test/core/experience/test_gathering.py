"""Parts of an observation, put together by tick."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.experience.gathering import Gathering, Lost, Whole
from realtime_rl.core.observations import parse

SPEC = parse("a=uint8[1] 0:255; b=float32[1] 0:255")


def value(part: str, tick: int) -> np.ndarray[Any, Any]:
    return np.full(1, tick % 200, np.uint8 if part == "a" else np.float32)


def stamp(tick: int, life: int = 0) -> int:
    return (life + 1) * 1_000_000 + tick


def take(gathering: Gathering, part: str, tick: int, life: int = 0
         ) -> tuple[Whole | None, list[Lost]]:
    return gathering.take(part, tick, stamp(tick, life), tick == 0, value(part, tick))


@given(st.permutations([(part, tick) for tick in range(4) for part in "ab"]))
def test_in_whatever_order_parts_come_nothing_is_told_twice(order: list[tuple[str, int]]) -> None:
    gathering, told, lost = Gathering(SPEC), [], []
    for part, tick in order:
        whole, given_up = take(gathering, part, tick)
        lost += [each.tick for each in given_up]
        if whole is not None:
            assert (whole.stamp_ns, whole.first) == (stamp(whole.tick), whole.tick == 0)
            assert [int(whole.value[name][0]) for name in "ab"] == [whole.tick] * 2
            told.append(whole.tick)
    assert told == sorted(set(told)) and lost == sorted(set(lost))
    assert not set(told) & set(lost) and not gathering._begun.keys() & {*told, *lost}


def test_what_lacks_a_part_is_given_up_with_the_next_whole_one() -> None:
    gathering = Gathering(SPEC)
    assert take(gathering, "a", 0) == (None, [])
    assert take(gathering, "b", 1) == (None, [])
    whole, lost = take(gathering, "a", 1)
    assert whole is not None and whole.tick == 1
    assert lost == [Lost(0, stamp(0), ("b",))]
    assert take(gathering, "b", 0) == (None, [])     # too late
    assert take(gathering, "b", 1) == (None, [])     # again


def test_a_part_that_never_comes_lets_nothing_grow() -> None:
    gathering, lost = Gathering(SPEC), []
    for tick in range(1000):
        whole, given_up = take(gathering, "a", tick)
        assert whole is None
        lost += given_up
    assert len(gathering._begun) <= 16
    assert [each.tick for each in lost] == list(range(984))
    assert {each.parts for each in lost} == {("b",)}


@pytest.mark.parametrize("at", [3, 40, 1000])
def test_a_plant_that_began_anew_is_another_one(at: int) -> None:
    gathering = Gathering(SPEC)
    take(gathering, "a", at)
    take(gathering, "b", at)
    take(gathering, "a", at + 1)
    assert take(gathering, "a", 0, life=1) == (None, [])
    whole, lost = take(gathering, "b", 0, life=1)
    assert whole is not None and (whole.tick, whole.first, lost) == (0, True, [])


def test_a_part_of_another_life_is_not_joined_to_this_one() -> None:
    gathering = Gathering(SPEC)
    take(gathering, "a", 5)
    assert take(gathering, "b", 5, life=1) == (None, [])
    whole, _ = take(gathering, "a", 5, life=1)
    assert whole is not None and whole.stamp_ns == stamp(5, 1)


def test_one_part_is_whole_at_once() -> None:
    gathering = Gathering(parse("uint8[1] 0:255"))
    shown = value("a", 3)
    whole, lost = gathering.take("observation", 3, 7, False, shown)
    assert whole is not None and whole.value is shown and lost == []
