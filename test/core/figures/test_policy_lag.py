"""How far behind the newest policy what acts is."""

from __future__ import annotations

import math

from core.figures.test_accounting import step
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.figures.policy_lag import policy_lags
from realtime_rl.core.messages.records import Learning
from realtime_rl.core.types import Cause

SECOND_NS = 1_000_000_000


def learning(at_s: float, version: int, lag_s: float) -> Learning:
    return Learning(round(at_s * SECOND_NS), 1, 1, 0.0, 0.1, version, lag_s)


def ticks(*versions: int, cause: Cause = Cause.POLICY) -> list:
    """One a second, from second 1 on."""
    return [step(at, stamp_ns=at * SECOND_NS, version=version, cause=cause)
            for at, version in enumerate(versions, 1)]


def lags(learnings: list[Learning], timesteps: list) -> list[tuple[int, float]]:
    found = policy_lags(learnings, timesteps)
    return [*zip(found.versions.tolist(), found.seconds.tolist(), strict=True)]


def test_versions_and_seconds_behind() -> None:
    learnings = [learning(1, 0, math.nan), learning(3, 1, 0.5), learning(4, 1, 1.5),
                 learning(6, 3, 0.25)]
    # 1 came at 2.5 s, 2 and 3 at 5.75 s
    assert lags(learnings, ticks(0, 0, 0, 1, 1, 1, 3)) == [
        (1, 0.5), (0, 0.0), (0, 0.0), (2, 0.25), (0, 0.0)]
    assert lags(learnings, ticks(0, 0, 0, 0, 0, 0))[-1] == (3, 3.5)


def test_only_ticks_at_which_a_policy_acted_count() -> None:
    assert lags([learning(1, 1, 1.0)], ticks(0, 0, cause=Cause.DEFAULT)) == []
    assert lags([], ticks(0, 0)) == []


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 3)), min_size=1, max_size=8),
       st.lists(st.integers(0, 12), min_size=1, max_size=20))
def test_it_is_what_counting_gives(steps: list[tuple[int, int]], acted: list[int]) -> None:
    at, version, learnings = 0, 0, []
    for seconds, more in steps:
        at, version = at + seconds, version + more
        learnings.append(learning(at, version, 0.0))
    wanted = []
    for tick in ticks(*acted):
        out = [each for each in learnings if each.stamp_ns <= tick.stamp_ns]
        newer = [each for each in out if each.version > tick.version]
        if out:
            wanted.append((max(0, out[-1].version - tick.version),
                           (tick.stamp_ns - newer[0].stamp_ns) / 1e9 if newer else 0.0))
    assert lags(learnings, ticks(*acted)) == wanted
