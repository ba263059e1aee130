"""What policies are told of applied actions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.experience.action_history import ActionHistory, encode
from realtime_rl.core.types import ActionSpace

BUTTONS = ActionSpace(("A", "B", "NOOP"), (2.0,))
WHEELS = ActionSpace(("vx", "wz"), (0.0, 0.0), (-1.0, -1.0), (1.0, 1.0))


def filled(length: int, ticks: range, firsts: tuple[int, ...] = (0,)) -> ActionHistory:
    """Tick `t` applied the action `(t,)`."""
    history = ActionHistory(length)
    for tick in ticks:
        if tick in firsts:
            history.begin(tick)
        history.push(tick, (float(tick),))
    return history


def test_the_actions_before_the_tick_oldest_first() -> None:
    history = filled(3, range(10))
    assert history.get(7) == ((4.0,), (5.0,), (6.0,))
    assert history.get(10) == ((7.0,), (8.0,), (9.0,))


def test_what_is_to_come_changes_nothing() -> None:
    history = filled(3, range(7))
    before = history.get(7)
    for tick in range(7, 20):
        history.push(tick, (0.0,))
        assert history.get(7) == before


def test_nothing_of_an_earlier_episode() -> None:
    history = filled(3, range(10), firsts=(0, 5))
    assert history.get(5) == (None, None, None)
    assert history.get(7) == (None, (5.0,), (6.0,))
    assert history.get(4) == ((1.0,), (2.0,), (3.0,))


@given(st.integers(0, 6), st.sets(st.integers(1, 29)), st.sets(st.integers(0, 29)))
def test_it_is_the_definition(length: int, firsts: set[int], lost: set[int]) -> None:
    history = ActionHistory(length)
    for tick in range(30):
        if tick in firsts:
            history.begin(tick)
        if tick not in lost:
            history.push(tick, (float(tick),))
    for tick in range(30):
        episode = max((first for first in firsts if first <= tick), default=0)
        wanted = tuple((float(at),) if at >= episode and at not in lost else None
                       for at in range(tick - length, tick))
        assert history.get(tick) == wanted


def test_a_plant_that_started_anew_leaves_nothing_behind() -> None:
    for restart in (lambda history: history.begin(0), lambda history: history.push(0, (0.0,))):
        history = filled(3, range(100, 110), firsts=(100, 105))
        restart(history)
        assert history.get(107) == (None, None, None)


def test_memory_is_bounded() -> None:
    history = ActionHistory(2, capacity=4)
    for tick in range(100):
        history.begin(tick)
        history.push(tick, (0.0,))
    assert (len(history._actions), len(history._firsts)) == (4, 4)


def test_one_hot_or_values_and_zeros_for_what_is_not_known() -> None:
    known = encode([(None, (1.0,)), ((0.0,), (2.0,))], BUTTONS)
    assert known.dtype == np.float32
    assert known.tolist() == [[[0, 0, 0], [0, 1, 0]], [[1, 0, 0], [0, 0, 1]]]
    assert encode([((0.5, -1.0), None)], WHEELS).tolist() == [[[0.5, -1.0], [0.0, 0.0]]]


@pytest.mark.parametrize("action", [(), (3.0,), (-1.0,), (1e38,), (math.nan,), (0.0, 1.0),
                                    (1.0,) * 4096])
def test_what_is_no_action_is_not_known(action: tuple[float, ...]) -> None:
    assert encode([(action, (1.0,))], BUTTONS).tolist() == [[[0, 0, 0], [0, 1, 0]]]
    if len(action) != 2:
        assert encode([(action, (0.5, -1.0))], WHEELS).tolist() == [[[0.0, 0.0], [0.5, -1.0]]]


@pytest.mark.parametrize("false_tick", [0, 2**40, 2**53])
def test_a_false_tick_is_forgotten_with_the_next_true_ones(false_tick: int) -> None:
    history = filled(3, range(100, 110))
    history.push(false_tick, (9.0,))
    history.begin(false_tick)
    history.begin(110)
    for tick in range(110, 114):
        history.push(tick, (float(tick),))
    assert history.get(114) == ((111.0,), (112.0,), (113.0,))


@pytest.mark.parametrize("length", [-1, 9])
def test_a_length_that_cannot_be_is_refused(length: int) -> None:
    with pytest.raises(ConfigError, match="must be 0 … capacity 8"):
        ActionHistory(length, capacity=8)
