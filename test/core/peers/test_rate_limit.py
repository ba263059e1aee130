"""Of each sender no more is read than it can have to say, and of the others as much as ever."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_rl.core.peers.rate_limit import _FIRST_BURST, _MISTAKEN, RateLimit, TokenBucket

S = 1_000_000_000
MS = 1_000_000


def test_a_bucket_fills_again() -> None:
    bucket = TokenBucket(10.0, 3.0, 3.0, 0)
    assert [bucket.take(0) for _ in range(4)] == [True] * 3 + [False]
    assert [bucket.take(100 * MS) for _ in range(2)] == [True, False]
    assert [bucket.take(100 * S) for _ in range(4)] == [True] * 3 + [False]


def test_one_sender_in_order_is_read_whole() -> None:
    limit = RateLimit(480.0, 1000)
    assert all(limit.allows(number, number * S // 60) for number in range(1, 5000))


def test_a_burst_is_read_as_far_as_a_queue_goes() -> None:
    limit = RateLimit(480.0, 1000)
    assert all(limit.allows(number, number * S // 60) for number in range(1, 600))
    after = [limit.allows(number, 11 * S) for number in range(600, 1700)]
    assert sum(after) == 1000
    assert all(after[:1000])


@settings(max_examples=30, deadline=None)
@given(genuine=st.integers(1, 9000), flood=st.integers(1, 9000), lost=st.floats(0.0, 0.5),
       seed=st.integers(0, 99))
def test_a_flood_takes_nothing_from_the_others(genuine: int, flood: int, lost: float,
                                               seed: int) -> None:
    """Wherever the two are in their numbers, and however much of the flood is lost on the way."""
    limit, rng = RateLimit(480.0, 1000), random.Random(seed)
    read = 0
    for tick in range(500):
        for message in range(83 if tick >= 100 else 0):  # 5,000 a second against 60
            flood += 1
            if rng.random() >= lost:
                read += limit.allows(flood, tick * S // 60 + message * S // 5000)
        genuine += 1
        assert limit.allows(genuine, (tick + 1) * S // 60 - 1)
    # at first a queue of it; where their numbers meet it is once taken for the other, and a few are
    # mistaken
    assert read <= 1000 + 2 * _FIRST_BURST + 480 * 400 / 60 + 1000 + 4 * _MISTAKEN


def test_where_no_numbers_are_told_all_are_one_sender() -> None:
    limit = RateLimit(100.0, 100)
    assert sum(limit.allows(None, ms * MS) for ms in range(2000)) <= 100 + 64 + 200 + 1


@pytest.mark.parametrize("senders", [1, 3])
def test_what_waited_while_a_node_was_made_is_read(senders: int) -> None:
    """A queue of 1,000 is full when it is looked at first; nobody has said too much."""
    limit, each = RateLimit(480.0, 1000), 1000 // senders
    assert all(limit.allows(420 + 10_000 * sender + number, S)
               for number in range(each) for sender in range(senders))


def test_beginning_anew_gains_no_more_than_a_first_burst() -> None:
    """Somebody who comes with a full queue once a second, as often as newcomers are let in."""
    limit = RateLimit(1e-9, 1000)
    read = [sum(limit.allows(10_000 * again + number, again * S) for number in range(1000))
            for again in range(1, 40)]
    assert read[0] == 1000
    assert sum(read[2:]) <= 2 * _FIRST_BURST * len(read[2:])


def test_a_sender_that_begins_anew_is_read_from_its_first_message() -> None:
    limit = RateLimit(480.0, 1000)
    for number in range(1, 600):
        limit.allows(number, number * S // 60)
    assert all(limit.allows(number, 10 * S + number * S // 60) for number in range(1, 600))


def test_numbers_that_mean_nothing_gain_nothing() -> None:
    limit, rng = RateLimit(480.0, 1000), random.Random(0)
    read = sum(limit.allows(rng.randrange(2**60), message * S // 5000)
               for message in range(50_000))
    assert read <= 16 + 10 + 1


@pytest.mark.parametrize("senders", [3, 8])
def test_several_senders_are_told_apart(senders: int) -> None:
    """All processes of a graph begin to count at about the same time."""
    limit = RateLimit(480.0, 1000)
    for number in range(1, 3000):
        assert all(limit.allows(number, number * S // 60) for _ in range(senders))
