"""Transitions in arrays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from learning.tiny_transitions import IMAGE

from realtime_rl.core.experience.assembler import SemiMdpTransition
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.learning.errors import LearningError
from realtime_rl.learning.transition_table import TransitionTable, full_bytes


def numbered(count: int, stack: int = 2) -> list[SemiMdpTransition]:
    """Consecutive transitions, whose frames show their tick."""
    frames = [np.full((1, 1, 1), tick % 256, np.uint8) for tick in range(count + stack)]
    return [SemiMdpTransition(
                tuple(frames[at:at + stack]), (float(at % 3),), at / 7, 0.9**(at % 4),
                tuple(frames[at + 1:at + 1 + stack]), 1 + at % 4, at % 5 == 0,
                ((1.0,), None), (None, (float(at % 3),)))
            for at in range(count)]


def plain(transition: SemiMdpTransition) -> tuple[object, ...]:
    return tuple([frame.tolist() for frame in value] if name.endswith("observation") else value
                 for name in SemiMdpTransition.__slots__
                 for value in [getattr(transition, name)])


@given(st.integers(1, 12), st.integers(1, 40))
def test_they_come_back_as_they_were(capacity: int, count: int) -> None:
    table, given_ = TransitionTable(capacity), numbered(count)
    for number, each in enumerate(given_):
        table.set(number % capacity, each)
    newest = {number % capacity: each for number, each in enumerate(given_)}
    assert len(table) == len(newest)
    assert [plain(each) for each in table] == [plain(newest[slot]) for slot in range(len(newest))]


def test_frames_that_two_show_are_the_same_object_and_kept_once() -> None:
    table = TransitionTable(20)
    for slot, each in enumerate(numbered(20)):
        table.set(slot, each)
    rows = list(table)
    assert all(rows[at].next_observation[0] is rows[at + 1].observation[0] for at in range(19))
    assert len(table._frames) == 22


def test_a_full_one_takes_no_more_memory() -> None:
    table = TransitionTable(10)
    sizes = set()
    for number, each in enumerate(numbered(500)):
        table.set(number % 10, each)
        if number >= 20:
            sizes.add((len(table._frames), len(table._frames._needed), len(table._frames._places)))
    assert {kept for kept, _, _ in sizes} == {12}
    assert max(places for _, places, _ in sizes) <= 14
    assert max(known for _, _, known in sizes) <= 14


def test_one_whose_history_has_another_length_is_refused() -> None:
    table = TransitionTable(3)
    first, second = numbered(2)
    table.set(0, first)
    with pytest.raises(LearningError, match=r"with 1 applied actions .* among those with 2"):
        table.set(1, replace(second, history=((1.0,),)))
    assert len(table) == 1


def test_what_it_takes_is_known_before() -> None:
    config = DqnConfig(replay_size=1000, stack=2, action_history=3)
    assert full_bytes(config, IMAGE) == pytest.approx(1000 * (84 * 84 + 2 * 8 * (2 + 3)), rel=0.04)
