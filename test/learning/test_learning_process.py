"""What one learning process does, in this process."""

from __future__ import annotations

import os

import pytest
from learning.test_shared_training import LAYOUT

from realtime_rl.learning.learning_process import learn
from realtime_rl.learning.shared_arrays import SharedArrays
from realtime_rl.learning.shared_training import Turns


class Learner:
    """Closes a pipe with its last update."""

    def __init__(self, pipe: int, last: int) -> None:
        self.updates = -1
        self.made: list[int] = []
        self._pipe, self._last = pipe, last

    def update(self) -> float:
        self.made.append(self.updates)
        if self.updates == self._last:
            os.close(self._pipe)
        return 0.5


@pytest.mark.parametrize("last", [0, 4])
def test_it_makes_the_updates_it_claims_until_its_parent_is_gone(last: int) -> None:
    turns = Turns(SharedArrays(LAYOUT))
    turns.allow(100, 1)
    bell, pipe = os.pipe()
    os.write(pipe, b"..")
    learner = Learner(pipe, last)
    learn(learner, turns, 1, bell)
    os.close(bell)
    assert learner.made == list(range(last + 1))
    assert (turns.updates, turns.loss_sum) == (last + 1, 0.5 * (last + 1))


def test_with_nothing_to_do_it_waits_and_ends_with_its_parent() -> None:
    turns = Turns(SharedArrays(LAYOUT))
    bell, pipe = os.pipe()
    os.write(pipe, b".")
    os.close(pipe)
    learner = Learner(pipe, 0)
    learn(learner, turns, 0, bell)
    os.close(bell)
    assert learner.made == []
