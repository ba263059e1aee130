"""What was experienced, for training: which transitions are kept, and which are drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.experience.assembler import SemiMdpTransition
from realtime_rl.core.experience.snapshot import Snapshot
from realtime_rl.learning.batch import Batch
from realtime_rl.learning.errors import LearningError
from realtime_rl.learning.sum_tree import SumTree
from realtime_rl.learning.training_state import load_transitions, save_transitions
from realtime_rl.learning.transition_table import TransitionTable

_LEAST = 1e-6
"""Added to errors, so that no transition is forgotten for good."""


class Replay:
    """A bounded memory of transitions.

    Each observation is copied once, in the dtype in which the plant gave it, and its place used
    again after the last transition that shows it. When it is full no more memory is taken.
    `recency` keeps the newest and draws them uniformly; `priority` keeps the newest and draws
    those with large errors more often (Schaul and others 2016, proportional); `reservoir` keeps
    a uniform sample of all there ever were (Vitter 1985, algorithm R), whose neighbours are gone:
    a transition may then hold two stacks of frames of its own.
    """

    def __init__(self, capacity: int, seed: int, kind: str = "recency", *,
                 exponent: float = 0.5) -> None:
        """Keep `capacity` transitions; `seed` decides what is drawn.

        Args:
            capacity: at most so many.
            seed: of what is drawn, and of what a reservoir keeps.
            kind: `recency`, `reservoir` or `priority`.
            exponent: `priority`: of the error; 0 draws uniformly.
        """
        self._capacity = capacity
        self._rng = np.random.default_rng(seed)
        self._keeping = np.random.default_rng((seed, 1)) if kind == "reservoir" else None
        self._tree = SumTree(capacity) if kind == "priority" else None
        self._exponent = exponent
        self._largest = 1.0
        self._kept = TransitionTable(capacity)
        self._seen = 0

    def __len__(self) -> int:
        """Return how many transitions there are."""
        return len(self._kept)

    @property
    def seen(self) -> int:
        """How many transitions were added, those since forgotten included."""
        return self._seen

    def add(self, transition: SemiMdpTransition) -> None:
        """Add a transition, in place of another when full; a reservoir may pass it over.

        Raises:
            LearningError: it is unlike those before, or no memory is left for it.
        """
        slot = self._slot()
        self._seen += 1
        if slot < self._capacity:
            self._kept.set(slot, transition)
        if self._tree is not None:
            self._tree.set(np.array([slot]), np.array([self._largest]))

    def sample(self, size: int, correction: float = 1.0) -> Batch:
        """Draw `size` transitions with replacement.

        Args:
            size: B.
            correction: `priority`: how far the importance weights undo that transitions are not
                drawn uniformly, from 0, not at all, to 1, fully.

        Raises:
            LearningError: there is none to draw.
        """
        kept = self._kept
        if not len(kept):
            raise LearningError("nothing to learn from: the replay is empty")
        index, weight = self._draw(size, correction)
        return Batch(
            kept.stacks("observation", index), kept.column("action", index),
            kept.column("reward", index).astype(np.float32),
            kept.column("discount", index).astype(np.float32),
            kept.stacks("next_observation", index), index, weight,
            kept.histories("history", index), kept.histories("next_history", index))

    def set_errors(self, index: NDArray[np.int64], errors: NDArray[np.float32]) -> None:
        """Say how wrong the values of drawn transitions were, both `(B,)`; `priority` uses it."""
        if self._tree is not None:
            priorities = (np.abs(errors).astype(np.float64) + _LEAST) ** self._exponent
            self._largest = max(self._largest, float(priorities.max()))
            self._tree.set(index, priorities)

    def _slot(self) -> int:
        """Return where the next transition goes; `capacity`: nowhere."""
        if len(self._kept) < self._capacity:
            return len(self._kept)
        if self._keeping is None:
            return self._seen % self._capacity
        return min(int(self._keeping.integers(self._seen + 1)), self._capacity)

    def _draw(self, size: int, correction: float
              ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        if self._tree is None:
            return self._rng.integers(len(self._kept), size=size), np.ones(size, np.float32)
        heights = (np.arange(size) + self._rng.random(size)) * (self._tree.total / size)
        index = self._tree.find(heights)
        weight = self._tree.priorities(index) ** -correction
        return index, (weight / weight.max()).astype(np.float32)

    def save(self, snapshot: Snapshot, *, contents: bool) -> None:
        """Write what is drawn next; with `contents` also what it is drawn from.

        The snapshot is to be packed before the next transition is added.
        """
        keeping, kept = self._keeping, np.arange(len(self._kept))
        snapshot.values["replay"] = {
            "contents": contents, "seen": self._seen, "largest": self._largest,
            "random": self._rng.bit_generator.state,
            "keeping": None if keeping is None else keeping.bit_generator.state}
        if contents:
            save_transitions(snapshot, "replay", list(self._kept))
            if self._tree is not None:
                snapshot.arrays["replay.priorities"] = self._tree.priorities(kept)

    def load(self, snapshot: Snapshot) -> None:
        """Take over what `save` wrote; the replay is empty when that left the contents out."""
        values = snapshot.values["replay"]
        self._rng.bit_generator.state = values["random"]
        if self._keeping is not None:
            self._keeping.bit_generator.state = values["keeping"]
        self._largest = values["largest"]
        self._kept = TransitionTable(self._capacity)
        for slot, each in enumerate(load_transitions(snapshot, "replay")
                                    if values["contents"] else ()):
            self._kept.set(slot, each)
        self._seen = values["seen"] if values["contents"] else 0
        if self._tree is not None and len(self._kept):
            self._tree.set(np.arange(len(self._kept)), snapshot.arrays["replay.priorities"])
