"""What is computed of whole columns is what going through the records one by one gives."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
from handmade import START_NS, step, verdict
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_rl.core.enumerations import Fate
from realtime_rl.core.figures.grids import two_at_once
from realtime_rl.core.figures.statistics import arrivals, episodes_of, gaps, plant_sessions
from realtime_rl.core.messages.pairs import again, last_rows
from realtime_rl.core.messages.records import Timestep, Verdict

STEPS = st.lists(st.builds(
    lambda tick, at, late, first, last, reward: step(
        tick, stamp_ns=START_NS + at * 400_000, lateness_s=late, first=first, last=last,
        reward=reward),
    st.integers(0, 6), st.integers(0, 99), st.sampled_from([0.0, 0.0004, 0.02]), st.booleans(),
    st.booleans(), st.floats()), max_size=25)
RUNS = st.builds(lambda ticks, cut: [
    step(tick + cut * (place > 20), stamp_ns=START_NS + place * 10_000_000, first=tick % 5 == 0,
         last=tick % 5 == 4, reward=0.1 * tick) for place, tick in enumerate(ticks)],
    st.lists(st.integers(0, 60), unique=True).map(sorted), st.integers(-20, 20))


def sessions_one_by_one(steps: Iterable[Timestep]) -> list[list[Timestep]]:
    sessions: list[list[Timestep]] = []
    previous: Timestep | None = None
    for each in steps:
        if previous is None or each.tick < previous.tick or (
                each.tick == previous.tick and each.stamp_ns != previous.stamp_ns):
            sessions.append([each])
        elif each.tick > previous.tick:
            sessions[-1].append(each)
        previous = each
    return sessions


def returns_one_by_one(session: Iterable[Timestep]) -> Iterable[float]:
    first, reward, previous = False, 0.0, -1
    for each in session:
        if each.first:
            first, reward = True, 0.0
        elif each.tick != previous + 1:
            first = False
        reward += each.reward
        if each.last and first:
            yield reward
            first = False
        previous = each.tick


def two_one_by_one(steps: Iterable[Timestep]) -> bool:
    present, past = None, []
    for each in steps:
        begin = each.stamp_ns - round(each.lateness_s * 1e9) - each.tick * each.period_ns
        if present is not None and abs(begin - present) < 1_000_000:
            continue
        if any(abs(begin - other) < 1_000_000 for other in past):
            return True
        past += [] if present is None else [present]
        present = begin
    return False


@given(st.one_of(STEPS, RUNS))
@settings(max_examples=150, deadline=None)
def test_lives_gaps_and_episodes(steps: list[Timestep]) -> None:
    sessions, wanted = plant_sessions(steps), sessions_one_by_one(steps)
    assert [repr(session) for session in sessions] == [repr(session) for session in wanted]
    assert list(gaps(sessions)) == [
        range(before.tick + 1, after.tick) for session in wanted
        for before, after in pairwise(session) if after.tick > before.tick + 1]
    assert repr(episodes_of(sessions).returns.tolist()) == repr(
        [value for session in wanted for value in returns_one_by_one(session)])
    assert two_at_once(sessions) == two_one_by_one(each for session in wanted for each in session)


def arrivals_one_by_one(verdicts: list[Verdict], period_s: float) -> list[list[float]]:
    received = [v for v in verdicts if v.fate is not Fate.DEFAULTED and math.isfinite(v.arrival_s)]
    first = next((i for i, v in enumerate(received) if v.fate is Fate.APPLIED), None)
    if first is None:
        return []
    times = [v.arrival_s for v in received[first:]]
    sessions: list[list[float]] = [[]]
    newest, slack_s = -math.inf, max(8 * period_s, 0.25)
    for index, time in enumerate(times):
        following = times[index + 1] if index + 1 < len(times) else time
        if time < newest - slack_s and following < newest - slack_s:
            sessions.append([])
            newest = time
        sessions[-1].append(time)
        newest = max(newest, time)
    sessions[0] = [time for time in sessions[0] if time >= times[0]]
    return [sorted(session) for session in sessions]


@given(st.lists(st.tuples(st.sampled_from(Fate), st.one_of(st.floats(0, 3), st.just(math.nan))),
                max_size=120), st.sampled_from([0.01, 0.1, math.nan]))
@settings(max_examples=100, deadline=None)
def test_arrivals(told: list[tuple[Fate, float]], period_s: float) -> None:
    verdicts = [verdict(9, fate, arrival_s=at) for fate, at in told]
    found = [session.tolist() for session in arrivals(verdicts, period_s)]
    assert found == arrivals_one_by_one(verdicts, period_s)


PAIRS = st.lists(st.tuples(st.integers(-1, 3), st.integers(-1, 2)), max_size=12)


def split(pairs: list[tuple[int, int]]) -> Any:
    return tuple(np.array([pair[part] for pair in pairs], np.int64) for part in (0, 1))


@given(PAIRS, PAIRS)
def test_pairs_are_found_where_they_came_last(known: list[tuple[int, int]],
                                              wanted: list[tuple[int, int]]) -> None:
    places = {pair: row for row, pair in enumerate(known)}
    assert last_rows(split(known), split(wanted)).tolist() == [
        places.get(pair, -1) for pair in wanted]
    assert again(split(known)).tolist() == [
        pair in known[:row] for row, pair in enumerate(known)]
