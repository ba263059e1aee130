"""The state of a run as plain values and arrays, so that it can be written down and gone on with.

Whatever has a state writes it into a `Snapshot` under keys of its own and reads it back from
there. Observations are shared by reference between a stack, open transitions and the replay; in
a snapshot each is kept once, and what was one object before is one object again afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.observations import Observation, join, part_of

Array = NDArray[Any]
_FRAMES = "frames"


class Snapshot:
    """Named JSON values, named arrays, and observations that are kept once each."""

    def __init__(
        self, values: Mapping[str, Any] | None = None, arrays: Mapping[str, Array] | None = None
    ) -> None:
        """Begin empty, or with what `values` and `packed` of another snapshot gave."""
        self.values: dict[str, Any] = dict(values or {})
        """JSON values by name."""
        self.arrays: dict[str, Array] = dict(arrays or {})
        """Arrays by name, without the observations."""
        self._frames: list[Observation] = _unpacked(
            {name: self.arrays.pop(name) for name in [*self.arrays] if _of_frames(name)})
        self._places: dict[int, int] = {id(frame): place
                                        for place, frame in enumerate(self._frames)}

    def place(self, frame: Observation) -> int:
        """Keep an observation; return the number by which `frame` finds it."""
        place = self._places.setdefault(id(frame), len(self._frames))
        if place == len(self._frames):
            self._frames.append(frame)  # held, so that its id is nobody else's
        return place

    def frame(self, place: int) -> Observation:
        """Return the observation `place`, the same object each time."""
        if not 0 <= place < len(self._frames):
            raise ValueError(f"observation {place!r} of {len(self._frames)}")
        return self._frames[place]

    def packed(self) -> dict[str, Array]:
        """Return all arrays, the observations joined into one a part among them."""
        return {**self.arrays, **_packed(self._frames)}


def _of_frames(name: str) -> bool:
    return name == _FRAMES or name.startswith(f"{_FRAMES}.")


def _packed(frames: list[Observation]) -> dict[str, Array]:
    """Join observations: `frames`, or of several parts `frames.0.front`, `frames.1.arm`, …."""
    if not frames:
        return {}
    names = frames[0].dtype.names
    if names is None:
        return {_FRAMES: np.stack(frames)}
    return {f"{_FRAMES}.{place}.{name}": np.stack([part_of(frame, name) for frame in frames])
            for place, name in enumerate(names)}


def _unpacked(arrays: dict[str, Array]) -> list[Observation]:
    """Return what `_packed` joined, in copies: each is given back when it is forgotten."""
    if _FRAMES in arrays or not arrays:
        return [frame.copy() for frame in arrays.get(_FRAMES, np.empty(0))]
    keys = sorted(arrays, key=lambda key: int(key.split(".")[1]))
    names = tuple(key.split(".")[2] for key in keys)
    return [join(parts, names) for parts in zip(*(arrays[key] for key in keys), strict=True)]


class Saveable(Protocol):
    """Something whose state can be written down."""

    def save(self, snapshot: Snapshot) -> None:
        """Write the whole state; nothing changes."""

    def load(self, snapshot: Snapshot) -> None:
        """Take the state of `save` over. `KeyError` or `ValueError` when there is none such."""
