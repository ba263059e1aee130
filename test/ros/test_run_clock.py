"""The clock of a run: one for all its nodes, whenever they start."""

from __future__ import annotations

import time

import pytest

from realtime_rl.core.errors import ConfigError
from realtime_rl.ros.run_clock import CLOCK_VARIABLE, RunClock

HOUR_NS = 3_600_000_000_000


def test_it_begins_with_the_system_clock() -> None:
    before_ns = time.time_ns()
    assert before_ns <= RunClock({}).now_ns() <= before_ns + HOUR_NS


def test_a_node_that_joins_goes_by_the_same_clock_whatever_was_done_to_the_systems(
        monkeypatch: pytest.MonkeyPatch) -> None:
    first = RunClock({})
    now_ns = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now_ns - HOUR_NS)
    joined = RunClock(first.environment)
    assert joined.at_ns(5) == first.at_ns(5)
    assert RunClock({}).at_ns(5) < first.at_ns(5)


def test_stamps_rise_by_monotonic_time() -> None:
    clock = RunClock({CLOCK_VARIABLE: "1000"})
    assert [clock.at_ns(0), clock.at_ns(7)] == [1000, 1007]


def test_nonsense_in_the_environment_is_one_line() -> None:
    with pytest.raises(ConfigError, match=f"{CLOCK_VARIABLE}='noon'.*unset it"):
        RunClock({CLOCK_VARIABLE: "noon"})
