"""Messages that are taken topic by topic, in the order in which they came."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class InOrder(Generic[Item]):
    """Keeps items until none that came before them can be taken any more."""

    def __init__(self) -> None:
        """Begin empty."""
        self._waiting: list[tuple[int, int, Item]] = []
        self._number = itertools.count()

    def put(self, time_ns: int, item: Item) -> None:
        """Take in an item that came at `time_ns`; those of one time keep their order."""
        heapq.heappush(self._waiting, (time_ns, next(self._number), item))

    def until(self, time_ns: float) -> Iterator[tuple[int, Item]]:
        """Hand out what came up to `time_ns`, with its time, the oldest first."""
        while self._waiting and self._waiting[0][0] <= time_ns:
            came_ns, _, item = heapq.heappop(self._waiting)
            yield came_ns, item
