"""Some of very many, evenly, however many there come to be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

_Item = TypeVar("_Item")


class Sample(Generic[_Item]):
    """Keeps every so many-th of what it is offered: between `most / 2` and `most` of them."""

    def __init__(self, most: int) -> None:
        """Keep at most so many, 2 or more."""
        self._most = most
        self._every = 1
        self._offered = 0
        self._kept: list[_Item] = []

    @property
    def wants(self) -> bool:
        """Whether the next one will be kept."""
        return self._offered % self._every == 0

    def offer(self, item: _Item) -> None:
        """Take the next one into account."""
        if self.wants:
            self._kept.append(item)
            if len(self._kept) > self._most:
                self._kept = self._kept[::2]
                self._every *= 2
        self._offered += 1

    def __iter__(self) -> Iterator[_Item]:
        """Yield what is kept, in order."""
        return iter(self._kept)

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._kept)
