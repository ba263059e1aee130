"""Observations of a replay, each once, in memory of their own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.observations import Observation
from realtime_rl.learning import frame_store
from realtime_rl.learning.errors import LearningError
from realtime_rl.learning.frame_store import FrameStore


def frame(value: int) -> Observation:
    return np.full((1, 2, 2), value, np.uint8)


def test_a_frame_is_kept_once_however_often_it_is_needed() -> None:
    store, one = FrameStore(4), frame(1)
    assert store.need(one) == store.need(one) != store.need(frame(1))
    assert len(store) == 2


def test_it_is_a_copy() -> None:
    store, one = FrameStore(4), frame(1)
    place = store.need(one)
    one[:] = 9
    assert store.stacks(np.array([[place]])).tolist() == frame(1)[None].tolist()


def test_a_place_that_nobody_needs_is_used_again() -> None:
    store, one = FrameStore(4), frame(1)
    place = store.need(one)
    store.need(one)
    store.release(place)
    other = store.need(frame(2))
    assert other != place
    store.release(place)
    assert store.need(frame(3)) == place
    assert store.need(one) not in (place, other), "it is another frame's place now"


def test_while_its_origin_lives_that_is_the_frame() -> None:
    store, one = FrameStore(4), frame(1)
    place = store.need(one)
    assert store.frame(place) is one
    del one
    assert store.frame(place).tolist() == frame(1).tolist()


def test_stacks_over_several_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_store, "_BLOCK_BYTES", 12)  # three frames
    store = FrameStore(100)
    places = [store.need(frame(value)) for value in range(8)]
    stacks = store.stacks(np.array([[places[7], places[0]], [places[2], places[3]]]))
    assert stacks.shape == (2, 2, 2, 2)
    assert stacks[:, :, 0, 0].tolist() == [[7, 0], [2, 3]]


@pytest.mark.parametrize("other", [np.zeros((1, 2, 3), np.uint8), np.zeros((1, 2, 2), np.int16),
                                   np.zeros(4, np.uint8)])
def test_a_frame_of_another_kind_is_refused(other: Observation) -> None:
    store = FrameStore(4)
    store.need(frame(0))
    with pytest.raises(LearningError, match=r"an observation .* among those of uint8"):
        store.need(other)
    assert len(store) == 1


def test_memory_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise MemoryError

    store = FrameStore(1)
    store.need(frame(0))
    monkeypatch.setattr(np, "empty", none)
    with pytest.raises(LearningError, match="the replay has 1 observations, and no memory"):
        store.need(frame(1))


@given(st.lists(st.integers(0, 9), max_size=200), st.integers(1, 5))
def test_what_is_kept_is_what_is_needed(needs: list[int], length: int) -> None:
    """A window of frames, some seen again, some only alike; ids are used again, too."""
    store = FrameStore(3)
    held: list[tuple[int, int]] = []
    alive: dict[int, Observation] = {}
    for value in needs:
        if value % 3 == 0:
            alive.pop(value, None)  # another object of the same value from now on
        held.append((store.need(alive.setdefault(value, frame(value))), value))
        if len(held) > length:
            store.release(held.pop(0)[0])
        shown = store.stacks(np.array([[place] for place, _ in held]))
        assert shown[:, 0, 0, 0].tolist() == [value for _, value in held]
    assert len(store) == len({place for place, _ in held})
    assert len(store._needed) <= length + 1, "no more places than were ever needed at once"
