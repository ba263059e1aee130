"""What was experienced, for training: the newest transitions, drawn uniformly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.assembler import SemiMdpTransition
from realtime_rl.core.observation_stack import Frames
from realtime_rl.core.snapshot import Snapshot
from realtime_rl.core.types import Observation
from realtime_rl.learning.errors import LearningError
from realtime_rl.learning.saved import load_transitions, save_transitions


class Batch(NamedTuple):
    """Transitions as arrays; B is the batch size."""

    observation: Observation
    """`(B, stack * C, …)`, of the plant's dtype."""
    action: NDArray[np.int64]
    """`(B,)` indices."""
    reward: NDArray[np.float32]
    """`(B,)`."""
    discount: NDArray[np.float32]
    """`(B,)`."""
    next_observation: Observation
    """`(B, stack * C, …)`."""


class Replay:
    """A ring of transitions.

    Transitions share their frames by reference, so each observation is stored once, in the
    dtype in which the plant gave it, and freed with the last transition that shows it.
    """

    def __init__(self, capacity: int, seed: int) -> None:
        """Keep the newest `capacity` transitions; `seed` decides what is drawn."""
        self._capacity = capacity
        self._rng = np.random.default_rng(seed)
        self._ring: list[SemiMdpTransition] = []
        self._next = 0

    def __len__(self) -> int:
        """Return how many transitions there are."""
        return len(self._ring)

    def add(self, transition: SemiMdpTransition) -> None:
        """Add a transition, in place of the oldest when full."""
        if len(self._ring) < self._capacity:
            self._ring.append(transition)
        else:
            self._ring[self._next] = transition
        self._next = (self._next + 1) % self._capacity

    def sample(self, size: int) -> Batch:
        """Draw `size` transitions with replacement; `LearningError` when there is none."""
        if not self._ring:
            raise LearningError("nothing to learn from: the replay is empty")
        drawn = [self._ring[index] for index in self._rng.integers(len(self._ring), size=size)]
        return Batch(
            _join([each.observation for each in drawn]),
            np.array([int(each.action[0]) for each in drawn], np.int64),
            np.array([each.reward for each in drawn], np.float32),
            np.array([each.discount for each in drawn], np.float32),
            _join([each.next_observation for each in drawn]))

    def save(self, snapshot: Snapshot, *, contents: bool) -> None:
        """Write what is drawn next; with `contents` also what it is drawn from."""
        snapshot.values["replay"] = {"next": self._next, "length": len(self._ring),
                                     "contents": contents,
                                     "random": self._rng.bit_generator.state}
        if contents:
            save_transitions(snapshot, "replay", self._ring)

    def load(self, snapshot: Snapshot) -> None:
        """Take over what `save` wrote; the replay is empty when that left the contents out."""
        values = snapshot.values["replay"]
        self._rng.bit_generator.state = values["random"]
        self._ring = load_transitions(snapshot, "replay") if values["contents"] else []
        self._next = values["next"] if values["contents"] else 0


def _join(stacks: Sequence[Frames]) -> Observation:
    """Copy B stacks of frames `(C, …)` into one array `(B, stack * C, …)`."""
    frame = stacks[0][0]
    flat = np.concatenate([frame for frames in stacks for frame in frames])
    return flat.reshape(len(stacks), len(stacks[0]) * frame.shape[0], *frame.shape[1:])
