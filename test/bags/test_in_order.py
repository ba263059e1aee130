"""A bag's messages are in the order in which they came, whatever order they are taken in."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.bags.in_order import InOrder

BATCH_NS = 50


@given(st.lists(st.tuples(st.integers(0, 1000), st.sampled_from("abc"))))
def test_topics_taken_one_after_another_are_written_in_order(came: list[tuple[int, str]]) -> None:
    """Each batch takes what came until then, topic by topic, and writes what is old enough."""
    waiting: InOrder[str] = InOrder()
    written: list[tuple[int, str]] = []
    for end_ns in range(BATCH_NS, 1000 + 2 * BATCH_NS, BATCH_NS):
        for topic in "abc":
            for time_ns, name in came:
                if name == topic and end_ns - BATCH_NS <= time_ns < end_ns:
                    waiting.put(time_ns, name)
        written += waiting.until(end_ns - BATCH_NS)
    written += waiting.until(math.inf)
    assert [time_ns for time_ns, _ in written] == sorted(time_ns for time_ns, _ in came)
    assert sorted(written) == sorted(came)


def test_those_of_one_time_keep_their_order() -> None:
    waiting: InOrder[str] = InOrder()
    for item in "zya":
        waiting.put(5, item)
    assert [item for _, item in waiting.until(5)] == list("zya")
