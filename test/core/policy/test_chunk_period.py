"""Rows of a chunk at the ticks of a plant of another period."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.policy.chunk_period import at_ticks, ticks

periods = st.integers(1_000_000, 100_000_000)


@given(st.integers(1, 60), periods, periods)
def test_a_straight_line_stays_one(horizon: int, chunk_ns: int, period_ns: int) -> None:
    rows = np.arange(horizon, dtype=np.float32)[:, None] * [1.0, -2.0]
    found = at_ticks(rows.astype(np.float32), chunk_ns, period_ns)
    assert len(found) == ticks(horizon, chunk_ns, period_ns) >= 1
    if len(found) != horizon or abs(chunk_ns - period_ns) > 1e-3 * period_ns:
        expected = np.arange(len(found)) * period_ns / chunk_ns
        assert np.allclose(found[:, 0], expected, atol=1e-2)
        assert np.allclose(found[:, 1], -2 * expected, atol=2e-2)


@given(st.integers(1, 60), periods, periods)
def test_no_tick_is_beyond_the_last_row(horizon: int, chunk_ns: int, period_ns: int) -> None:
    count = ticks(horizon, chunk_ns, period_ns)
    if count != horizon:
        assert (count - 1) * period_ns <= (horizon - 1) * chunk_ns < count * period_ns


def test_of_the_plants_own_period_nothing_changes() -> None:
    rows = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    for period_ns in (0, 20_000_000, 20_000_001):
        assert at_ticks(rows, period_ns, 20_000_000) is rows
    assert at_ticks(rows, 40_000_000, 20_000_000)[::2].tolist() == rows.tolist()
