"""What a schedule will give, before it runs: delay, inaction, and the fewest workers it takes.

Durations go in as samples, whether they were measured or drawn from a distribution that a person
expects. The rules are those of `Schedule`, `WorkerPool` and `Arbiter`, without their bookkeeping,
so that a coordinator can afford to ask again every second. Durations count as independent: of
bursts it knows nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.enumerations import Algorithm, Dealing
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.schedule import slot_ends
from realtime_rl.core.schedule.stagger import ALONE, EAGER, HOLDING, promised_delay_ticks

Durations = NDArray[np.int64]
MOST_WORKERS = 4096
_TICKS = 2000
"""Ticks that are looked at: one missed action in them is an inaction of 0.0005."""
_EVENNESS = 0.005
"""Share of the ticks that may go without an action so that the others are even."""
_READY = 0.99
"""Share of actions that are ready when they are to leave."""
_LOOK_NS = 100_000_000
"""How often a coordinator looks at its window."""
_FALLS_AFTER = 300
"""Looks after which it lowers a delay; it raises one at once."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What is planned for."""

    period_ns: int
    handover_ns: int
    algorithm: Algorithm = Algorithm.MAX_TIME
    dealing: Dealing = Dealing.POOLED
    quantile: float = 0.95
    """`QUANTILE_TIME`: share of durations that the promised delay covers."""
    window: int = 1024
    """Durations that `T` rests on."""
    processes: int = 1
    """Pooled workers stand in for each other within their process only."""
    batch: int = 1
    """Observations that one run answers: each waits, with a worker of its own, for the last."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a number of workers will give."""

    workers: int
    inaction: float
    """Share of ticks at which no new action is applied."""
    delay_ticks: float
    """Mean delay of the applied actions [ticks]."""
    promised_delay_ticks: int
    """`D`; what holds for the mean duration where nothing is promised."""


def representative_ns(durations_ns: Sequence[int] | Durations, setting: Setting) -> int:
    """Return `T`, the duration that a schedule of this kind reckons with.

    `MAX_TIME`: the second largest, as one outlier does not count. `QUANTILE_TIME`: the quantile.
    Else the mean: Algorithm 2's expectation under `EXP_TIME`.
    """
    values = np.sort(np.asarray(durations_ns, np.int64))
    if setting.algorithm is Algorithm.MAX_TIME:
        return int(values[-2] if values.size > 1 else values[-1])
    if setting.algorithm is Algorithm.QUANTILE_TIME:
        return int(values[min(values.size - 1, int(setting.quantile * values.size))])
    return round(float(values.mean()))


def hold_ns(durations_ns: Sequence[int] | Durations, setting: Setting) -> int:
    """Return how long after its slot began an action is held, so that a stream of them is even.

    `MAX_TIME`: not for `T`, which only what is promised needs, but for so long that 99 % are ready.
    The others leave as soon as they are; what they leave of the promised delay is room for a
    message or a wake-up that comes late. `QUANTILE_TIME`: `T`, which is such a quantile.
    """
    duration_ns = representative_ns(durations_ns, setting)
    if setting.algorithm is not Algorithm.MAX_TIME:
        return duration_ns
    values = np.asarray(durations_ns, np.int64)
    return min(duration_ns, int(np.quantile(values, _READY, method="higher")))


def predict(durations_ns: Sequence[int] | Durations, workers: int, setting: Setting,
            ticks: int = _TICKS, *, cycle: int = 1,
            crowd: Callable[[int], float] | None = None) -> Prediction:
    """Say what `workers` will give when inferences take these durations, over and over.

    Args:
        durations_ns: samples; drawn from with a fixed seed, so that the answer is always the same.
        workers: how many infer.
        setting: period, hand-over, algorithm, dealing.
        ticks: how long to look, once the workers have settled.
        cycle: ticks in which each worker has one slot, when that is more than `workers`.
        crowd: `UNSTAGGERED`: by what factor an inference takes longer than these when so many are
            in flight as it starts, itself included: workers that begin together drift apart.
    """
    samples = np.asarray(durations_ns, np.int64)
    newest, _, first, promised = applications(samples, workers, setting, ticks, cycle=cycle,
                                              crowd=crowd)
    delays, forwarded = [], -1
    for applied in sorted(newest):
        if newest[applied] > forwarded:  # else it is late: a newer one was applied already
            forwarded = newest[applied]
            if first <= applied < first + ticks:
                delays.append(applied - forwarded)
    return Prediction(workers, 1.0 - len(delays) / ticks,
                      math.fsum(delays) / len(delays) if delays else 0.0,
                      int(np.median(promised)))


def applications(samples: Durations, workers: int, setting: Setting, ticks: int, *, cycle: int,
                 crowd: Callable[[int], float] | None = None
                 ) -> tuple[dict[int, int], list[int], int, list[int]]:
    """Return which observation's action can act at which ticks; arguments as of `predict`.

    Returns:
        The newest observation by the tick that its action can first act at; the ticks that were
        slots; the tick from which on the workers have settled; the promised delay by tick.
    """
    if samples.size == 0 or workers < 1:
        raise ConfigError(f"nothing to plan with: {samples.size} durations, {workers!r} workers")
    draws, first = _draws(samples, setting, ticks)
    promised = _promised_ticks(samples, draws, setting)
    newest: dict[int, int] = {}
    slots = []
    for tick, end_ns in _ends(draws, workers, max(cycle, workers), setting, crowd):
        slots.append(tick)
        applied = -(-(end_ns + setting.handover_ns) // setting.period_ns)
        if setting.algorithm in HOLDING:
            applied = max(applied, tick + promised[tick])
        newest[applied] = max(newest.get(applied, -1), tick)
    return newest, slots, first, promised


def required_workers(durations_ns: Sequence[int] | Durations, setting: Setting,
                     target: float = 0.005, ticks: int = _TICKS) -> int:
    """Return `N*`: the fewest workers with which no more than `target` of the ticks lack a worker.

    Under `EXP_TIME` actions bunch whatever the workers, so that idle workers are what counts, not
    inaction. `MOST_WORKERS` are returned where even they are too few.
    """
    samples = np.asarray(durations_ns, np.int64)
    if samples.size:
        shortest, longest = (max(1, -(-int(each) // setting.period_ns))
                             for each in (samples.min(), samples.max()))
        if shortest == longest and longest * target < 1.0:
            # each is free again just in time for its next slot, and one fewer would lack in turn
            return min(longest, MOST_WORKERS)
    draws, first = _draws(samples, setting, ticks)
    least = int(samples.mean() * (1.0 - target) // setting.period_ns)
    found = _search(lambda workers: _missed(draws, first, workers, setting) <= target, least)
    return MOST_WORKERS if found is None else found


def slot_cycle(durations_ns: Sequence[int] | Durations, workers: int, required: int,
               setting: Setting, ticks: int = _TICKS) -> int:
    """Return the ticks in which each of `workers` should have one slot, from `workers` to `N*`.

    Too few workers dealt `N` of every `N*` ticks act evenly. Where durations vary, that leaves
    them idle for most of the time between their slots, as `N*` answers for the longest ones:
    then more slots are dealt, though some find no worker.
    """
    if workers >= required:
        return workers
    samples = np.asarray(durations_ns, np.int64)
    draws, first = _draws(samples, setting, ticks)
    dealt = replace(setting, algorithm=Algorithm.EXP_TIME)
    step = max(1, (required - workers) // 8)
    candidates = [workers, *range(required, workers, -step)]
    taken = [sum(tick >= first for tick, _ in _ends(draws, workers, cycle, dealt))
             for cycle in candidates]
    enough = max(taken) - _EVENNESS * ticks
    best: int = max(cycle for cycle, count in zip(candidates, taken, strict=True)
                    if count >= enough)
    return best


def fewest_workers(durations_ns: Sequence[int] | Durations, setting: Setting,
                   target: float = 0.005, ticks: int = _TICKS) -> int | None:
    """Return the fewest workers whose inaction is `target` at most; `None` when no number does."""
    samples = np.asarray(durations_ns, np.int64)
    least = int(samples.mean() * (1.0 - target) // setting.period_ns)
    most = 1 if setting.algorithm in ALONE else min(MOST_WORKERS, 64 * (least + setting.batch))
    return _search(lambda workers: predict(samples, workers, setting, ticks).inaction <= target,
                   min(least, most), most)


def _search(suffices: Callable[[int], bool], least: int, most: int = MOST_WORKERS) -> int | None:
    """Return the smallest number from `least` (and 1) on that suffices, as all above it do."""
    low = high = min(most, max(1, least))
    while not suffices(high):
        if high >= most:
            return None
        low, high = high + 1, min(most, high + max(1, high // 4))
    while low < high:
        middle = (low + high) // 2
        if suffices(middle):
            high = middle
        else:
            low = middle + 1
    return high


def _missed(draws: list[int], first: int, workers: int, setting: Setting) -> float:
    """Share of slots from tick `first` on that find no worker when every tick is a slot."""
    dealt = replace(setting, algorithm=Algorithm.EXP_TIME)  # a baseline's workers take no slots
    taken = sum(tick >= first for tick, _ in _ends(draws, workers, workers, dealt))
    return 1.0 - taken / (len(draws) - first)


def _draws(samples: Durations, setting: Setting, ticks: int) -> tuple[list[int], int]:
    """Return a duration for each tick, and the tick from which on the workers have settled."""
    if samples.size == 0:
        raise ConfigError("nothing to plan with: no durations")
    typical_ns = max(2 * float(samples.mean()), representative_ns(samples, setting))
    first = int(typical_ns // setting.period_ns) + 1 + setting.batch
    drawn: list[int] = np.random.default_rng(0).choice(samples, first + ticks).tolist()
    return drawn, first


def _ends(draws: list[int], workers: int, cycle: int, setting: Setting,
          crowd: Callable[[int], float] | None = None) -> Iterator[tuple[int, int]]:
    """Yield tick and end [ns] of every inference."""
    if setting.algorithm in ALONE:
        return (slot_ends.eager(draws, 1, setting.period_ns) if setting.algorithm in EAGER
                else slot_ends.pooled(draws, 1, 1, 1, setting.period_ns))
    if setting.algorithm in EAGER:
        return slot_ends.eager(draws, workers, setting.period_ns, crowd)
    if setting.batch > 1:
        return slot_ends.batched(draws, workers, setting.batch, setting.period_ns)
    if setting.dealing is Dealing.FIXED:
        return slot_ends.fixed(draws, workers, cycle, setting.period_ns)
    return slot_ends.pooled(draws, workers, cycle, min(setting.processes, workers),
                            setting.period_ns)


def _promised_ticks(samples: Durations, draws: list[int], setting: Setting) -> list[int]:
    """`D` at each tick, as a coordinator sets it: from the newest window, and falling late."""
    def promised(durations: Durations) -> int:
        return setting.batch - 1 + promised_delay_ticks(
            representative_ns(durations, setting), setting.handover_ns, setting.period_ns)

    if samples.size <= setting.window:
        return [promised(samples)] * len(draws)
    look = max(1, _LOOK_NS // setting.period_ns)
    before = np.random.default_rng(1).choice(samples, setting.window + _FALLS_AFTER * look)
    history = np.concatenate([before, np.asarray(draws, np.int64)])
    windows = np.lib.stride_tricks.sliding_window_view(history, setting.window)[::look]
    wanted = np.array([promised(window) for window in windows])
    settled = np.lib.stride_tricks.sliding_window_view(wanted, _FALLS_AFTER).max(axis=1)
    ticks: list[int] = np.repeat(settled, look)[:len(draws)].tolist()
    return ticks
