"""How the rows that several chunks have for one tick become one action."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from realtime_rl.core.enumerations import MergeRule, Reason
from realtime_rl.core.errors import ConfigError, choices
from realtime_rl.core.types import Action, ActionSpace

_REASONS = {"malformed": Reason.MALFORMED, "non_finite": Reason.NON_FINITE,
            "out_of_range": Reason.OUT_OF_RANGE}


@dataclass(frozen=True, slots=True)
class Chunk:
    """What a policy says for some ticks that follow each other."""

    rows: tuple[Action, ...]
    """One or more."""
    first_offset: int = 1
    """The first row is meant for so many ticks after the observation's."""

    def __post_init__(self) -> None:
        """Refuse a chunk of nothing."""
        if not self.rows:
            raise ConfigError("a chunk has one row or more")


@dataclass(frozen=True, slots=True)
class Merge:
    """How chunks meet."""

    rule: MergeRule = MergeRule.NEWEST
    decay: float = 0.01
    """`ENSEMBLE`: chunk `i` counts `exp(-decay * i)`, in [0, 100]."""
    oldest_first: bool = True
    """`ENSEMBLE`: chunk 0 is the oldest, as ACT has it; else the newest."""
    blend_rows: int = 4
    """`BLEND`: rows over which the newest chunk takes over, 1 or more."""
    newest_only: tuple[str, ...] = ()
    """Dimensions that are not merged, by name: the newest chunk's value acts."""

    def check(self, space: ActionSpace, indivisible: Sequence[str] = ()) -> None:
        """Refuse what would average values of which no mean makes sense.

        Args:
            space: the actions.
            indivisible: dimensions that are declared binary or angular, by name.

        Raises:
            ConfigError: a name is no dimension; choices, or such a dimension, would be averaged.
        """
        for name in (*self.newest_only, *indivisible):
            if name not in space.labels:
                raise ConfigError(f"chunk dimension {name!r} is not one of "
                                  f"{choices(space.labels)}")
        if not self.averages:
            return
        if space.discrete:
            raise ConfigError(f"chunk_merge {self.rule.word!r}: choices have no mean; discrete "
                              "actions take 'newest'")
        averaged = [name for name in indivisible if name not in self.newest_only]
        if averaged:
            raise ConfigError(f"chunk_merge {self.rule.word!r}: {choices(averaged)} is declared "
                              "binary or an angle, which has no mean; name it in "
                              "chunk_newest_only, or take 'newest'")

    @property
    def averages(self) -> bool:
        """Whether it makes values that no chunk holds."""
        return self.rule in (MergeRule.ENSEMBLE, MergeRule.BLEND)

    def merged(self, rows: Sequence[Action], executed: int, space: ActionSpace
               ) -> tuple[Action, int]:
        """Make one action of the rows that chunks have for a tick.

        Args:
            rows: newest chunk first; one or more.
            executed: for how many ticks the newest chunk acted before this one.
            space: the actions.

        Returns:
            The action, and how many chunks took part.
        """
        weights = self._weights(len(rows), executed)
        if len(weights) == 1:
            return rows[0], 1
        mean = weights @ np.array(rows[:len(weights)], np.float64)
        kept = set(self.newest_only)
        low, high = np.array(space.low), np.array(space.high)
        return tuple(newest if name in kept else value for name, newest, value in zip(
            space.labels, rows[0], np.clip(mean, low, high).tolist(), strict=True)), len(weights)

    def _weights(self, count: int, executed: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Of the newest chunks first, which sum to 1; those beyond take no part."""
        if self.rule is MergeRule.ENSEMBLE and count > 1:
            places = np.arange(count, dtype=np.float64)
            weights = np.exp(-self.decay * (places[::-1] if self.oldest_first else places))
            return np.asarray(weights / weights.sum())
        if self.rule is MergeRule.BLEND and count > 1 and executed < self.blend_rows:
            share = (executed + 1) / (self.blend_rows + 1)
            return np.array([share, 1.0 - share])
        return np.ones(1)


NEWEST = Merge()


def reason(problem: str | None) -> Reason:
    """Return the reason of what an action space says of an action."""
    return Reason.NONE if problem is None else _REASONS[problem]


def problem(rows: Sequence[Action], space: ActionSpace) -> Reason:
    """Say what is wrong with the rows of a chunk; `NONE` where each of them is in the space."""
    try:
        values = np.array(rows, np.float64)
    except ValueError:
        return Reason.MALFORMED
    size = 1 if space.discrete else space.size
    if values.ndim != 2 or values.shape[1] != size:
        return Reason.MALFORMED
    if not space.discrete and np.isfinite(values).all() and bool(
            ((values >= space.low) & (values <= space.high)).all()):
        return Reason.NONE
    for row in rows:  # the rounding at the limits, and choices, are judged as single actions are
        found = reason(space.problem(row))
        if found is not Reason.NONE:
            return found
    return Reason.NONE
