"""Emulated accelerators: what is written, what is drawn, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.errors import ConfigError
from realtime_rl.policies.latency import (
    Constant,
    Contention,
    Latency,
    Lognormal,
    NoLatency,
    Normal,
    Outliers,
)

MS = 1_000_000
HOUR_NS = 3_600_000_000_000


@pytest.mark.parametrize(("text", "latency", "canonical"), [
    ("none", NoLatency(), "none"),
    ("constant:95ms", Constant(95 * MS), "constant:95ms"),
    (" constant: 1.5 s ", Constant(1500 * MS), "constant:1500ms"),
    ("constant:250us", Constant(250_000), "constant:250us"),
    ("normal:215ms,std=10ms", Normal(215 * MS, 10 * MS), "normal:215ms,std=10ms"),
    ("lognormal:215ms,cv=0.05", Lognormal(215 * MS, 0.05), "lognormal:215ms,cv=0.05"),
    ("lognormal:0.215s, cv = 0.3", Lognormal(215 * MS, 0.3), "lognormal:215ms,cv=0.3"),
    ("constant:95ms,outliers=0.01x3", Outliers(Constant(95 * MS), 0.01, 3.0),
     "constant:95ms,outliers=0.01x3"),
    ("constant:20ms,contention=0.15", Contention(Constant(20 * MS), 0.15),
     "constant:20ms,contention=0.15"),
    ("normal:20ms,contention=1,std=2ms,outliers=1x2.5",
     Contention(Outliers(Normal(20 * MS, 2 * MS), 1.0, 2.5), 1.0),
     "normal:20ms,std=2ms,outliers=1x2.5,contention=1"),
])
def test_forms(text: str, latency: Latency, canonical: str) -> None:
    assert Latency.parse(text) == latency
    assert str(latency) == canonical


@st.composite
def latencies(draw: st.DrawFn) -> Latency:
    def share(most: float) -> float:
        return draw(st.floats(0, most, exclude_min=True))

    mean_ns = draw(st.integers(2, HOUR_NS - 1))
    latency: Latency = draw(st.sampled_from([
        Constant(mean_ns), Lognormal(mean_ns, share(10.0)),
        Normal(mean_ns, draw(st.integers(1, mean_ns // 2)))]))
    if draw(st.booleans()):
        latency = Outliers(latency, share(1.0), share(1000.0))
    return Contention(latency, share(100.0)) if draw(st.booleans()) else latency


@given(latencies())
def test_what_is_written_is_read(latency: Latency) -> None:
    assert Latency.parse(str(latency)) == latency


@given(latencies(), st.integers(1, 4096), st.integers(0, 2**32))
def test_no_duration_is_negative_and_a_seed_says_it_all(latency: Latency, in_flight: int,
                                                        seed: int) -> None:
    one, two = ([latency.sample(np.random.default_rng(seed), in_flight) for _ in range(3)]
                for _ in range(2))
    assert one == two
    assert min(one) >= 0


def drawn(text: str, count: int = 20_000, in_flight: int = 1) -> np.ndarray:
    latency, rng = Latency.parse(text), np.random.default_rng(1)
    return np.array([latency.sample(rng, in_flight) for _ in range(count)]) / MS


def test_a_constant_takes_the_same_time() -> None:
    assert set(drawn("constant:95ms", 10)) == {95.0}
    assert set(drawn("none", 10)) == {0.0}


@pytest.mark.parametrize("cv", [0.05, 0.3, 1.0])
def test_lognormal_has_the_stated_mean_and_spread(cv: float) -> None:
    values = drawn(f"lognormal:215ms,cv={cv}")
    assert values.min() > 0
    assert values.mean() == pytest.approx(215, rel=0.03)
    assert values.std() / values.mean() == pytest.approx(cv, rel=0.1)


@pytest.mark.parametrize("std", [1, 40, 107])
def test_normal_has_the_stated_mean_and_spread(std: int) -> None:
    values = drawn(f"normal:215ms,std={std}ms")
    assert values.mean() == pytest.approx(215, rel=0.02)
    assert values.std() == pytest.approx(std, rel=0.05)


def test_outliers_are_as_frequent_and_as_long_as_stated() -> None:
    values = drawn("constant:10ms,outliers=0.1x3")
    assert set(values) == {10.0, 30.0}
    assert (values == 30.0).mean() == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize(("in_flight", "expected"), [(1, 20.0), (2, 23.0), (5, 32.0)])
def test_contention_lengthens_by_a_share_for_each_other_in_flight(in_flight: int,
                                                                  expected: float) -> None:
    assert set(drawn("constant:20ms,contention=0.15", 3, in_flight)) == {expected}


@given(st.integers(1, 64), st.floats(0.01, 10.0))
def test_contention_touches_outliers_as_well(in_flight: int, share: float) -> None:
    latency = Contention(Outliers(Constant(1000), 1.0, 3.0), share)
    expected = 3000 * (1 + share * (in_flight - 1))
    assert latency.sample(np.random.default_rng(0), in_flight) == pytest.approx(expected, abs=1)
    assert latency.slowdown(in_flight) == pytest.approx(expected / 3000)


@given(latencies())
def test_alone_nothing_is_slower(latency: Latency) -> None:
    assert latency.slowdown(1) == latency.slowdown(0) == 1.0


@pytest.mark.parametrize(("text", "message"), [
    ("gamma:95ms", "kind 'gamma' is not one of 'constant', 'lognormal', 'none', 'normal', 'trace'"),
    ("", "kind '' is not one of"),
    ("constant:95", "duration '95': write a positive number and one of 'ms', 's', 'us'"),
    ("constant:95h", "duration '95h'"),
    ("constant:60Hz", "duration '60Hz': write a positive number .* as in 16.6667ms"),
    ("constant:0Hz", "duration '0Hz': write a positive number .* as in 95ms"),
    ("constant:-1ms", "duration '-1ms': write a positive number"),
    ("constant:nan", "duration 'nan'"),
    ("constant:0ms", "duration '0ms' must be positive and below an hour"),
    ("constant:3600s", "duration '3600s' must be positive and below an hour"),
    ("constant:95ms,cv=1", "option 'cv' is not one of 'contention', 'outliers'"),
    ("constant:95ms,outliers=1x2,outliers=1x3", "option 'outliers' is given twice"),
    ("lognormal:95ms", "option 'cv' is absent: 'lognormal' needs it"),
    ("lognormal:95ms,sigma=1", "option 'sigma' is not one of 'contention', 'cv', 'outliers'"),
    ("lognormal:95ms,cv=0", "cv '0' must be a number above 0, at most 10"),
    ("lognormal:95ms,cv=nan", "cv 'nan' must be a number above 0, at most 10"),
    ("lognormal:95ms,cv=wide", "cv 'wide' must be a number"),
    ("normal:95ms", "option 'std' is absent: 'normal' needs it"),
    ("normal:95ms,std=0.1", "duration '0.1': write a positive number"),
    ("normal:95ms,std=60ms", "std '60ms' must be at most half the mean '95ms'"),
    ("none:5ms", "'none' takes no duration"),
    ("none:,outliers=0.01x3", "option 'outliers': 'none' takes none"),
    ("constant:9ms,outliers=0.01", "outliers '0.01': factor '' must be .* write them as 0.01x3"),
    ("constant:9ms,outliers=2x3", "probability '2' must be a number above 0, at most 1"),
    ("constant:9ms,outliers=0.1x-3", "factor '-3' must be a number above 0, at most 1000"),
    ("constant:9ms,contention=-1", "contention '-1' must be a number above 0, at most 100"),
    ("constant:9ms,contention=inf", "contention 'inf' must be"),
    ("trace:", "'trace' needs a file of measured durations"),
])
def test_others_are_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        Latency.parse(text)
    assert repr(text) in str(caught.value)
    assert "\n" not in str(caught.value)
