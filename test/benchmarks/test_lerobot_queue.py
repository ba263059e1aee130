"""The queue that LeRobot's asynchronous client has, as a pure object."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.lerobot_queue import Queue


def rows(value: float, count: int = 10) -> np.ndarray:
    return np.full((count, 2), value)


def filled() -> Queue:
    queue = Queue(10)
    queue.ask(0)
    queue.take_in(1, rows(1.0), 1)
    return queue


def test_it_asks_at_first_and_when_half_is_left() -> None:
    queue = filled()
    asked = []
    for tick in range(1, 11):
        assert queue.pop(tick) is not None
        if queue.wants:
            asked.append(tick)
            queue.ask(tick)
    assert asked == [5]
    assert queue.asked == 5
    assert queue.pop(11) is None


@pytest.mark.parametrize("threshold", [0.0, 0.3, 1.0])
def test_the_threshold_is_a_share_of_a_chunk(threshold: float) -> None:
    queue = Queue(10, threshold)
    assert queue.wants
    queue.ask(0)
    assert not queue.wants, "one at a time"
    queue.take_in(1, rows(1.0), 1)
    for tick in range(1, 11):
        assert queue.wants == (len(queue) <= threshold * 10)
        queue.pop(tick)


def test_rows_for_the_same_tick_are_mixed_and_others_are_not() -> None:
    queue = filled()
    for tick in range(1, 6):
        queue.pop(tick)
    queue.ask(5)
    assert queue.take_in(6, rows(2.0), 8) == pytest.approx(0.7)
    assert [queue.pop(tick)[0] for tick in (8, 10)] == pytest.approx([1.7, 1.7])
    assert queue.pop(11)[0] == 2.0
    assert queue.pop(15)[0] == 2.0
    assert queue.pop(16) is None


def test_what_was_mixed_is_the_old_row_of_the_next_chunk() -> None:
    queue = filled()
    for value in (2.0, 3.0):
        queue.ask(5)
        queue.take_in(6, rows(value), 6)
    assert queue.pop(6)[0] == pytest.approx(0.3 * 1.7 + 0.7 * 3.0)


def test_rows_for_ticks_that_are_over_are_dropped() -> None:
    queue = Queue(10)
    queue.ask(0)
    assert queue.take_in(1, rows(1.0), 4) is None
    assert len(queue) == 7
    queue.pop(9)
    assert len(queue) == 1
    queue.ask(9)
    assert queue.take_in(0, rows(5.0), 10) is None, "it ended before"
    assert queue.pop(10)[0] == 1.0
