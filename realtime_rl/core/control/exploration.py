"""Temporally extended ε-greedy exploration that staggered workers agree on without talking.

Whether a tick explores, and with which action, is a pure function of the tick: time is cut into
segments of `hold_ticks`, and a hash of seed and segment decides. At 60 ticks a second a random
action of one tick moves nothing; one that is held goes somewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.types import Action, ActionSpace

LEARNER, OFF = "learner", "off"
_MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Exploration:
    """Whether actions explore, and who says how much. `str()` gives the text that `parse` reads."""

    share: float | None = 0.0
    """Share of the time [0, 1]; `None`: what the policy says that its learner wants."""

    @staticmethod
    def parse(text: str) -> Exploration:
        """Read `learner`, `off` or a share; `ConfigError` for anything else."""
        if text in (LEARNER, OFF):
            return Exploration(None if text == LEARNER else 0.0)
        try:
            share = float(text)
        except ValueError:
            share = -1.0
        if not 0.0 <= share <= 1.0:
            raise ConfigError(f"exploration: {text!r} is not 'learner', 'off' or a share from 0 "
                              "to 1")
        return Exploration(share)

    def epsilon(self, wanted: float) -> float:
        """Return ε in force where the policy says that its learner wants `wanted`."""
        return wanted if self.share is None else self.share

    def __str__(self) -> str:
        """Write it as `learner`, `off` or `0.05`."""
        return LEARNER if self.share is None else f"{self.share:g}" if self.share else OFF


def explore(
    tick: int, epsilon: float, hold_ticks: int, seed: int, actions: ActionSpace
) -> Action | None:
    """Return the exploratory action for the inference on `tick`, or `None` to act greedily.

    Args:
        tick: tick of the observation.
        epsilon: share of segments that explore, in [0, 1].
        hold_ticks: length of a segment [ticks].
        seed: the same in every worker.
        actions: the plant's actions; drawn uniformly.

    Raises:
        ConfigError: `epsilon` or `hold_ticks` is out of range.
    """
    if not 0.0 <= epsilon <= 1.0:
        raise ConfigError(f"epsilon {epsilon!r} is outside 0 … 1")
    if hold_ticks < 1:
        raise ConfigError(f"hold_ticks {hold_ticks!r} must be 1 or more")
    segment = tick // hold_ticks
    # what is certain is not drawn
    if epsilon < 1.0 and (not epsilon or _uniform(seed, segment, 0) >= epsilon):
        return None
    if actions.discrete:
        return (float(int(_uniform(seed, segment, 1) * actions.size)),)
    limits = zip(actions.low, actions.high, strict=True)
    return tuple(min(high, low + (high - low) * _uniform(seed, segment, 1 + dimension))
                 for dimension, (low, high) in enumerate(limits))


def explore_rows(rows: tuple[Action, ...], first_tick: int, epsilon: float, *, hold_ticks: int,
                 seed: int, actions: ActionSpace) -> tuple[Action, ...]:
    """Return the rows with those of some ticks exploring: of whichever chunk, the same at a tick.

    The first row is of `first_tick`; the others are those of `explore`.
    """
    if not epsilon:
        return rows
    return tuple(explore(tick, epsilon, hold_ticks, seed, actions) or row
                 for tick, row in enumerate(rows, first_tick))


def _uniform(seed: int, segment: int, stream: int) -> float:
    """Hash to [0, 1), with the 53 bits that a float64 holds."""
    state = _splitmix64(_of_seed(seed) ^ (segment & _MASK))
    return (_splitmix64(state ^ stream) >> 11) / (1 << 53)


@lru_cache(maxsize=64)
def _of_seed(seed: int) -> int:
    """Hash a seed, which is the same for all ticks of a run."""
    return _splitmix64(seed & _MASK)


def _splitmix64(state: int) -> int:
    """One output of SplitMix64 (Steele, Lea and Flood 2014)."""
    state = (state + 0x9E3779B97F4A7C15) & _MASK
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
    return state ^ (state >> 31)
