"""A fixed number of transitions in arrays; the frames that they show are kept once each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.experience.action_history import History
from realtime_rl.core.experience.assembler import SemiMdpTransition
from realtime_rl.core.experience.observation_stack import Frames
from realtime_rl.core.observations import Observation, Observations
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.learning.errors import LearningError
from realtime_rl.learning.frame_store import FrameStore, entry_bytes

_ROW = np.dtype([("action", "i8"), ("reward", "f8"), ("discount", "f8"), ("steps", "i8"),
                 ("terminal", "?")])
_STACKS = ("observation", "next_observation")
_HISTORIES = ("history", "next_history")


def full_bytes(config: DqnConfig, observation: Observations) -> int:
    """Return what a replay takes once it is full, where transitions share frames [bytes].

    They do but for those of sequential interaction, and in a reservoir.
    """
    row = _ROW.itemsize + 2 * 8 * (config.stack + config.action_history)
    return config.replay_size * (entry_bytes(observation.nbytes) + row)


class TransitionTable:
    """Transitions by slot; one of discrete actions each, all with stacks of the same length."""

    def __init__(self, capacity: int) -> None:
        """Have `capacity` slots, filled in order first; memory is taken as they are."""
        self._capacity = capacity
        self._frames = FrameStore(capacity)
        self._rows: NDArray[Any] = np.empty(0, _ROW)
        self._places: dict[str, NDArray[np.int64]] = {}
        self._histories: dict[str, NDArray[np.float64]] = {}
        self._size = 0

    def __len__(self) -> int:
        """Return how many slots are filled."""
        return self._size

    def set(self, slot: int, transition: SemiMdpTransition) -> None:
        """Put a transition into a slot, in place of what is there; `slot` is `len` at most.

        Raises:
            LearningError: as in `FrameStore.need`; its history of actions has another length
                than those of others.
        """
        if not self._places:
            self._allocate(transition)
        self._check(transition)
        needed = {name: [self._frames.need(frame) for frame in getattr(transition, name)]
                  for name in _STACKS}  # before others are released: they may be the same
        if slot < self._size:
            for name in _STACKS:
                for place in self._places[name][slot].tolist():
                    self._frames.release(place)
        for name in _STACKS:
            self._places[name][slot] = needed[name]
        for name in _HISTORIES:
            self._histories[name][slot] = [math.nan if action is None else action[0]
                                           for action in getattr(transition, name)]
        self._rows[slot] = (int(transition.action[0]), transition.reward, transition.discount,
                            transition.steps, transition.terminal)
        self._size = max(self._size, slot + 1)

    def column(self, name: str, slots: NDArray[np.int64]) -> NDArray[Any]:
        """Return one value of each transition, shape `(B,)`: `action`, `reward` or `discount`."""
        found: NDArray[Any] = self._rows[name][slots]
        return found

    def stacks(self, name: str, slots: NDArray[np.int64]) -> Observation:
        """Return `observation` or `next_observation` of each, shape `(B, stack * C, …)`."""
        return self._frames.stacks(self._places[name][slots])

    def histories(self, name: str, slots: NDArray[np.int64]) -> list[History]:
        """Return `history` or `next_history` of each."""
        return [_history(row) for row in self._histories[name][slots].tolist()]

    def __iter__(self) -> Iterator[SemiMdpTransition]:
        """Yield the transitions in order of their slots; they hold until the next one is set.

        Where two show the same frame, it is the same object.
        """
        frames: dict[int, Observation] = {}

        def shown(name: str, slot: int) -> Frames:
            return tuple(frames.setdefault(place, self._frames.frame(place))
                         for place in self._places[name][slot].tolist())

        for slot, row in enumerate(self._rows[:self._size].tolist()):
            action, reward, discount, steps, terminal = row
            yield SemiMdpTransition(  # choices of the DQN learner, which gives no chunks
                shown("observation", slot), (float(action),), reward, discount,
                shown("next_observation", slot), steps, terminal,
                _history(self._histories["history"][slot].tolist()),
                _history(self._histories["next_history"][slot].tolist()))

    def _allocate(self, like: SemiMdpTransition) -> None:
        """Take memory for rows; the system gives pages of it as they are written to."""
        self._rows = np.empty(self._capacity, _ROW)
        for name in _STACKS:
            self._places[name] = np.empty((self._capacity, len(getattr(like, name))), np.int64)
        for name in _HISTORIES:
            self._histories[name] = np.empty((self._capacity, len(getattr(like, name))))

    def _check(self, transition: SemiMdpTransition) -> None:
        for name in _HISTORIES:
            wanted, found = self._histories[name].shape[1], len(getattr(transition, name))
            if wanted != found:
                raise LearningError(f"a transition with {found} applied actions beside its "
                                    f"observation, among those with {wanted}")


def _history(row: list[float]) -> History:
    return tuple(None if math.isnan(each) else (each,) for each in row)
