"""What a latency that a person expects will take: the planner's answers for every approach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from realtime_rl.bench.approaches import Approach
from realtime_rl.core.enumerations import Algorithm
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.schedule.planner import (
    MOST_WORKERS,
    Durations,
    Prediction,
    Setting,
    fewest_workers,
    predict,
    required_workers,
    slot_cycle,
)
from realtime_rl.policies.latency import Latency, NoLatency

_SAMPLES = 20_000
_TICKS = 20_000
_ROUNDS = 10_000


@dataclass(frozen=True)
class Expectation:
    """What is planned for. A trace counts up to its 20,000th duration."""

    latency: Latency
    period_ns: int
    handover_ns: int = 2_000_000
    quantile: float = 0.95
    processes: int = 1
    target: float = 0.005
    """Share of the ticks that may lack a worker."""

    def __post_init__(self) -> None:
        """Refuse what nothing can be said about."""
        if isinstance(self.latency, NoLatency):
            raise ConfigError("latency 'none': nothing to plan with; give the inference time, "
                              "as in constant:95ms or trace:FILE")

    @cached_property
    def alone_ns(self) -> Durations:
        """Durations of inferences that are alone on their accelerator [ns]."""
        rng = np.random.default_rng(0)
        # a trace goes on from where it is: read it from its beginning
        latency = Latency.parse(str(self.latency))
        return np.array([latency.sample(rng) for _ in range(_SAMPLES)], np.int64)

    def setting(self, approach: Approach) -> Setting:
        """What the planner needs to know."""
        return Setting(self.period_ns, self.handover_ns, approach.algorithm, approach.dealing,
                       self.quantile, processes=self.processes)

    def durations_ns(self, approach: Approach, workers: int) -> Durations:
        """Durations of inferences among those of the other workers [ns]."""
        slowdown = self.latency.slowdown(self._in_flight(approach, workers))
        return np.round(self.alone_ns * slowdown).astype(np.int64)

    def crowd(self, approach: Approach, workers: int) -> Callable[[int], float] | None:
        """How much longer than `durations_ns` one takes among so many; `None`: no matter."""
        whole = self.latency.slowdown(workers)
        if approach.staggered or approach.alone or whole == 1.0:
            return None
        return lambda in_flight: self.latency.slowdown(in_flight) / whole

    def bearable(self) -> bool:
        """Whether inferences in flight slow each other so little that adding workers helps."""
        return self._in_flight(None, MOST_WORKERS) < MOST_WORKERS

    def _in_flight(self, approach: Approach | None, workers: int) -> float:
        """How many are in flight when one starts, itself included: where load and speed agree."""
        if approach is not None and not approach.staggered:
            return 1.0 if approach.alone else float(workers)
        number = 1.0
        for _ in range(_ROUNDS):
            taken_ns = self.alone_ns * self.latency.slowdown(number)
            # one begins each period: those of the periods before that are not over, and itself
            following = min(float(workers), float(np.ceil(taken_ns / self.period_ns).mean()))
            if following - number < 1e-6:
                break
            number = following
        return number


@dataclass(frozen=True, slots=True)
class Plan:
    """What one approach needs and gives."""

    approach: Approach
    required_workers: int | None
    """The fewest that the target takes; `None` where no number is enough."""
    prediction: Prediction
    """With as many workers as required; where none is enough, with as many as make sense."""
    given: Prediction | None
    """With the number of workers that was asked for."""


def plan(expected: Expectation, approach: Approach, workers: int | None = None) -> Plan:
    """Plan for one approach, and say what `workers` would give."""
    required = _required(expected, approach)
    sensible = required or _sensible(expected, approach)
    return Plan(approach, required, predicted(expected, approach, sensible),
                None if workers is None else predicted(expected, approach, workers, required))


def predicted(expected: Expectation, approach: Approach, workers: int,
              required: int | None = None) -> Prediction:
    """Say what `workers` give; with fewer than `required`, slots are dealt as a schedule does."""
    number = 1 if approach.alone else workers
    setting = expected.setting(approach)
    durations = expected.durations_ns(approach, number)
    cycle = (slot_cycle(durations, number, required, setting)
             if required is not None and approach.staggered else 1)
    return predict(durations, number, setting, _TICKS, cycle=cycle,
                   crowd=expected.crowd(approach, number))


def _required(expected: Expectation, approach: Approach) -> int | None:
    if approach.staggered and not expected.bearable():
        return None
    setting = expected.setting(approach)
    if not approach.staggered:
        # the others of a crowd are not known before its size is: its durations alone are a bound
        return fewest_workers(expected.alone_ns, setting, expected.target)
    durations = expected.durations_ns(approach, MOST_WORKERS)
    found = required_workers(durations, setting, expected.target, _TICKS)
    return None if found >= MOST_WORKERS else found


def _sensible(expected: Expectation, approach: Approach) -> int:
    """How many workers to predict for where no number is enough."""
    if approach.alone:
        return 1
    if expected.bearable():
        like = Approach(Algorithm.MAX_TIME)
        return required_workers(expected.durations_ns(like, MOST_WORKERS), expected.setting(like),
                                expected.target)
    # nine tenths of what the shared accelerator can ever give
    share = expected.latency.slowdown(2) - 1.0
    return max(1, min(MOST_WORKERS, round(9.0 * (1.0 - share) / share)))
