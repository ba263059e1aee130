"""How long a chunk of actions must be, and what further workers buy: fresher feedback.

`delay` `D`: ticks from an observation to the first tick that its chunk may act at. `every` `s`:
ticks between two chunks that are adopted. `horizon` `H`: the ticks after its observation up to
which a chunk has rows. A chunk acts from `k + D` to `k + D + s - 1`, so that no tick is without an
action where `H >= D + s - 1`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from realtime_rl.core.schedule.planner import Durations, Setting, applications, slot_cycle

_TICKS = 2000


def rows_needed(delay: int, every: int, lost: int = 0) -> int:
    """Return the horizon that leaves no tick without an action, also where `lost` chunks fail."""
    return delay + every - 1 + lost * every


def workers_needed(cycle: int, every: int) -> int:
    """Return how many workers it takes to begin a chunk every so many ticks.

    Each worker takes `cycle` ticks from one chunk to its next; with constant durations that is
    `D`, or one less.
    """
    return -(-cycle // every)


def interval(workers: int, cycle: int) -> int:
    """Return the ticks between two chunks of so many workers, at most, dealt evenly."""
    return max(1, -(-cycle // workers))


def feedback_age(delay: int, every: int) -> tuple[int, int]:
    """Return how old the observation is that acts, at least and at most [ticks]."""
    return delay, delay + every - 1


def shortage(horizon: int, delay: int, workers: int, cycle: int, required: int, *, apart: int = 0
             ) -> str:
    """Say that a chunk is too short for what is promised, and what would do; empty: it is not.

    Args:
        horizon: of the chunk [ticks].
        delay: promised, `D` [ticks].
        workers: that take slots.
        cycle: ticks in which each has one slot.
        required: workers with which every tick would be a slot, `N*`, or as many as a chunk takes
            ticks to compute.
        apart: chunks are kept so many ticks apart, at least, however many workers there are.
    """
    every = interval(workers, cycle)
    needed = rows_needed(delay, every)
    if horizon >= needed:
        return ""
    longest = horizon - delay + 1
    instead = (f"; no number of workers is enough for fewer than {rows_needed(delay, apart or 1)}"
               if longest < max(1, apart) else
               f", or {workers_needed(required, longest)} workers")
    return (f"a chunk reaches {horizon} ticks, which is too short: it acts {delay} ticks after its "
            f"observation and the next one {every} tick(s) later ({workers} worker(s)): "
            f"{needed} would do{instead}")


@dataclass(frozen=True, slots=True)
class ChunkPrediction:
    """What a number of workers will give with chunks."""

    workers: int
    every: float
    """Between two chunks that act [ticks], in the mean."""
    delay: int
    """`D`, promised [ticks]."""
    inaction: float
    """Share of the ticks for which no chunk has a row."""
    age_mean: float
    """Of the observation that acts [ticks]; NaN where none ever does."""
    age_p95: float
    tails: float
    """Share of the ticks at which a newer chunk was promised, and did not come in time."""
    rows_needed: int
    """The horizon that leaves no tick without an action."""
    rows_for_a_loss: int
    """The same where one chunk fails."""


def predict_chunks(durations_ns: Sequence[int] | Durations, workers: int, setting: Setting,
                   horizon: int, required: int, *, every: int = 1, ticks: int = _TICKS
                   ) -> ChunkPrediction:
    """Say what `workers` will give when inferences take these durations, over and over.

    Args:
        durations_ns: samples, as `planner.predict` takes them.
        workers: how many infer.
        setting: period, hand-over, algorithm, dealing.
        horizon: of the chunks [ticks].
        required: `N*`, workers with which every tick is a slot.
        every: ticks between two chunks at least, where more workers are there than that takes.
        ticks: how long to look.
    """
    samples = np.asarray(durations_ns, np.int64)
    cycle = max(slot_cycle(samples, workers, required, setting), workers * every)
    newest, dealt, first, promised = applications(samples, workers, setting, ticks, cycle=cycle)
    wanted = {tick + promised[tick]: tick for tick in dealt}
    ages, tails, acting, expected, needed = [], 0, -1, -1, 1
    adopted: list[int] = []
    for tick in range(first + ticks):
        newer = newest.get(tick, -1) > acting
        acting = max(acting, newest.get(tick, -1))
        expected = max(expected, wanted.get(tick, -1))
        if tick >= first:
            adopted += [tick] * newer
            needed = max(needed, tick - acting)
            if acting >= 0 and tick - acting <= horizon:
                ages.append(tick - acting)
                tails += acting < expected
    longest = int(np.diff(adopted).max(initial=1))
    return ChunkPrediction(
        workers, ticks / max(1, len(adopted)), int(np.median(promised)),
        1.0 - len(ages) / ticks, math.fsum(ages) / len(ages) if ages else math.nan,
        float(np.percentile(ages, 95)) if ages else math.nan, tails / ticks, needed,
        needed + longest)
