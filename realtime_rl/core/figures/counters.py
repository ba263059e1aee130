"""What a plant counts beside the reward: a figure for each of its counters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.figures.schema import CounterFigures
from realtime_rl.core.figures.statistics import Episodes, Floats, Sessions, distribution
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.messages.table import Table

MOST = 64
"""Counters of a plant that are told of."""
_SEPARATOR = ","


def joined(names: tuple[str, ...]) -> str:
    """Write the names of counters as `Timestep.counted` has them."""
    return _SEPARATOR.join(names)


def names_of(counted: str) -> list[str]:
    """Return the names of counters that a timestep says."""
    return counted.split(_SEPARATOR)[:MOST] if counted else []


def increments(sessions: Sessions) -> dict[str, Floats]:
    """Return by how much each counter rose at each tick; NaN where its tick does not say.

    A counter begins at 0 with an episode. What was counted at ticks that were not recorded counts
    at the next one of the episode, but before the first tick of all.
    """
    ticks = sessions.ticks
    found: dict[str, Floats] = {}
    for counted in ticks.texts("counted"):
        rows = np.flatnonzero(ticks.is_text("counted", counted))
        values = _values(ticks, rows)
        begins = _begins(sessions, rows)
        for place, name in enumerate(names_of(counted)[:values.shape[1]]):
            rose = np.diff(values[:, place], prepend=0.0)
            rose[begins] = values[begins, place]
            rose[:1] *= ticks.flags("first")[rows[:1]]  # counted before the records begin
            found.setdefault(name, np.full(len(ticks), np.nan))[rows] = rose
    return found


def counter_figures(sessions: Sessions, episodes: Episodes) -> dict[str, CounterFigures]:
    """Return the figures of each counter, by name."""
    found = {}
    for name, rose in increments(sessions).items():
        known = np.where(np.isfinite(rose), rose, 0.0)
        summed = np.cumsum(known)
        whole = [float(summed[last] - summed[first] + known[first]) for first, last in
                 zip(episodes.firsts.tolist(), episodes.lasts.tolist(), strict=True)]
        found[name] = CounterFigures(total=float(known.sum()), per_episode=distribution(whole))
    return found


def in_words(totals: Mapping[str, float]) -> str:
    """Write what was counted in one line."""
    return ", ".join(f"{name} {total:,.10g}" for name, total in totals.items())


class Totals:
    """The same from tick to tick: what each counter counted since the first tick that was seen."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self._before: tuple[float, ...] = ()
        self._episode = -1
        self.totals: dict[str, float] = {}

    def add(self, names: tuple[str, ...] | list[str], values: tuple[float, ...], episode: int
            ) -> None:
        """Take in a tick of an episode."""
        if episode != self._episode or len(self._before) != len(values):
            self._before, self._episode = (0.0,) * len(values), episode
        for name, now, before in zip(names, values, self._before, strict=False):
            self.totals[name] = self.totals.get(name, 0.0) + now - before
        self._before = values


def _values(ticks: Table[Timestep], rows: NDArray[np.intp]) -> Floats:
    return ticks.rows("counters", MOST)[rows]


def _begins(sessions: Sessions, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether each row is the first of its episode among them."""
    episodes, parts = sessions.ticks.ints("episode")[rows], sessions.of_rows()[rows]
    begins = (np.diff(episodes, prepend=-2) != 0) | (np.diff(parts, prepend=-2) != 0)
    return np.asarray(begins | sessions.ticks.flags("first")[rows])
