"""Where in memory something happens: what each byte did over the ticks of a game."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.int16]
RAM = range(0xC000, 0xE000), range(0xFF80, 0xFFFF)
"""Work RAM, and the RAM of the processor's page; what the console itself changes is left out."""


@dataclass(frozen=True, slots=True)
class Search:
    """What each byte did, an element an address of `addresses`."""

    addresses: NDArray[np.int64]
    first: Bytes
    last: Bytes
    low: Bytes
    high: Bytes
    rises: NDArray[np.int64]
    """Ticks at which it rose."""
    falls: NDArray[np.int64]
    largest: Bytes
    """The largest change at one tick."""

    def where(self, conditions: Iterable[str], equals: int | None = None) -> NDArray[np.intp]:
        """Return the places of the bytes of which all of some `CONDITIONS` hold."""
        kept = np.ones(self.addresses.size, np.bool_)
        for name in conditions:
            kept &= CONDITIONS[name](self)
        if equals is not None:
            kept &= self.last == equals
        return np.flatnonzero(kept)


CONDITIONS: dict[str, Callable[[Search], NDArray[np.bool_]]] = {
    "changed": lambda search: search.rises + search.falls > 0,
    "rose": lambda search: search.rises > 0,
    "fell": lambda search: search.falls > 0,
    "only-rose": lambda search: (search.rises > 0) & (search.falls == 0),
    "only-fell": lambda search: (search.falls > 0) & (search.rises == 0),
    "by-one": lambda search: (search.rises + search.falls > 0) & (search.largest == 1),
    "same": lambda search: search.rises + search.falls == 0}


def search(seen: Iterable[tuple[bytes, bool]], ranges: Iterable[range] = RAM) -> Search:
    """Go through memory, tick by tick.

    Args:
        seen: one or more, each with the bytes of `ranges`, one after another, and whether it is the
            first tick of an episode: what a reset changed does not count.
        ranges: of addresses.
    """
    addresses = np.concatenate([np.arange(part.start, part.stop) for part in ranges])
    ticks = iter(seen)
    before = first = np.frombuffer(next(ticks)[0], np.uint8).astype(np.int16)
    low, high, largest = first.copy(), first.copy(), np.zeros_like(first)
    rises, falls = (np.zeros(first.size, np.int64) for _ in range(2))
    for data, begins in ticks:
        now = np.frombuffer(data, np.uint8).astype(np.int16)
        change = np.zeros_like(now) if begins else now - before
        rises += change > 0
        falls += change < 0
        np.minimum(low, now, out=low)
        np.maximum(high, now, out=high)
        np.maximum(largest, np.abs(change), out=largest)
        before = now
    return Search(addresses, first, before, low, high, rises, falls, largest)
