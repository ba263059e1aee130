"""How long a chunk must be, what further workers buy, and what the coordinator does about it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_rl.core.enumerations import Miss
from realtime_rl.core.messages.records import Inference
from realtime_rl.core.schedule.coordination import Coordination
from realtime_rl.core.schedule.coordination_policy import CoordinationPolicy, Sizing
from realtime_rl.core.schedule.horizon import (
    feedback_age,
    interval,
    predict_chunks,
    rows_needed,
    shortage,
    workers_needed,
)
from realtime_rl.core.schedule.planner import Setting

MS = 1_000_000
PERIOD = 16 * MS
SETTING = Setting(PERIOD, 2 * MS)


@given(st.integers(1, 60), st.integers(1, 60))
def test_workers_and_interval_agree(cycle: int, every: int) -> None:
    workers = workers_needed(cycle, every)
    assert interval(workers, cycle) <= every
    assert workers == 1 or interval(workers - 1, cycle) > every


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 20), st.integers(1, 20), st.integers(-3, 3))
def test_constant_durations_are_as_the_formula_says(delay: int, workers: int, more: int) -> None:
    durations = np.full(50, delay * PERIOD - 3 * MS)
    workers = min(workers, delay)
    every = interval(workers, delay)
    horizon = max(1, rows_needed(delay, every) + more)
    found = predict_chunks(durations, workers, SETTING, horizon, delay, ticks=600)
    assert found.delay == delay
    assert found.rows_needed == rows_needed(delay, every)
    assert found.tails == 0.0
    assert (found.inaction == 0.0) == (horizon >= rows_needed(delay, every))
    if more >= 0:
        oldest = feedback_age(delay, every)[1]
        assert delay <= found.age_mean <= oldest
        assert found.age_p95 <= oldest


def test_a_worker_more_is_never_staler() -> None:
    durations = np.random.default_rng(3).integers(100 * MS, 260 * MS, 400)
    ages = [predict_chunks(durations, workers, SETTING, 60, 16, ticks=1500).age_mean
            for workers in (1, 2, 4, 8, 16)]
    assert ages == sorted(ages, reverse=True)
    assert ages[0] - ages[-1] > 3


def test_a_chunk_that_never_acts() -> None:
    found = predict_chunks(np.full(9, 100 * MS), 1, SETTING, 3, 7, ticks=100)
    assert found.inaction == 1.0
    assert math.isnan(found.age_mean)


@pytest.mark.parametrize(("horizon", "workers", "said"), [
    (25, 1, ""), (19, 2, ""),
    (24, 1, "25 would do, or 2 workers"), (14, 1, "25 would do, or 7 workers"),
    (13, 4, "16 would do, or 13 workers"),
    (12, 13, "13 would do; no number of workers is enough for fewer than 13")])
def test_what_would_do_instead(horizon: int, workers: int, said: str) -> None:
    assert shortage(horizon, 13, workers, 13, 13).endswith(said)
    assert bool(said) == bool(shortage(horizon, 13, workers, 13, 13))


POLICY = CoordinationPolicy(tuple(range(16)), PERIOD, 2 * MS, window=16, warmup=2)


def coordinated(horizon: int, **changes: object) -> Coordination:
    """Inferences of 200 ms are known."""
    coordination = Coordination(replace(POLICY, **changes))
    for tick in range(24):
        coordination.on_inference(Inference(
            10**15 + tick * PERIOD, tick, -1, tick % len(coordination.schedule.active), 0, 1, 0.0,
            0.2, 0.2, Miss.NONE, False, math.nan, "inference_0", horizon=horizon))
    assert coordination.evaluate() is not None
    return coordination


def test_an_interval_is_kept_where_chunks_are_given() -> None:
    for horizon, slots in ((50, 16), (0, 64)):
        schedule = coordinated(horizon, chunk_interval=4).schedule
        assert sum(schedule.owner(tick) is not None for tick in range(
            schedule.effective_tick, schedule.effective_tick + 64)) == slots


def test_fewer_workers_are_active_with_an_interval() -> None:
    sizing = Sizing(auto=True, headroom=0)
    every = [len(coordinated(50, chunk_interval=ticks, sizing=sizing).schedule.active)
             for ticks in (0, 1, 4, 13, 20)]
    assert every == [13, 13, 4, 1, 1]


def test_a_chunk_that_is_too_short_is_known() -> None:
    assert coordinated(0, workers=(0,)).shortage == ""
    assert coordinated(25, workers=(0,)).shortage == ""
    assert "25 would do, or 2 workers" in coordinated(20, workers=(0,)).shortage
    assert coordinated(20).shortage == ""
