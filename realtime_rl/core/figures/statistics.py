"""Distributions as the figures give them, and what the figures count: sessions, gaps, episodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypedDict, overload

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.enumerations import Fate
from realtime_rl.core.messages.pairs import last_equal, last_rows
from realtime_rl.core.messages.records import Timestep, Verdict
from realtime_rl.core.messages.table import Table
from realtime_rl.core.types import Cause

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_SLACK_PERIODS, _SLACK_S = 8, 0.25
"""A verdict is given so many ticks after another one of a later arrival, or so long, at most."""
_MOST_KEYS = 2**61
_FIRST_LOOK = 64
"""Rows that are looked at together; where nothing is found, twice as many the next time."""


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
class Episodes:
    """Episodes that were seen from their first tick to their last."""

    firsts: NDArray[np.intp]
    """Rows of their first ticks."""
    lasts: NDArray[np.intp]
    """Rows of their last ticks."""
    returns: Floats
    """Undiscounted."""

    def __len__(self) -> int:
        """Return how many there are."""
        return self.returns.size


class Sessions(Sequence[Table[Timestep]]):
    """The ticks of a plant, cut where it was started again. Tick numbers rise within each part."""

    def __init__(self, ticks: Table[Timestep], begins: NDArray[np.intp]) -> None:
        """Take all ticks, and the first row of each part."""
        self.ticks = ticks
        self._edges = np.append(begins, len(ticks))

    def __len__(self) -> int:
        """Return how many parts there are."""
        return self._edges.size - 1

    @overload
    def __getitem__(self, place: int) -> Table[Timestep]: ...
    @overload
    def __getitem__(self, place: slice) -> list[Table[Timestep]]: ...
    def __getitem__(self, place: int | slice) -> Table[Timestep] | list[Table[Timestep]]:
        """Return the ticks of a part."""
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        at = range(len(self))[place]
        return self.ticks[int(self._edges[at]):int(self._edges[at + 1])]

    @property
    def first_rows(self) -> NDArray[np.intp]:
        """The row of the first tick of each part."""
        return self._edges[:-1]

    @property
    def last_rows(self) -> NDArray[np.intp]:
        """The row of the last tick of each part."""
        return self._edges[1:] - 1

    def of_rows(self) -> NDArray[np.intp]:
        """Return the part that each tick is in."""
        return np.repeat(np.arange(len(self)), np.diff(self._edges))

    def together(self) -> Flags:
        """Whether each tick but the first is in the same part as the one before it."""
        same = np.ones(max(0, len(self.ticks) - 1), np.bool_)
        same[self._edges[1:-1] - 1] = False
        return same

    def find(self, parts: NDArray[np.intp], ticks: Ints) -> NDArray[np.intp]:
        """Return the rows of tick numbers in parts; -1 where there is none."""
        mine = self.ticks.ints("tick")
        low, high = (int(mine.min()), int(mine.max())) if mine.size else (0, -1)
        span = high - low + 1
        if span * len(self) >= _MOST_KEYS:
            return last_rows((self.of_rows(), mine), (parts, ticks))
        return np.where((low <= ticks) & (ticks <= high), last_equal(
            self.of_rows() * span + (mine - low), parts * span + (ticks - low)), -1)


def distribution(values: Iterable[float] | NDArray[np.generic]) -> Distribution:
    """Describe `values`; those that are not finite say nothing and are left out.

    `std` is the population's, percentiles are interpolated linearly.
    """
    array = (values.astype(np.float64) if isinstance(values, np.ndarray)
             else np.fromiter(values, np.float64))
    array = array[np.isfinite(array)]
    if array.size == 0:
        return Distribution(mean=None, std=None, p50=None, p95=None, p99=None, max=None, n=0)
    p50, p95, p99 = (float(value) for value in np.percentile(array, (50, 95, 99)))
    return Distribution(mean=float(array.mean()), std=float(array.std()), p50=p50, p95=p95,
                        p99=p99, max=float(array.max()), n=int(array.size))


def plant_sessions(timesteps: Sequence[Timestep]) -> Sessions:
    """Cut ticks, in the order in which they were recorded, where the plant was started again.

    Tick numbers rise within each part. A tick that was recorded twice is kept once.
    """
    steps = Table.of(Timestep, timesteps)
    ticks, stamps_ns = steps.ints("tick"), steps.ints("stamp_ns")
    risen = np.diff(ticks, prepend=-1)
    begins = (risen < 0) | ((risen == 0) & (np.diff(stamps_ns, prepend=-1) != 0))
    begins[:1] = True
    kept = begins | (risen != 0)
    return Sessions(steps.where(kept), np.flatnonzero(begins[kept]))


def gaps(sessions: Sessions) -> Iterator[range]:
    """Runs of tick numbers that were not recorded, between ticks that were."""
    ticks = sessions.ticks.ints("tick")
    for row in np.flatnonzero(sessions.together() & (np.diff(ticks) > 1)).tolist():
        yield range(int(ticks[row]) + 1, int(ticks[row + 1]))


def startup_length(timesteps: Sequence[Timestep]) -> int:
    """How many ticks came before the first one at which a policy's action was applied."""
    acted = Table.of(Timestep, timesteps).equal("cause", Cause.POLICY)
    return int(acted.argmax()) if acted.any() else acted.size


def episodes_of(sessions: Sessions) -> Episodes:
    """Episodes that lie in one session of the plant from their first tick to their last."""
    steps = sessions.ticks
    first, last = steps.flags("first"), steps.flags("last")
    follows = np.ones(len(steps), np.bool_)
    follows[1:] = sessions.together() & (np.diff(steps.ints("tick")) == 1)
    ended = np.zeros(len(steps), np.bool_)
    ended[1:] = last[:-1]
    begun = _newest(first)
    lasts = np.flatnonzero(last & (begun >= 0) & (_newest(~first & ~follows) < begun)
                           & (_newest(ended) <= begun))
    firsts = begun[lasts]
    rewards = steps.floats("reward")
    with np.errstate(invalid="ignore", over="ignore"):
        returns = [float(np.cumsum(rewards[begin:end + 1])[-1]) + 0.0
                   for begin, end in zip(firsts.tolist(), lasts.tolist(), strict=True)]
    return Episodes(firsts, lasts, np.array(returns, np.float64))


def _newest(marked: Flags) -> NDArray[np.intp]:
    """Return for each row the newest marked one up to it; -1: there is none."""
    rows = np.where(marked, np.arange(marked.size), -1)
    return np.maximum.accumulate(rows) if rows.size else rows


def arrivals(verdicts: Sequence[Verdict], period_s: float) -> list[Floats]:
    """Arrival times of all received actions from the first applied one on, sorted [s].

    Cut where the actuator was started again: its clock begins at 0 there. The verdict on an
    action comes some ticks after its arrival, so that a small step back is no new beginning;
    a large one is, when the stream goes on from there.
    """
    table = Table.of(Verdict, verdicts)
    times = table.floats("arrival_s")
    received = ~table.equal("fate", Fate.DEFAULTED) & np.isfinite(times)
    applied = received & table.equal("fate", Fate.APPLIED)
    if not applied.any():
        return []
    received[:applied.argmax()] = False
    times = times[received]
    slack_s = max(_SLACK_PERIODS * period_s, _SLACK_S)
    sessions: list[Floats] = []
    begin = 0
    while begin < times.size:
        end = _until_restart(times, begin, slack_s)
        sessions.append(times[begin:end])
        begin = end
    sessions[0] = sessions[0][sessions[0] >= times[0]]
    return [np.sort(session, kind="stable") for session in sessions]


def _until_restart(times: Floats, begin: int, slack_s: float) -> int:
    """Return the next row after `begin` at which the actuator's clock began anew, or the end."""
    newest, row, size = times[begin], begin + 1, _FIRST_LOOK
    while row < times.size:
        end = min(row + size, times.size)
        floors = np.maximum.accumulate(np.append(newest, times[row:end]))
        newest, floors = floors[-1], floors[:-1] - slack_s
        following = times[row + 1:end + 1]
        if following.size < end - row:  # nothing follows the last one but itself
            following = np.append(following, times[-1])
        again = (times[row:end] < floors) & (following < floors)
        if again.any():
            return row + int(again.argmax())
        row, size = end, 2 * size
    return row
