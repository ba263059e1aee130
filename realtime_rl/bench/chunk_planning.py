"""What a chunk of actions and a number of workers give together."""

from __future__ import annotations

from dataclasses import dataclass, replace

from realtime_rl.bench.approaches import Approach
from realtime_rl.bench.planning import Expectation, plan
from realtime_rl.core.enumerations import Algorithm
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.schedule.horizon import (
    ChunkPrediction,
    interval,
    predict_chunks,
    workers_needed,
)

_TICKS = 6000


@dataclass(frozen=True, slots=True)
class ChunkPlan:
    """What chunks of one length give, by number of workers."""

    horizon: int
    """Ticks after its observation that a chunk has rows for."""
    required_workers: int
    """With which every tick is a slot: more give nothing further."""
    rows: tuple[ChunkPrediction, ...]
    """With as few workers as each interval between chunks takes, fewest first."""
    given: ChunkPrediction | None
    """With the number of workers that was asked for."""
    apart: int = 0
    """Chunks begin so many ticks apart, as what acts until they can is to be settled; 0: as soon
    as there is a worker."""

    @property
    def enough(self) -> ChunkPrediction | None:
        """The fewest workers that leave no tick without an action; `None`: no number does."""
        return next((row for row in self.rows if row.rows_needed <= self.horizon), None)


def plan_chunks(expected: Expectation, horizon: int, workers: int | None = None, *,
                prefix: bool = False) -> ChunkPlan:
    """Plan for chunks of `horizon` ticks, and say what `workers` would give.

    `prefix`: the policy is told what acts until its chunk can, and that is to be settled.
    `ConfigError` where the accelerator is so shared that no number of workers is enough.
    """
    approach = Approach(Algorithm.MAX_TIME)
    required = plan(expected, approach).required_workers
    if required is None:
        raise ConfigError("--chunk: no number of workers starts an inference at every tick on "
                          "this accelerator, as each slows the others; leave --chunk out to see "
                          "what it gives")

    def predicted(number: int, every: int = 1) -> ChunkPrediction:
        found = predict_chunks(
            expected.durations_ns(approach, number), min(number, required),
            expected.setting(approach), horizon, required, every=every, ticks=_TICKS)
        return replace(found, workers=number)

    if prefix:
        delay = predicted(1).delay
        return ChunkPlan(horizon, required, (predicted(workers_needed(required, delay), delay),),
                         None if workers is None else predicted(workers, delay), delay)
    fewest = {interval(number, required): number for number in range(required, 0, -1)}
    return ChunkPlan(horizon, required, tuple(map(predicted, sorted(fewest.values()))),
                     None if workers is None else predicted(workers))
