"""How many workers an inference time takes: found by search, not by formula."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from realtime_rl.bench.approaches import Approach
from realtime_rl.bench.live import LiveBench, measure
from realtime_rl.bench.planning import Expectation, plan
from realtime_rl.bench.progress import Stages
from realtime_rl.bench.virtual import VirtualGraph, run_virtual
from realtime_rl.core.enumerations import Algorithm
from realtime_rl.core.schedule.coordination_policy import CoordinationPolicy
from realtime_rl.core.schedule.planner import predict
from realtime_rl.core.schedule.stagger import Schedule
from realtime_rl.core.types import Cause
from realtime_rl.policies.latency import Latency
from realtime_rl.policies.latency_text import duration_text
from realtime_rl.runner.supervisor import NodeFailedError

MAX_TIME = Approach(Algorithm.MAX_TIME)
UNSTAGGERED = Approach(Algorithm.UNSTAGGERED)
SEQUENTIAL = Approach(Algorithm.SEQUENTIAL)
LATENCIES = (1, 2, 3, 5, 8, 12, 18, 26, 36, 50, 70, 100, 140, 200, 280, 400, 596)
"""Inference times that are looked at [ticks]; the paper's largest model takes 596."""
_TICKS = 2000
_LIVE_MOST = 4
"""Workers more than planned at which a live search is given up."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """What is looked at."""

    period_ns: int
    handover_ns: int
    cv: float
    """Coefficient of variation of the inference times; 0: they are constant."""
    target: float
    """Inaction that is allowed."""

    def latency(self, ticks: float) -> Latency:
        """Return the latency that, with the hand-over, takes `ticks` on the average."""
        mean = duration_text(max(1000, round(ticks * self.period_ns) - self.handover_ns))
        return Latency.parse(f"lognormal:{mean},cv={self.cv!r}" if self.cv else f"constant:{mean}")

    def expectation(self, ticks: float) -> Expectation:
        """Return what the planner needs."""
        return Expectation(self.latency(ticks), self.period_ns, self.handover_ns,
                           target=self.target)


@dataclass(frozen=True, slots=True)
class LiveTrial:
    """One number of workers that was tried live."""

    workers: int
    inaction: float
    stolen_percent: float
    """What the machine's host took meanwhile."""
    runs: int
    """How many were made, of which this was the calmest."""


@dataclass(frozen=True, slots=True)
class Point:
    """One inference time."""

    latency_ticks: float
    """Mean inference time and hand-over."""
    required_workers: int | None
    """Fewest staggered workers that keep to the target; `None`: none of those tried did."""
    inaction: float
    """With so many."""
    unstaggered_inaction: float | None = None
    """With so many workers that start when they are free."""
    sequential_inaction: float | None = None
    trials: tuple[LiveTrial, ...] = ()
    """Those of a live search, in their order; none in virtual time."""

    @property
    def live(self) -> bool:
        """Whether it was found by live runs."""
        return bool(self.trials)


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line through the points, by least squares."""

    slope: float
    intercept: float
    r_squared: float


def in_virtual_time(scaling: Scaling, latencies: Sequence[int], stages: Stages) -> Iterator[Point]:
    """Search with the real core in virtual time."""
    for ticks in latencies:
        stages.stage(f"{ticks} ticks, virtual time", 1.0)
        trial = _Trial(scaling.expectation(ticks))
        required = _fewest(trial.staggered, scaling.target, ticks, 4 * ticks + 4)
        number = required or ticks
        yield Point(ticks, required, trial.staggered(number),
                    trial.run(UNSTAGGERED, number), trial.run(SEQUENTIAL, 1))


def live(scaling: Scaling, workers: Sequence[int], bench: LiveBench, stages: Stages
         ) -> Iterator[Point]:
    """Search with live runs, at inference times for which so many workers are planned."""
    for number in workers:
        ticks = _ticks_for(scaling, number)
        trials: list[LiveTrial] = []

        def inaction(tried: int, ticks: float = ticks, trials: list[LiveTrial] = trials) -> float:
            stages.stage(f"{ticks:.1f} ticks, {tried} workers, {bench.duration_s:g} s, live",
                         bench.whole_s)
            run = replace(bench, workers=str(tried), latency=str(scaling.latency(ticks)))
            measured = measure(run, stages.update, stages.say)
            if measured.deaths:
                raise NodeFailedError(f"nodes died {measured.deaths} time(s): the figures of such "
                                      "a run say nothing about workers")
            fraction = measured.report.figures["interaction"]["inaction_fraction"]
            trials.append(LiveTrial(tried, 1.0 if fraction is None else fraction,
                                    measured.stolen_percent, measured.runs))
            return trials[-1].inaction

        found = _walk(inaction, scaling.target, number)
        yield Point(ticks, *found, trials=tuple(trials))


def fit(points: Sequence[Point]) -> Line | None:
    """Fit required workers against latency; `None` for fewer than two points."""
    known = [(p.latency_ticks, p.required_workers) for p in points
             if p.required_workers is not None]
    if len(known) < 2:
        return None
    x, y = np.array(known, np.float64).T
    slope, intercept = (float(value) for value in np.polyfit(x, y, 1))
    spread = float(((y - y.mean()) ** 2).sum())
    left = float(((y - slope * x - intercept) ** 2).sum())
    return Line(slope, intercept, 1.0 - left / spread if spread else 1.0)


class _Trial:
    """Runs of the real core with one inference time, each number of workers once."""

    def __init__(self, expected: Expectation) -> None:
        self._expected = expected
        self._known: dict[int, float] = {}

    def staggered(self, workers: int) -> float:
        """Return the inaction of so many staggered workers."""
        if workers not in self._known:
            self._known[workers] = self.run(MAX_TIME, workers)
        return self._known[workers]

    def run(self, approach: Approach, workers: int) -> float:
        """Return the inaction of an approach."""
        expected = self._expected
        setting = expected.setting(approach)
        promised = predict(expected.alone_ns, workers, setting).promised_delay_ticks
        longest_ns = promised * expected.period_ns - expected.handover_ns
        active = tuple(range(workers))
        # every tick is a slot, whatever a formula says: which find a worker is the question
        schedule = Schedule(active, expected.period_ns, 1, 0, promised, max(0, longest_ns),
                            approach.algorithm, approach.dealing, cycle=1)
        settled = 2 * promised + 2
        records = run_virtual(VirtualGraph(
            CoordinationPolicy(active, expected.period_ns, expected.handover_ns),
            expected.latency, settled + _TICKS, schedule, transport_ns=expected.handover_ns))
        steps = records.timesteps[settled:]
        return sum(step.cause is not Cause.POLICY for step in steps) / len(steps)


def _fewest(inaction: Callable[[int], float], target: float, likely: int, most: int
            ) -> int | None:
    """Search the fewest workers with an inaction of `target` at most, up to `most`."""
    low, high = 1, likely
    while inaction(high) > target:
        if high >= most:
            return None
        low, high = high + 1, min(most, high + max(1, high // 8))
    while low < high:
        middle = max((low + high) // 2, high - max(1, high // 8))  # rarely far below
        if inaction(middle) > target:
            low = middle + 1
        else:
            high = middle
    return high


def _walk(inaction: Callable[[int], float], target: float, likely: int
          ) -> tuple[int | None, float]:
    """Search one by one from `likely`: down while it is enough, else up."""
    number, seen = likely, inaction(likely)
    while seen > target and number < likely + _LIVE_MOST:
        number += 1
        seen = inaction(number)
    if seen > target:
        return None, seen
    while number > 1 and number <= likely and (less := inaction(number - 1)) <= target:
        number, seen = number - 1, less
    return number, seen


def _ticks_for(scaling: Scaling, workers: int) -> float:
    """Return an inference time [ticks] for which so many workers are planned, and not just so."""
    low, high = 0.0, float(workers)
    for _ in range(12):
        middle = (low + high) / 2
        required = plan(scaling.expectation(middle), MAX_TIME).required_workers
        if required is not None and required <= workers:
            low = middle
        else:
            high = middle
    return max(low - 0.5, low / 2)
