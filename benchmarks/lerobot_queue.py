"""One worker and a queue of rows, as LeRobot's asynchronous client has it, from its description.

A chunk is asked for when the queue has fallen to a share of a chunk's length. Where rows of the new
chunk and of the queue are for the same tick, they are mixed in fixed shares, 0.3 old and 0.7 new.
Rows are bound to ticks here, so that a late chunk shifts nothing; one request at a time is under
way, while LeRobot's client may have a second observation waiting at its server.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float64]


@dataclass
class Queue:
    """Pure: ticks are all the time that it knows."""

    length: int
    """Rows of a chunk."""
    threshold: float = 0.5
    """A chunk is asked for when this share of a chunk's rows is left, or less."""
    new_share: float = 0.7
    """Of a row that the queue has already; what it had counts for the rest."""
    _rows: dict[int, Rows] = field(default_factory=dict)
    """By the tick that each is for."""
    _asked: int = -1

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def wants(self) -> bool:
        """Whether a chunk is to be asked for now."""
        return self._asked < 0 and len(self._rows) <= self.threshold * self.length

    @property
    def asked(self) -> int:
        """The tick of the observation whose chunk is under way; -1: none is."""
        return self._asked

    def ask(self, tick: int) -> None:
        """A chunk of the observation of `tick` is under way."""
        self._asked = tick

    def take_in(self, first_tick: int, rows: Rows, tick: int) -> float | None:
        """Take the chunk that was asked for, before `tick` acts.

        Args:
            first_tick: the tick that its first row is for.
            rows: `(H, A)`.
            tick: the next one; rows for ticks before it are dropped.

        Returns:
            By how much the row for `tick` changed, the largest of its values; `None`: the queue or
            the chunk has none for it.
        """
        self._asked = -1
        had = self._rows.get(tick)
        for place in range(max(0, tick - first_tick), len(rows)):
            at, new = first_tick + place, rows[place]
            old = self._rows.get(at)
            self._rows[at] = new if old is None else (1 - self.new_share) * old \
                + self.new_share * new
        covered = 0 <= tick - first_tick < len(rows)
        return float(np.abs(self._rows[tick] - had).max()) if covered and had is not None else None

    def pop(self, tick: int) -> Rows | None:
        """Return the row for `tick`, and forget those of before; `None`: there is none."""
        for before in [at for at in self._rows if at < tick]:
            del self._rows[before]
        return self._rows.pop(tick, None)
