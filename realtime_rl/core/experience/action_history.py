"""The actions that the plant applied lately, for policies that act late.

With a delay, an observation alone does not say what is about to happen: what was commanded before
it is still having its effect. Beside observation `k` a policy may therefore be given the actions
of the `H` ticks `k - H … k - 1` of the same episode, whoever chose them. These are known when the
inference on `k` starts, in every process, for the plant tells them with each tick. The actions
that other workers are still computing then are not known to anyone, so they are no part of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.experience.snapshot import Snapshot
from realtime_rl.core.types import Action, ActionSpace

History = tuple[Action | None, ...]
"""Applied actions, oldest first; `None` for a tick before the episode, or one not heard of."""


class ActionHistory:
    """Keeps what the newest ticks applied."""

    def __init__(self, length: int, capacity: int = 1024) -> None:
        """Give `length` actions; forget all but the newest `capacity` ticks.

        Raises:
            ConfigError: `length` is negative or exceeds `capacity`.
        """
        if not 0 <= length <= capacity:
            raise ConfigError(f"action history {length!r} must be 0 … capacity {capacity!r}")
        self.length = length
        """H."""
        self._capacity = capacity
        self._actions: dict[int, Action] = {}
        self._firsts: dict[int, None] = {}
        self._newest = self._newest_first = -1

    def begin(self, tick: int) -> None:
        """The observation of `tick` is the first of an episode."""
        if not self.length:
            return  # nobody asks
        if tick <= self._newest_first:
            self.clear()  # the plant started anew
        self._newest_first = tick
        self._firsts[tick] = None
        if len(self._firsts) > self._capacity:
            del self._firsts[next(iter(self._firsts))]

    def push(self, tick: int, action: Action) -> None:
        """Say what `tick` applied; one that is not newer means that the plant started anew."""
        if not self.length:
            return
        if tick <= self._newest:
            self.clear()
        self._newest = tick
        self._actions[tick] = action
        if len(self._actions) > self._capacity:
            del self._actions[next(iter(self._actions))]

    def clear(self) -> None:
        """Forget everything."""
        self._actions.clear()
        self._firsts.clear()
        self._newest = self._newest_first = -1

    def get(self, tick: int) -> History:
        """Return the actions of `tick - length … tick - 1`."""
        found: list[Action | None] = []
        for at in range(tick, tick - self.length, -1):
            if at in self._firsts:
                break
            found.append(self._actions.get(at - 1))
        found += [None] * (self.length - len(found))
        return tuple(reversed(found))

    def save(self, snapshot: Snapshot, name: str) -> None:
        """Write what is kept under `name`."""
        snapshot.values[name] = {"actions": list(self._actions.items()),
                                 "firsts": list(self._firsts),
                                 "newest": [self._newest, self._newest_first]}

    def load(self, snapshot: Snapshot, name: str) -> None:
        """Take over what `save` wrote; see `Saveable`."""
        values = snapshot.values[name]
        self._actions = {tick: tuple(action) for tick, action in values["actions"]}
        self._firsts = dict.fromkeys(values["firsts"])
        self._newest, self._newest_first = values["newest"]


def encode(histories: Sequence[History], actions: ActionSpace) -> NDArray[np.float32]:
    """Return histories as a network takes them, shape `(batch, length, actions.size)`.

    An action is one-hot, or its values; what is not known, or none of `actions`, is all zeros.
    """
    found = np.zeros((len(histories), len(histories[0]), actions.size), np.float32)
    for row, history in zip(found, histories, strict=True):
        for place, action in zip(row, history, strict=True):
            if action is None or len(action) != (1 if actions.discrete else actions.size):
                continue
            if not actions.discrete:
                place[:] = action
            elif 0 <= action[0] < actions.size:
                place[int(action[0])] = 1.0
    return found
