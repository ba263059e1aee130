"""What is written into a snapshot comes back, and what was one object is one again."""

from __future__ import annotations

import numpy as np
import pytest

from realtime_rl.core.experience.snapshot import Snapshot

FRAMES = [np.full((1, 2), value, np.uint8) for value in (5, 6)]


def test_each_observation_is_kept_once() -> None:
    snapshot = Snapshot()
    assert [snapshot.place(frame) for frame in (*FRAMES, FRAMES[0])] == [0, 1, 0]
    assert snapshot.frame(1) is FRAMES[1]


def test_a_snapshot_of_what_another_gave_is_the_same() -> None:
    first = Snapshot()
    first.values["tick"], first.arrays["weights"] = 3, np.arange(4)
    places = [first.place(frame) for frame in FRAMES]
    again = Snapshot(first.values, first.packed())
    assert again.values == {"tick": 3}
    assert list(again.arrays) == ["weights"]
    assert [again.frame(place).tolist() for place in places] == [[[5, 5]], [[6, 6]]]
    assert again.place(again.frame(1)) == 1
    assert again.place(np.zeros((1, 2))) == 2


def test_without_observations_there_are_none() -> None:
    assert Snapshot().packed() == {}
    for place in (-1, 0):
        with pytest.raises(ValueError, match=f"observation {place} of 0"):
            Snapshot().frame(place)
