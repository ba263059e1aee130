"""How long slots have been computing, told apart from how long the whole process stood still.

A process that was stopped for a while, or a machine that slept, finds every computation as old as
the pause. None of them hangs: what counts is the time in which somebody looked.
"""

from __future__ import annotations

from realtime_rl.core.schedule.worker_pool import Slot

LOOK_NS = 100_000_000
"""Look at least so often; what lies longer between two looks was a pause, and counts as this."""
_LEAST_NS = 2_000_000_000
_SLACK = 4
"""No limit that nobody asked for is below these: so long, so many times what is to be expected."""


class SlotWatch:
    """The slot in flight of each worker, and since when, on a clock that stands in a pause."""

    def __init__(self) -> None:
        """Begin without slots."""
        self._awake_ns = 0
        self._looked_ns: int | None = None
        self._begun: dict[int, tuple[Slot, int]] = {}
        """By worker: its slot, and when that is overdue [ns, on that clock]."""

    def begin(self, slot: Slot, now_ns: int, limit_ns: int) -> None:
        """A worker begins with `slot`, which may take `limit_ns`."""
        self._look(now_ns)
        self._begun[slot.worker] = slot, self._awake_ns + limit_ns

    def end(self, slot: Slot) -> bool:
        """It ended: return whether it did before it was found overdue."""
        watched, _ = self._begun.get(slot.worker, (None, 0))
        if watched is not slot:
            return False
        del self._begun[slot.worker]
        return True

    def overdue(self, now_ns: int) -> list[Slot]:
        """Return the slots that have just exceeded their limit; they are watched no more."""
        self._look(now_ns)
        late = [slot for slot, end_ns in self._begun.values() if self._awake_ns > end_ns]
        for slot in late:
            del self._begun[slot.worker]
        return late

    def _look(self, now_ns: int) -> None:
        if self._looked_ns is not None:
            self._awake_ns += min(max(0, now_ns - self._looked_ns), LOOK_NS)
        self._looked_ns = now_ns


def limit_ns(asked_ns: int, alone_ns: int, workers: int) -> int:
    """Return how long a slot's computation may take.

    Args:
        asked_ns: the user's limit; 0: none was given.
        alone_ns: what the policy took when nobody else computed.
        workers: that may compute beside one another, on one core at worst.
    """
    return asked_ns or max(_LEAST_NS, _SLACK * workers * alone_ns)
