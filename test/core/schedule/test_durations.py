"""Estimators of inference time."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.schedule.durations import DurationWindow


def window(*durations_ms: float, size: int = 256) -> DurationWindow:
    estimator = DurationWindow(size, warmup=0)
    for duration in durations_ms:
        assert estimator.push(duration / 1e3, "p")
    return estimator


@given(st.lists(st.integers(1, 3_000_000), min_size=2, max_size=60), st.integers(2, 20))
def test_the_newest_are_kept_in_order(durations_us: list[int], size: int) -> None:
    estimator = DurationWindow(size, warmup=0)
    for duration in durations_us:
        estimator.push(duration / 1e6, "p")
    newest = [duration * 1000 for duration in durations_us[-size:]]
    assert len(estimator) == len(newest)
    assert estimator.values() == newest
    assert estimator.mean_ns() == round(sum(newest) / len(newest))


def test_a_single_duration_is_all_there_is() -> None:
    assert window(10).values() == [10_000_000]
    assert window(10).mean_ns() == 10_000_000


def test_the_window_forgets() -> None:
    estimator = window(900, 900, 10, 11, 12, size=3)
    assert estimator.values() == [10_000_000, 11_000_000, 12_000_000]


def test_each_process_warms_up_by_itself() -> None:
    estimator = DurationWindow(warmup=2)
    pushed = [estimator.push(0.1, process) for process in "aababb"]
    assert pushed == [False, False, False, True, False, True]
    assert len(estimator) == 2


def test_a_process_that_was_started_again_warms_up_again() -> None:
    estimator = DurationWindow(warmup=1)
    pushed = [estimator.push(0.1, "a"), estimator.push(0.1, "a"), estimator.push(0.1, "b")]
    estimator.restarted("a")
    estimator.restarted("never heard of")
    pushed += [estimator.push(0.1, "a"), estimator.push(0.1, "a"), estimator.push(0.1, "b")]
    assert pushed == [False, True, False, False, True, True]


@pytest.mark.parametrize("duration", [math.nan, math.inf, -math.inf, -0.1, 0.0, 3600.0])
def test_absurd_durations_are_counted_but_do_not_count(duration: float) -> None:
    estimator = DurationWindow(warmup=1)
    assert not estimator.push(duration, "p")
    assert estimator.absurd == 1
    assert not estimator.push(0.1, "p")  # the warm-up was not used up
    assert estimator.push(0.1, "p")
    assert estimator.absurd == 1


def test_just_under_an_hour_is_believed() -> None:
    assert window(3_599_999).values() == [3_599_999_000_000]
