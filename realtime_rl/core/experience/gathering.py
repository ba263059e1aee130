"""The parts of an observation, which arrive one by one, put together by tick.

Nothing waits for a part that was lost: a tick is given up as soon as a later one is complete, or
when too many are begun.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from realtime_rl.core.observations import Names, Observation, Observations, join, names_of

_MOST_BEGUN = 16
"""Ticks of which a part came and others have not; a sender of nonsense gets no further."""


class Whole(NamedTuple):
    """An observation, all parts of which are there."""

    tick: int
    stamp_ns: int
    first: bool
    value: Observation


class Lost(NamedTuple):
    """A tick that was given up."""

    tick: int
    stamp_ns: int
    parts: tuple[str, ...]
    """Those that did not come."""


@dataclass(slots=True)
class _Begun:
    stamp_ns: int
    first: bool
    parts: dict[str, Observation] = field(default_factory=dict)


class Gathering:
    """Puts observations together; one of one part is complete at once."""

    def __init__(self, spec: Observations) -> None:
        """Gather the parts of `spec`."""
        self._order = tuple(part.name for part in spec.parts)
        self._names: Names = names_of(spec)
        self._begun: dict[int, _Begun] = {}
        self._newest = self._newest_stamp_ns = -1

    def take(self, part: str, tick: int, stamp_ns: int, first: bool, value: Observation
             ) -> tuple[Whole | None, list[Lost]]:
        """Take a part of a tick.

        A part that comes again, or for a tick that is over, is passed over. Ticks that count anew
        are another life of the plant: what was begun in the one before is forgotten.

        Returns:
            The observation of the tick, if this was the last part lacking, and the ticks given up
            by now, in order.
        """
        if self._names is None:
            return Whole(tick, stamp_ns, first, value), []
        if tick <= self._newest:
            if stamp_ns <= self._newest_stamp_ns and self._newest - tick <= _MOST_BEGUN:
                return None, []
            self._begun.clear()
            self._newest = -1
        begun = self._begun.get(tick)
        if begun is None or begun.stamp_ns != stamp_ns:
            begun = self._begun[tick] = _Begun(stamp_ns, first)
        begun.parts.setdefault(part, value)
        if len(begun.parts) < len(self._order):
            return None, (self._give_up(min(self._begun)) if len(self._begun) > _MOST_BEGUN
                          else [])
        del self._begun[tick]
        return Whole(tick, stamp_ns, begun.first,
                     join([begun.parts[name] for name in self._order], self._names)
                     ), self._give_up(tick, stamp_ns)

    def _give_up(self, last: int, stamp_ns: int | None = None) -> list[Lost]:
        """Give up what was begun up to the tick `last`; nothing up to there is taken any more."""
        lost = []
        for tick in sorted(tick for tick in self._begun if tick <= last):
            begun = self._begun.pop(tick)
            lost.append(Lost(tick, begun.stamp_ns, tuple(
                name for name in self._order if name not in begun.parts)))
        self._newest = last
        self._newest_stamp_ns = lost[-1].stamp_ns if stamp_ns is None else stamp_ns
        return lost
