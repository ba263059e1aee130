"""Runs that answer several observations each, against staggered runs of one: what each takes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from realtime_rl.bench.approaches import Approach
from realtime_rl.bench.planning import Expectation
from realtime_rl.core.enumerations import Algorithm
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.schedule.planner import (
    MOST_WORKERS,
    Durations,
    Prediction,
    Setting,
    fewest_workers,
    predict,
)
from realtime_rl.policies.latency_text import duration_ns

Profile = Mapping[int, int]
"""What a run takes [ns], by the number of observations that it answers."""
_MOST_SIZE = 1024
_TICKS = 3000
_ROUNDS = 10_000
_ALIKE = 2
"""Digits of an inaction that tell two where neither is enough."""
_BEARABLE = 10.0
"""Times as long as alone: where runs slow each other down by more, further workers are in vain."""
_AT_ONCE = 8
"""Runs at once that are tried where no number of them is enough."""


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """What runs of one size give; of size 1 they are staggered single runs."""

    size: int
    run_ns: int
    """Of one run alone, in the mean."""
    runs_at_once: int
    """That the accelerator works on when one begins, in the mean, itself included."""
    enough: bool
    """Whether the target is met."""
    prediction: Prediction
    """With the fewest workers that meet it, else with those that leave the fewest ticks without an
    action. Its delay is the age of what acts, too."""


def parse(text: str) -> dict[int, int]:
    """Read `2=11ms,4=14ms`; `ConfigError` where it is none."""
    found: dict[int, int] = {}
    for word in text.split(","):
        size, equals, took = (part.strip() for part in word.partition("="))
        if not equals or not size.isdecimal() or not 1 <= int(size) <= _MOST_SIZE \
                or int(size) in found:
            raise ConfigError(f"--batch: {word!r} must be like '4=14ms', once for each number of "
                              f"observations from 1 to {_MOST_SIZE}")
        try:
            found[int(size)] = duration_ns(took)
        except ValueError as error:
            raise ConfigError(f"--batch: {error}") from error
    return found


def plan_batches(expected: Expectation, profile: Profile) -> list[BatchPlan]:
    """Plan for runs of one observation, and for each size of `profile`, smallest first.

    Durations vary as those of one observation do; what is not in the profile is not guessed.
    """
    one = profile.get(1, float(expected.alone_ns.mean()))
    return [_planned(expected, size, profile.get(size, one) / one)
            for size in sorted({1, *profile})]


def best(plans: list[BatchPlan]) -> BatchPlan:
    """Return what leaves the fewest ticks without an action, then acts soonest, then is smallest.

    What meets the target counts as alike in that.
    """
    return min(plans, key=lambda each: (
        0.0 if each.enough else round(each.prediction.inaction, _ALIKE),
        each.prediction.promised_delay_ticks, each.size))


def _planned(expected: Expectation, size: int, scale: float) -> BatchPlan:
    setting = replace(expected.setting(Approach(Algorithm.MAX_TIME)), batch=size)
    alone = np.maximum(1, np.round(expected.alone_ns * scale)).astype(np.int64)
    run_ns, crowd = round(float(alone.mean())), _in_flight(expected, alone, setting, MOST_WORKERS)
    if expected.latency.slowdown(crowd) <= _BEARABLE:
        durations = _slowed(expected, alone, crowd)
        workers = fewest_workers(durations, setting, expected.target, _TICKS)
        if workers is not None:
            return BatchPlan(size, run_ns, math.ceil(crowd), True,
                             predict(durations, workers, setting, _TICKS))
    found = [predict(_slowed(expected, alone, _in_flight(expected, alone, setting, lanes)),
                     lanes * size, setting, _TICKS) for lanes in range(1, _AT_ONCE + 1)]
    chosen = min(found, key=lambda each: (round(each.inaction, _ALIKE), each.workers))
    return BatchPlan(size, run_ns, chosen.workers // size, False, chosen)


def _slowed(expected: Expectation, alone: Durations, in_flight: float) -> Durations:
    return np.round(alone * expected.latency.slowdown(in_flight)).astype(np.int64)


def _in_flight(expected: Expectation, alone: Durations, setting: Setting, most: int) -> float:
    """How many runs are in flight when one starts, itself included: where load and speed agree."""
    apart, number = setting.period_ns * setting.batch, 1.0
    for _ in range(_ROUNDS):
        runs = np.ceil(alone * expected.latency.slowdown(number) / apart)
        following = float(np.minimum(most, runs).mean())
        settled, number = following - number < 1e-6, following
        if settled or expected.latency.slowdown(number) > _BEARABLE:
            break
    return number
