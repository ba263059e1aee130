"""Intervals hold the mean as often as they say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from realtime_rl.core.figures.intervals import Interval, mean_of, stratified


@pytest.mark.parametrize("n", [2, 3, 5, 20])
def test_of_normal_data_95_in_100_hold_the_mean(n: int) -> None:
    draws = np.random.default_rng(n).normal(7.0, 3.0, (4000, n))
    found = [mean_of(values) for values in draws]
    assert np.mean([each.low <= 7.0 <= each.high for each in found]) == pytest.approx(
        0.95, abs=0.012)


def test_so_do_those_of_unlike_tasks() -> None:
    level, spread = np.array([[0.0], [50.0], [9.0]]), np.array([[1.0], [2.0], [3.0]])
    draws = np.random.default_rng(0).normal(level, spread, (3000, 3, 3))
    found = [stratified(list(values)) for values in draws]
    covered = np.mean([each.low <= level.mean() <= each.high for each in found])
    assert 0.94 < covered < 0.98


@pytest.mark.parametrize(("n", "quantile"), [
    (2, 12.7062), (3, 4.3027), (4, 3.1824), (5, 2.7764), (10, 2.2622), (20, 2.0930),
    (31, 2.0423), (121, 1.9799), (1001, 1.9623)])
def test_the_quantiles_are_those_of_the_tables(n: int, quantile: float) -> None:
    values = np.resize([0.0, 1.0], n)
    error = values.std(ddof=1) / math.sqrt(n)
    assert mean_of(values).high - values.mean() == pytest.approx(quantile * error, rel=1e-4)


def test_one_value_has_no_interval() -> None:
    assert mean_of([3.0]).mean == 3.0
    assert math.isnan(mean_of([3.0]).low) and math.isnan(mean_of([3.0]).high)
    assert f"{mean_of([3.0]):.1f}" == "3.0, no interval of one value"
    lonely = stratified([[1.0, 2.0], [3.0]])
    assert (lonely.mean, lonely.n) == (2.25, 3)
    assert math.isnan(lonely.low)


def test_nothing_has_no_mean() -> None:
    assert mean_of([]).n == stratified([[], []]).n == 0
    assert math.isnan(mean_of([]).mean)


def test_that_tasks_differ_is_no_uncertainty() -> None:
    assert stratified([[0.0, 0.0], [10.0, 10.0]]) == Interval(5.0, 5.0, 5.0, 4)
    mixed = stratified([[0.0, 10.0], [0.0, 10.0]])
    assert mixed.low < mixed.mean == 5.0 < mixed.high


def test_more_values_narrow_it() -> None:
    few, many = mean_of([0.0, 1.0] * 5), mean_of([0.0, 1.0] * 500)
    assert few.low < many.low < 0.5 < many.high < few.high
    assert f"{few:.3f}" == "0.500, 95% interval [0.123, 0.877]"
