"""Depths of queues that are a time, whatever the plant's period."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.ros import qos


@given(period_ns=st.integers(100_000, 10**10))
def test_inference_keeps_what_comes_while_the_machine_does_something_else(period_ns: int) -> None:
    depth = qos.newest(period_ns).depth
    assert depth >= 4
    assert depth * period_ns >= 60_000_000
    assert depth == 4 or (depth - 1) * period_ns < 60_000_000  # and nothing older
