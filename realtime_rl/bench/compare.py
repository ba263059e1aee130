"""Every algorithm and baseline on the same inference times, one of which is far too long."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from realtime_rl.bench.approaches import COMPARED, Approach
from realtime_rl.bench.live import LiveBench, measure
from realtime_rl.bench.planning import Expectation, plan
from realtime_rl.bench.progress import Stages
from realtime_rl.bench.recovery import Recovery, recovery
from realtime_rl.bench.usage import Used
from realtime_rl.bench.virtual import VirtualGraph, run_virtual
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.figures.accounting import account, settled
from realtime_rl.core.figures.schema import RunFigures
from realtime_rl.core.schedule.coordination_policy import CoordinationPolicy
from realtime_rl.core.schedule.planner import Prediction
from realtime_rl.policies.latency import Contention, Latency


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared."""

    expected: Expectation
    outlier: float
    """One inference in the middle of a run takes so many times as long; 0: none does."""
    duration_s: float
    settle_s: float
    """Runs first for so long, in which the schedule is found, and which does not count."""
    workers: int | None
    """For every approach; `None`: as many as each one needs."""
    live: LiveBench | None
    """How to run live (approach, workers and latency are filled in); `None`: in virtual time."""

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        if not (self.outlier == 0.0 or 1.0 < self.outlier <= 1000.0):
            raise ConfigError(f"--outlier: {self.outlier!r} must be 0 (none), or above 1 and at "
                              "most 1000")


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one approach."""

    approach: Approach
    workers: int
    planned: Prediction
    figures: RunFigures
    recovery: Recovery | None
    used: Used = field(default_factory=Used)
    runs: int = 1
    """How many were made, of which this was the calmest."""


def compare(comparison: Comparison, stages: Stages,
            approaches: Sequence[Approach] = COMPARED) -> Iterator[Row]:
    """Run one approach after the other."""
    with tempfile.TemporaryDirectory(prefix="realtime_rl-compare-") as name:
        for approach in approaches:
            found = plan(comparison.expected, approach, comparison.workers)
            planned = found.given or found.prediction
            latency = _latency(comparison, approach, planned.workers, Path(name))
            mode = "live" if comparison.live else "virtual time"
            stages.stage(f"{approach}, {planned.workers} workers, "
                         f"{comparison.duration_s:g} s, {mode}",
                         comparison.live.whole_s if comparison.live
                         else comparison.settle_s + comparison.duration_s)
            yield _run(comparison, approach, planned, latency, stages)


def _run(comparison: Comparison, approach: Approach, planned: Prediction, latency: Latency,
         stages: Stages) -> Row:
    expected, workers = comparison.expected, planned.workers
    if comparison.live is not None:
        measured = measure(replace(
            comparison.live, workers=str(workers), latency=str(latency),
            duration_s=comparison.duration_s, algorithm=approach.algorithm.word,
            dealing=approach.dealing.word), stages.update, stages.say)
        return Row(approach, workers, planned, measured.report.figures,
                   recovery(measured.report.run.records), measured.used, measured.runs)
    period_s = expected.period_ns / 1e9
    records = run_virtual(
        VirtualGraph(CoordinationPolicy(
            tuple(range(workers)), expected.period_ns, expected.handover_ns,
            algorithm=approach.algorithm, dealing=approach.dealing, quantile=expected.quantile),
            latency, round((comparison.settle_s + comparison.duration_s) / period_s),
            transport_ns=expected.handover_ns),
        lambda tick: stages.update(tick * period_s))
    figures = account(settled(records, comparison.settle_s), started=comparison.settle_s > 0)
    return Row(approach, workers, planned, figures, recovery(records))


def _latency(comparison: Comparison, approach: Approach, workers: int, folder: Path) -> Latency:
    """Return the latency with its outlier: a trace of the same draws for every approach."""
    if not comparison.outlier:
        return comparison.expected.latency
    expected = comparison.expected
    ticks = round((comparison.settle_s + comparison.duration_s) * 1e9 / expected.period_ns)
    durations = np.resize(expected.alone_ns, 2 * ticks + workers)
    load = float(expected.durations_ns(approach, workers).mean()) / expected.period_ns
    busy = 1 if approach.alone else workers
    middle_s = comparison.settle_s + comparison.duration_s / 2
    rate = min(1.0 if approach.staggered else np.inf, busy / load)
    middle = round(middle_s * 1e9 / expected.period_ns * rate)
    durations[min(middle, durations.size - 1)] *= comparison.outlier
    path = folder / f"{str(approach).replace(' ', '-')}.txt"
    path.write_text("\n".join(f"{duration / 1e9:.9f}" for duration in durations) + "\n",
                    encoding="utf-8")
    share = (f",contention={expected.latency.share!r}"
             if isinstance(expected.latency, Contention) else "")
    return Latency.parse(f"trace:{path}{share}")
