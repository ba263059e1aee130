"""Means of a few runs, and how far off they may be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

_COVERED = 0.95
_MOST_FREEDOM = 1000
"""From here on the quantile differs from the normal distribution's by a thousandth at most."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its 95% interval, whose ends are NaN where one value says nothing of others."""

    mean: float
    low: float
    high: float
    n: int

    @property
    def known(self) -> dict[str, float | None]:
        """Mean and ends as JSON has them: what is not known is `None`."""
        return {name: value if math.isfinite(value) else None for name, value in (
            ("mean", self.mean), ("low", self.low), ("high", self.high))}

    def __format__(self, spec: str) -> str:
        """Write it as `29.7, 95% interval [28.8, 30.6]`, its numbers by `spec`."""
        mean, low, high = (format(value, spec) for value in (self.mean, self.low, self.high))
        return f"{mean}, " + (f"95% interval [{low}, {high}]" if math.isfinite(self.low)
                              else "no interval of one value")


def mean_of(values: Sequence[float]) -> Interval:
    """Return the mean of `values` with Student's t interval: none for one, NaN without a value."""
    return stratified([values])


def stratified(strata: Sequence[Sequence[float]]) -> Interval:
    """Return the mean of the strata's means with its t interval.

    Only what differs within a stratum counts: that tasks differ is no uncertainty. Variances need
    not be alike (Welch 1947; degrees of freedom by Satterthwaite 1946, rounded down). There is no
    interval where a stratum has one value, and NaN is the mean of none.
    """
    arrays = [np.asarray(values, np.float64) for values in strata if len(values)]
    if not arrays:
        return Interval(math.nan, math.nan, math.nan, 0)
    sizes = np.array([array.size for array in arrays])
    mean, n = float(np.mean([array.mean() for array in arrays])), int(sizes.sum())
    if sizes.min() < 2:
        return Interval(mean, math.nan, math.nan, n)
    variances = np.array([array.var(ddof=1) for array in arrays]) / sizes
    whole = float(variances.sum())
    if not whole:
        return Interval(mean, mean, mean, n)
    freedom = whole**2 / float((variances**2 / (sizes - 1)).sum())
    # a whole number comes out just below itself now and then
    half = _quantile(int(freedom + 1e-6)) * math.sqrt(whole) / len(arrays)
    return Interval(mean, mean - half, mean + half, n)


def difference_of(values: Sequence[float], others: Sequence[float]) -> Interval:
    """Return the mean of `values` less that of `others`, which know nothing of each other.

    With Welch's interval, as of `stratified`; NaN where either has none.
    """
    if not len(values) or not len(others):
        return Interval(math.nan, math.nan, math.nan, 0)
    half = stratified([values, [-value for value in others]])
    return Interval(2 * half.mean, 2 * half.low, 2 * half.high, half.n)


@lru_cache(maxsize=256)
def _quantile(freedom: int) -> float:
    """By how many standard errors Student's t leaves its mean in 5% of all cases."""
    freedom = min(freedom, _MOST_FREEDOM)
    low, high = 1.9, 12.8
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < _COVERED else (low, middle)
    return high


def _within(t: float, freedom: int) -> float:
    """Probability of less than `t` in size: Abramowitz and Stegun (1964), 26.7.3 and 26.7.4."""
    angle = math.atan2(t, math.sqrt(freedom))
    odd, squared = freedom % 2, math.cos(angle)**2
    term = total = 0.0 if freedom == 1 else math.cos(angle) if odd else 1.0
    for number in range(2 + odd, freedom - 1, 2):
        term *= squared * (number - 1) / number
        total += term
    total *= math.sin(angle)
    return 2 / math.pi * (angle + total) if odd else total
