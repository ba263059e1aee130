"""Transitions over several actions, so that rewards travel back faster."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from realtime_rl.core.experience.assembler import SemiMdpTransition
from realtime_rl.core.experience.snapshot import Snapshot
from realtime_rl.learning.training_state import load_transitions, save_transitions


class NStep:
    """Joins each transition with those of the next actions, up to `n` in all.

    Nothing is joined across an episode's end or a gap: there the joined ones are shorter.
    """

    def __init__(self, n: int) -> None:
        """Join `n` actions; 1 passes transitions through."""
        self._n = n
        self._waiting: deque[SemiMdpTransition] = deque()

    def add(self, transition: SemiMdpTransition) -> list[SemiMdpTransition]:
        """Take the next transition; return the joined ones that are complete."""
        joined: list[SemiMdpTransition] = []
        if self._waiting and not _follows(self._waiting[-1], transition):
            joined += self._flush()
        self._waiting.append(transition)
        if transition.terminal:
            return joined + self._flush()
        if len(self._waiting) == self._n:
            joined.append(self._oldest())
        return joined

    def save(self, snapshot: Snapshot) -> None:
        """See `Saveable`."""
        save_transitions(snapshot, "n_step", self._waiting)

    def load(self, snapshot: Snapshot) -> None:
        """See `Saveable`."""
        self._waiting = deque(load_transitions(snapshot, "n_step"))

    def _flush(self) -> list[SemiMdpTransition]:
        return [self._oldest() for _ in range(len(self._waiting))]

    def _oldest(self) -> SemiMdpTransition:
        reward, discount, steps = 0.0, 1.0, 0
        for each in self._waiting:
            reward += discount * each.reward
            discount *= each.discount
            steps += each.steps
        newest = self._waiting[-1]
        return replace(self._waiting.popleft(), reward=reward, discount=discount, steps=steps,
                       next_observation=newest.next_observation, terminal=newest.terminal,
                       next_history=newest.next_history)


def _follows(before: SemiMdpTransition, after: SemiMdpTransition) -> bool:
    """Frames are kept by reference: the same tick is the same object."""
    return after.observation[-1] is before.next_observation[-1]
