"""How far behind the learner's newest exported policy the one that acted was."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

from realtime_rl.core.records import Learning, Timestep
from realtime_rl.core.types import Cause


@dataclass(frozen=True, slots=True)
class Lag:
    """The lag of one tick at which a policy acted."""

    versions: int
    """Versions that had been exported since the one that acted."""
    seconds: float
    """For how long the first of them had been there [s]; 0 when there was none."""


def policy_lags(learnings: Iterable[Learning], ticks: Iterable[Timestep]) -> Iterator[Lag]:
    """Yield the lag of each tick at which a policy acted, once the learner has exported one.

    The learner says once a second what it exported when: of versions that follow each other faster
    only some are known by their time, and the others are taken to have come with the next of them.
    """
    exported: dict[int, int] = {}
    for each in learnings:
        if each.lag_s >= 0:  # NaN before the first
            exported.setdefault(each.version, each.stamp_ns - round(each.lag_s * 1e9))
    pairs = sorted((exported_ns, version) for version, exported_ns in exported.items())
    times = [exported_ns for exported_ns, _ in pairs]
    newest = list(accumulate((version for _, version in pairs), max))
    for step in ticks:
        known = bisect_right(times, step.stamp_ns)
        if step.cause is not Cause.POLICY or not known:
            continue
        behind = newest[known - 1] - step.version
        if behind <= 0:
            yield Lag(0, 0.0)
        else:
            since_ns = times[bisect_right(newest, step.version)]
            yield Lag(behind, (step.stamp_ns - since_ns) / 1e9)
