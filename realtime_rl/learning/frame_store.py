"""Observations of a replay: each once, however many transitions see it, in memory of their own.

Millions of arrays that come and go one by one leave holes between them that nothing else fits
into: a replay of 282 MB took a learner to 2.6 GB. Blocks that are taken once do not.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.observations import Observation, stacked
from realtime_rl.learning.errors import LearningError

_BLOCK_BYTES = 1 << 26
"""Far above what the C library gives from its heap: a block is memory of the system's own."""
_ENTRY_BYTES = 200
"""What is remembered of a place: a count, the object that it came from, and where to find it."""


def entry_bytes(frame_bytes: int) -> int:
    """Return what one frame of `frame_bytes` takes in a store [bytes]."""
    return frame_bytes + _ENTRY_BYTES


class FrameStore:
    """Keeps copies of frames, counted by who needs them; a place that nobody needs is used again.

    The same object is the same frame as long as somebody outside still has it.
    """

    def __init__(self, expected: int) -> None:
        """Take blocks for at most `expected` frames at a time."""
        self._expected = expected
        self._like: Observation | None = None
        self._per_block = 1
        self._blocks: list[Observation] = []
        self._needed: list[int] = []
        """By place: how many need it."""
        self._origins: list[weakref.ref[Observation] | None] = []
        """By place: the object it was copied from."""
        self._ids: list[int] = []
        self._places: dict[int, int] = {}
        """Places by the id of what they were copied from."""
        self._free: list[int] = []

    def __len__(self) -> int:
        """Return how many frames are kept."""
        return len(self._needed) - len(self._free)

    def need(self, frame: Observation) -> int:
        """Return the place of a frame, which is copied when it is not kept yet.

        Raises:
            LearningError: it has another shape or dtype than those before, or no memory is left.
        """
        place = self._places.get(id(frame))
        if place is not None and self._origin(place) is frame:
            self._needed[place] += 1
            return place
        place = self._empty_place(frame)
        self._view(place)[...] = frame
        self._needed[place], self._ids[place] = 1, id(frame)
        self._origins[place] = weakref.ref(frame)
        self._places[id(frame)] = place
        return place

    def release(self, place: int) -> None:
        """Need a frame once less."""
        self._needed[place] -= 1
        if not self._needed[place]:
            # its id may be another frame's by now
            if self._places.get(self._ids[place]) == place:
                del self._places[self._ids[place]]
            self._origins[place] = None
            self._free.append(place)

    def stacks(self, places: NDArray[np.int64]) -> Observation:
        """Copy the frames `(C, …)` at `(B, stack)` places into one array `(B, stack * C, …)`."""
        return stacked([self._view(place) for place in places.ravel().tolist()], len(places))

    def frame(self, place: int) -> Observation:
        """Return the frame of a place: the object it was copied from while that lives, or a view.

        A view shows another frame once nobody needs this one.
        """
        origin = self._origin(place)
        return self._view(place) if origin is None else origin

    def _view(self, place: int) -> Observation:
        block, within = divmod(place, self._per_block)
        view: Observation = self._blocks[block][within, ...]
        return view

    def _origin(self, place: int) -> Observation | None:
        origin = self._origins[place]
        return None if origin is None else origin()

    def _empty_place(self, frame: Observation) -> int:
        like = self._like
        if like is None:
            self._like = like = np.empty_like(frame)
            self._per_block = max(1, min(self._expected, _BLOCK_BYTES // max(1, frame.nbytes)))
        if (frame.shape, frame.dtype) != (like.shape, like.dtype):
            raise LearningError(f"an observation {frame.dtype}{list(frame.shape)} among those of "
                                f"{like.dtype}{list(like.shape)}")
        if self._free:
            return self._free.pop()
        place = len(self._needed)
        if place == len(self._blocks) * self._per_block:
            self._blocks.append(_block((self._per_block, *like.shape), like.dtype, place))
        self._needed.append(0)
        self._origins.append(None)
        self._ids.append(0)
        return place


def _block(shape: tuple[int, ...], dtype: np.dtype[Any], kept: int) -> Observation:
    try:
        block: Observation = np.empty(shape, dtype)
    except MemoryError as error:
        raise LearningError(f"the replay has {kept:,} observations, and no memory is left for "
                            "more; make replay_size smaller") from error
    return block
