"""Realtime regret, taken apart as Theorem 1 of arXiv 2412.14355 does it, of episodes of a run.

What an episode would have given is compared with what it gave. Between the reference, whose world
waits for it, and the recording stand three that change one thing at a time, so that the differences
add up to the whole.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.figures.intervals import Interval, mean_of

TERMS = {
    "learning": "what acts is worse than the reference, where the world waits for both",
    "delay": "it acts on observations that are so many ticks old",
    "inaction": "at some ticks it does not act",
    "rest": "it explored, a person acted, or what cannot be repeated"}
"""The terms of the regret, in their order, and what each is for."""


@dataclass(frozen=True, slots=True)
class Returns:
    """Undiscounted returns of one episode from its recorded beginning on."""

    tick: int
    """The first."""
    began_s: float
    """Since the beginning of the recording."""
    reference: float
    """The reference at delay 1, acting at every tick."""
    alone: float
    """What acted, at delay 1, acting at every tick."""
    delayed: float
    """What acted, at the delays that were measured, acting at every tick."""
    inactive: float
    """The same, but for the ticks at which it did not act."""
    recorded: float
    """What was recorded."""

    @property
    def terms(self) -> dict[str, float]:
        """The terms, which add up to `reference - recorded`."""
        steps = (self.reference, self.alone, self.delayed, self.inactive, self.recorded)
        return {name: before - after for name, before, after
                in zip(TERMS, steps, steps[1:], strict=False)}

    @property
    def regret(self) -> float:
        """By how much less it gave than the reference would have."""
        return self.reference - self.recorded


@dataclass(frozen=True, slots=True)
class Decomposition:
    """The regret of a run: means an episode with paired intervals, and its course."""

    episodes: tuple[Returns, ...]

    @property
    def means(self) -> dict[str, Interval]:
        """Mean of each term over the episodes, each of which is compared with itself."""
        return {name: mean_of([each.terms[name] for each in self.episodes]) for name in TERMS}

    @property
    def regret(self) -> Interval:
        """Mean of the whole."""
        return mean_of([each.regret for each in self.episodes])

    @property
    def cumulated(self) -> dict[str, NDArray[np.float64]]:
        """Each term, summed up over the episodes so far: an array an episode long."""
        return {name: np.cumsum([each.terms[name] for each in self.episodes]) for name in TERMS}


@dataclass(frozen=True, slots=True)
class Pattern:
    """When an episode was acted on, tick by tick; tick 0 is its first, which takes no action."""

    delays: tuple[int, ...]
    """Of the action that was applied, in ticks; of a tick without, the newest before it."""
    acted: tuple[bool, ...]
    """Whether a policy's action was applied."""
    versions: tuple[int, ...]
    """Of the policy whose action was applied; of a tick without, the newest before it."""

    def place(self, tick: int) -> int:
        """Return where a tick is: beyond the recorded end it begins anew, without tick 0."""
        if tick < len(self.delays):
            return tick
        return 1 + (tick - 1) % (len(self.delays) - 1) if len(self.delays) > 1 else 0


def pattern_of(ticks: Sequence[int], observed: Sequence[int], acted: Sequence[bool],
               versions: Sequence[int], before: tuple[int, int]) -> Pattern:
    """Return the pattern of an episode.

    Args:
        ticks: its ticks, which follow each other.
        observed: the ticks of the observations that the applied actions answer.
        acted: whether a policy's action was applied.
        versions: of the policies.
        before: delay and version to begin with, where no action was applied yet.
    """
    delay, version = before
    delays, used = [], []
    for tick, answered, acts, of in zip(ticks, observed, acted, versions, strict=True):
        if acts:
            delay, version = max(1, tick - answered), of
        delays.append(delay)
        used.append(version)
    return Pattern(tuple(delays), tuple(acted), tuple(used))


def unknown(tick: int, began_s: float, recorded: float) -> Returns:
    """What is known of an episode that cannot be played once more."""
    return Returns(tick, began_s, math.nan, math.nan, math.nan, math.nan, recorded)
