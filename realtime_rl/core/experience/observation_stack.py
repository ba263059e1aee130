"""The newest observations by tick, stacked as a policy takes them."""

from __future__ import annotations

from realtime_rl.core import observations
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.experience.snapshot import Snapshot
from realtime_rl.core.observations import Observation

Frames = tuple[Observation, ...]
"""The observations of one stack, oldest first, by reference: nothing is copied."""


def stacked(frames: Frames) -> Observation:
    """Join frames of shape `(C, …)` into one array of shape `(stack * C, …)`, newest last."""
    return frames[0] if len(frames) == 1 else observations.stacked(frames)


class ObservationStack:
    """Keeps the newest observations; the same stacks for inference and for learning.

    Observations are kept by reference, so they must not be written to after `push`.
    """

    def __init__(self, stack: int, capacity: int = 64) -> None:
        """Stack `stack` observations; forget all but the newest `capacity`.

        Raises:
            ConfigError: `stack` is below 1, or `capacity` below `stack`.
        """
        if not 1 <= stack <= capacity:
            raise ConfigError(f"observation stack {stack!r} must be 1 … capacity {capacity!r}")
        self._stack = stack
        self._capacity = capacity
        self._entries: dict[int, tuple[Observation, bool]] = {}
        """By tick, in order: the observation, and whether it is the first of an episode."""
        self.newest = -1
        """Tick of the newest observation; -1 before there is one."""

    def push(self, tick: int, observation: Observation, first: bool) -> None:
        """Add the observation of a tick; `first`: it is the first of an episode.

        A tick that is not newer means that the plant started anew: all older ones are forgotten.
        """
        if tick <= self.newest:
            self.clear()
        self._entries[tick] = observation, first
        self.newest = tick
        if len(self._entries) > self._capacity:
            del self._entries[next(iter(self._entries))]

    def clear(self) -> None:
        """Forget every observation."""
        self._entries.clear()
        self.newest = -1

    def frames(self, tick: int, *, fill_gaps: bool = False) -> Frames | None:
        """Return the frames that end at `tick`; `None` when one that is needed is absent.

        Before an episode's start its first observation is repeated. With `fill_gaps`, a frame
        that was lost is replaced by the one after it: acting on that is better than not acting.
        """
        if self._stack == 1:
            alone = self._entries.get(tick)
            return None if alone is None else (alone[0],)
        newest_first: list[Observation] = []
        for needed in range(tick, tick - self._stack, -1):
            entry = self._entries.get(needed)
            if entry is None:
                if not fill_gaps or not newest_first:
                    return None
                newest_first.append(newest_first[-1])
                continue
            observation, first = entry
            newest_first.append(observation)
            if first:
                newest_first += [observation] * (self._stack - len(newest_first))
                break
        return tuple(reversed(newest_first))

    def get(self, tick: int, *, fill_gaps: bool = False) -> Observation | None:
        """Return the stack that ends at `tick`, shape `(stack * C, …)`; `None` as in `frames`."""
        frames = self.frames(tick, fill_gaps=fill_gaps)
        return None if frames is None else stacked(frames)

    def save(self, snapshot: Snapshot, name: str) -> None:
        """Write the observations under `name`."""
        snapshot.values[name] = [
            [tick, snapshot.place(observation), first]
            for tick, (observation, first) in self._entries.items()]

    def load(self, snapshot: Snapshot, name: str) -> None:
        """Take over what `save` wrote; see `Saveable`."""
        self.clear()
        for tick, place, first in snapshot.values[name]:
            self.push(tick, snapshot.frame(place), first)
