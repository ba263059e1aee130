"""Distributions as the figures give them, and what the figures count: lives, gaps, episodes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypedDict

import numpy as np

from realtime_rl.core.records import Fate, Timestep, Verdict
from realtime_rl.core.types import Cause

_SLACK_PERIODS, _SLACK_S = 8, 0.25
"""A verdict is given so many ticks after another one of a later arrival, or so long, at most."""
_SAME_GRID_NS = 1_000_000


class Distribution(TypedDict):
    """Figures of some values, in the values' unit; all but `n` are null when there are none."""

    mean: float | None
    std: float | None
    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Episode:
    """An episode that was seen from its first tick to its last."""

    first: Timestep
    last: Timestep
    reward: float
    """Its return, undiscounted."""


def distribution(values: Iterable[float]) -> Distribution:
    """Describe `values`; those that are not finite say nothing and are left out.

    `std` is the population's, percentiles are interpolated linearly.
    """
    array = np.fromiter(values, np.float64)
    array = array[np.isfinite(array)]
    if array.size == 0:
        return Distribution(mean=None, std=None, p50=None, p95=None, p99=None, max=None, n=0)
    p50, p95, p99 = (float(value) for value in np.percentile(array, (50, 95, 99)))
    return Distribution(mean=float(array.mean()), std=float(array.std()), p50=p50, p95=p95,
                        p99=p99, max=float(array.max()), n=int(array.size))


def plant_lives(timesteps: Iterable[Timestep]) -> list[list[Timestep]]:
    """Cut ticks, in the order in which they were recorded, where the plant was started again.

    Tick numbers rise within each part. A tick that was recorded twice is kept once.
    """
    lives: list[list[Timestep]] = []
    previous: Timestep | None = None
    for step in timesteps:
        if previous is None or step.tick < previous.tick:
            lives.append([step])
        elif step.tick > previous.tick:
            lives[-1].append(step)
        elif step.stamp_ns != previous.stamp_ns:
            lives.append([step])
        previous = step
    return lives


def two_at_once(lives: Iterable[Sequence[Timestep]]) -> bool:
    """Whether a plant goes on after another one came between: two graphs of one name.

    A plant that ticks on its grid tells by each tick when that grid began.
    """
    present: int | None = None
    past: list[int] = []
    for step in (step for life in lives for step in life):
        begin_ns = _grid_begin_ns(step)
        if present is not None and abs(begin_ns - present) < _SAME_GRID_NS:
            continue
        if any(abs(begin_ns - other) < _SAME_GRID_NS for other in past):
            return True
        if present is not None:
            past.append(present)
        present = begin_ns
    return False


def _grid_begin_ns(step: Timestep) -> int:
    return step.stamp_ns - round(step.lateness_s * 1e9) - step.tick * step.period_ns


def gaps(lives: Iterable[Sequence[Timestep]]) -> Iterator[range]:
    """Runs of tick numbers that were not recorded, between ticks that were."""
    for life in lives:
        for before, after in pairwise(life):
            if after.tick > before.tick + 1:
                yield range(before.tick + 1, after.tick)


def startup_length(ticks: Sequence[Timestep]) -> int:
    """How many ticks came before the first one at which a policy's action was applied."""
    return next((index for index, step in enumerate(ticks) if step.cause is Cause.POLICY),
                len(ticks))


def episodes_of(life: Sequence[Timestep]) -> Iterator[Episode]:
    """Episodes that lie in one life of the plant from their first tick to their last."""
    first: Timestep | None = None
    reward, previous = 0.0, -1
    for step in life:
        if step.first:
            first, reward = step, 0.0
        elif step.tick != previous + 1:
            first = None
        reward += step.reward
        if step.last and first is not None:
            yield Episode(first, step, reward)
            first = None
        previous = step.tick


def arrivals(verdicts: Sequence[Verdict], period_s: float) -> list[list[float]]:
    """Arrival times of all received actions from the first applied one on, sorted [s].

    Cut where the actuator was started again: its clock begins at 0 there. The verdict on an
    action comes some ticks after its arrival, so that a small step back is no new beginning;
    a large one is, when the stream goes on from there.
    """
    received = [v for v in verdicts
                if v.fate is not Fate.DEFAULTED and math.isfinite(v.arrival_s)]
    first = next((index for index, v in enumerate(received) if v.fate is Fate.APPLIED), None)
    if first is None:
        return []
    times = [v.arrival_s for v in received[first:]]
    lives: list[list[float]] = [[]]
    newest, slack_s = -math.inf, max(_SLACK_PERIODS * period_s, _SLACK_S)
    for index, time in enumerate(times):
        floor = newest - slack_s
        following = times[index + 1] if index + 1 < len(times) else time
        if time < floor and following < floor:
            lives.append([])
            newest = time
        lives[-1].append(time)
        newest = max(newest, time)
    lives[0] = [time for time in lives[0] if time >= times[0]]
    return [sorted(life) for life in lives]
