"""Slots of one process that wait for each other, so that one run answers all of them.

A batch of `size` begins with a slot and is closed when it is full, when the last tick has come that
it can hold, or when that tick is overdue: what a full one delays an action by, `size - 1` ticks, is
the most.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from realtime_rl.core.schedule.worker_pool import Slot

Item = TypeVar("Item")


class Batch(Generic[Item]):
    """Gathers what is to be computed for slots; of size 1, nothing waits."""

    def __init__(self, size: int) -> None:
        """Gather up to `size`."""
        self.size = size
        self._slots: list[Slot] = []
        self._items: list[Item] = []

    @property
    def waiting(self) -> list[Item]:
        """What waits, oldest first."""
        return self._items

    def add(self, slot: Slot, item: Item) -> None:
        """Let `item` of `slot` wait; `take` it when it is due."""
        self._slots.append(slot)
        self._items.append(item)

    def due_ns(self) -> int | None:
        """When the batch is closed whatever comes; `None` where nothing waits."""
        if not self._slots:
            return None
        return self._slots[0].start_ns + self.size * self._slots[0].schedule.period_ns

    def is_due(self, tick: int, now_ns: int) -> bool:
        """Whether to run what waits, `tick` being the newest."""
        due_ns = self.due_ns()
        if due_ns is None:
            return False
        after = tick - self._slots[0].tick
        return len(self._items) >= self.size or not 0 <= after < self.size - 1 or now_ns >= due_ns

    def take(self) -> list[Item]:
        """Take out what waits."""
        found = self._items
        self._slots, self._items = [], []
        return found
