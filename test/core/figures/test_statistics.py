from __future__ import annotations

import math

import numpy as np
import pytest
from handmade import defaulted, stamp, step, verdict

from realtime_rl.core.enumerations import Fate, Reason
from realtime_rl.core.figures.statistics import (
    arrivals,
    distribution,
    episodes_of,
    gaps,
    plant_sessions,
    startup_length,
)
from realtime_rl.core.messages.records import Timestep, Verdict
from realtime_rl.core.types import Cause

PERIOD_S = 0.01


def returns(ticks: list[Timestep]) -> list[float]:
    found: list[float] = episodes_of(plant_sessions(ticks)).returns.tolist()
    return found


def arrived(verdicts: list[Verdict], period_s: float = PERIOD_S) -> list[list[float]]:
    return [session.tolist() for session in arrivals(verdicts, period_s)]


def test_distribution_of_known_values() -> None:
    figures = distribution([1.0, 2.0, 3.0, 4.0])
    assert figures == {"mean": 2.5, "std": pytest.approx(math.sqrt(1.25)), "p50": 2.5,
                       "p95": pytest.approx(3.85), "p99": pytest.approx(3.97), "max": 4.0, "n": 4}
    assert list(figures) == ["mean", "std", "p50", "p95", "p99", "max", "n"]


def test_distribution_of_nothing_is_unknown() -> None:
    for values in ([], [math.nan], [math.inf, -math.inf]):
        figures = distribution(values)
        assert figures["n"] == 0
        assert all(figures[key] is None for key in ("mean", "std", "p50", "p95", "p99", "max"))


def test_values_that_are_not_finite_are_left_out() -> None:
    assert distribution([math.nan, 7.0, math.inf])["mean"] == 7.0


def test_a_life_ends_where_tick_numbers_fall() -> None:
    ticks = [step(0), step(1), step(5), step(0, stamp_ns=stamp(9)), step(1, stamp_ns=stamp(10))]
    assert [[s.tick for s in session] for session in plant_sessions(ticks)] == [[0, 1, 5], [0, 1]]


def test_a_plant_that_dies_after_one_tick_has_two_lives() -> None:
    assert len(plant_sessions([step(0), step(0, stamp_ns=stamp(3))])) == 2


def test_a_tick_recorded_twice_is_kept_once() -> None:
    assert [*map(list, plant_sessions([step(0), step(1), step(1)]))] == [[step(0), step(1)]]


def test_gaps_lie_between_recorded_ticks_only() -> None:
    sessions = plant_sessions([step(3), step(4), step(7), step(9)])
    assert list(gaps(sessions)) == [range(5, 7), range(8, 9)]
    assert list(gaps(plant_sessions([]))) == []


def test_ticks_are_found_in_their_session_whatever_their_numbers() -> None:
    seen = [step(100), step(101), step(104), step(99, stamp_ns=stamp(500)),
            step(101, stamp_ns=stamp(502))]
    sessions = plant_sessions(seen)
    wanted = [(0, 101), (0, 104), (0, 99), (1, 99), (1, 101), (1, 104), (0, 98), (1, 105)]
    parts, ticks = np.array(wanted).T
    assert sessions.find(parts, ticks).tolist() == [1, 2, -1, 3, 4, -1, -1, -1]


def test_startup_ends_with_the_first_policy_action() -> None:
    assert startup_length([step(0, Cause.NONE), step(1, Cause.DEFAULT), step(2)]) == 2
    assert startup_length([step(0, Cause.NONE)]) == 1
    assert startup_length([]) == 0


def test_arrivals_start_with_the_first_applied_action_and_are_sorted() -> None:
    verdicts = [
        verdict(2, Fate.REJECTED, reason=Reason.STALE, arrival_s=0.001), defaulted(2),
        verdict(5, Fate.REJECTED, reason=Reason.LATE, arrival_s=0.051),
        verdict(4, arrival_s=0.039), verdict(5, arrival_s=0.049),
        verdict(6, Fate.SUPERSEDED, arrival_s=math.nan)]
    assert arrived(verdicts) == [[0.039, 0.049]]


def test_a_verdict_that_comes_late_is_no_restart() -> None:
    verdicts = [verdict(10, arrival_s=0.100), verdict(11, Fate.REJECTED, arrival_s=0.118),
                verdict(11, arrival_s=0.110), verdict(12, arrival_s=0.120)]
    assert arrived(verdicts) == [[0.100, 0.110, 0.118, 0.120]]


def test_nor_is_one_at_a_high_rate_where_a_wake_up_is_many_ticks() -> None:
    verdicts = [verdict(t, arrival_s=s) for t, s in
                [(900, 0.900), (901, 0.880), (902, 0.881), (903, 0.903)]]
    assert arrived(verdicts, 0.001) == [[0.900, 0.903]]


def test_one_old_verdict_is_no_restart() -> None:
    verdicts = [verdict(t, arrival_s=t / 100) for t in (100, 101)]
    verdicts += [verdict(30, Fate.SUPERSEDED, arrival_s=0.3), verdict(102, arrival_s=1.02)]
    assert arrived(verdicts) == [[1.0, 1.01, 1.02]]


def test_the_actuators_restart_is_a_boundary() -> None:
    verdicts = [verdict(t, arrival_s=s) for t, s in
                [(500, 5.00), (501, 5.01), (510, 0.02), (511, 0.03), (512, 0.04)]]
    assert arrived(verdicts) == [[5.00, 5.01], [0.02, 0.03, 0.04]]


def test_no_action_was_applied() -> None:
    assert arrived([defaulted(1), verdict(2, Fate.REJECTED)]) == []


def test_only_whole_episodes_count() -> None:
    session = [step(0, reward=9.0), step(1, last=True), step(2, first=True), step(3, reward=1.0),
               step(4, reward=2.0, last=True), step(5, first=True), step(6, reward=5.0)]
    assert returns(session) == [3.0]


def test_an_episode_with_a_gap_is_not_whole() -> None:
    session = [step(0, first=True), step(2, reward=1.0, last=True), step(3, first=True),
               step(4, reward=4.0, last=True)]
    assert returns(session) == [4.0]


def test_an_episode_that_was_cut_short_by_a_reset_is_not_whole() -> None:
    session = [step(0, first=True), step(1, reward=1.0), step(2, first=True),
               step(3, reward=2.0, last=True)]
    assert returns(session) == [2.0]


def test_an_episode_of_one_tick() -> None:
    assert returns([step(0, first=True, last=True)]) == [0.0]
