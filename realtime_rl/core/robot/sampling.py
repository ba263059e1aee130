"""What a source says at a tick: driven by the tick, never by what arrives.

Times are those of the measurements [ns], on the clock of the ticks.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.robot.contract_choices import Align

JUMP_NS = 1_000_000_000
"""A time that is so much before the newest one is of a clock that was set back."""
_S_PER_NS = 1e-9

Item = TypeVar("Item")


class Series(Generic[Item]):
    """The newest items of one kind, in the order of their times."""

    def __init__(self, keep: int) -> None:
        """Keep so many of them at least."""
        self._keep = keep
        self._times: list[int] = []
        self._items: list[Item] = []

    @property
    def newest(self) -> Item | None:
        """The item of the latest time."""
        return self._items[-1] if self._items else None

    def mapped(self, change: Callable[[Item], Item]) -> Series[Item]:
        """Return another one, with what `change` makes of the items."""
        other: Series[Item] = Series(self._keep)
        other._times, other._items = self._times.copy(), list(map(change, self._items))
        return other

    def clear(self) -> None:
        """Forget all."""
        self._times.clear()
        self._items.clear()

    def add(self, at_ns: int, item: Item) -> bool:
        """Take an item; return whether a clock was set back, so that the others are forgotten.

        One that comes late stands where its time says; of two of one time the later one stays.
        """
        times, items = self._times, self._items
        back = bool(times) and at_ns < times[-1] - JUMP_NS
        if back:
            self.clear()
        if len(times) >= 2 * self._keep:
            del times[:-self._keep], items[:-self._keep]
        place = bisect_right(times, at_ns)
        if place and times[place - 1] == at_ns:
            items[place - 1] = item
        else:
            times.insert(place, at_ns)
            items.insert(place, item)
        return back

    def at(self, place: int) -> tuple[int, Item]:
        """Return time and item at a place that `around` gave."""
        return self._times[place], self._items[place]

    def around(self, tick_ns: int) -> tuple[int, int] | None:
        """Return the places of the newest item at or before a tick, and of the one after.

        Where there is none after it, both are the same; `None` where there is none before it.
        """
        after = bisect_right(self._times, tick_ns)
        return (after - 1, min(after, len(self._times) - 1)) if after else None

    def pick(self, align: Align, tick_ns: int) -> tuple[int, Item] | None:
        """Return time and item that a tick takes, with `hold` or `nearest`; `None`: there is none.

        With `nearest`, the newest before the tick is taken where both are as near.
        """
        found = self.around(tick_ns)
        if found is None:
            return self.at(0) if self._times and align is Align.NEAREST else None
        before, after = found
        if align is Align.NEAREST and self._times[after] - tick_ns < tick_ns - self._times[before]:
            before = after
        return self.at(before)


@dataclass(frozen=True, slots=True)
class Sample:
    """The values of a source at a tick."""

    values: NDArray[np.float64]
    """One an element; NaN: never heard."""
    ages: NDArray[np.float64]
    """How old each is [s]; NaN: never heard."""


_Values = Series[tuple[float, ...]]


class _Stream:
    """Elements that always come together."""

    def __init__(self, places: tuple[int, ...], series: _Values) -> None:
        self.places = places
        self.index = np.array(places)
        self.series = series


class VectorBuffer:
    """Values of a source, of which a message may have some only: each element's newest count.

    Elements that always come together are kept together. A message that has only some of them
    parts them for good, so that each has a time of its own.
    """

    def __init__(self, size: int, align: Align, keep: int = 256) -> None:
        """Keep `keep` messages of `size` elements at least."""
        self._size = size
        self._align = align
        self._all = tuple(range(size))
        self._streams = [_Stream(self._all, Series(keep))]
        self._last: tuple[float, ...] | None = None
        self.repeated = 0
        """Messages in a row that said what the one before did."""

    def clear(self) -> None:
        """Forget all values."""
        for stream in self._streams:
            stream.series.clear()
        self._last, self.repeated = None, 0

    @property
    def unheard(self) -> tuple[int, ...]:
        """Places of which there is no value."""
        return tuple(place for stream in self._streams if stream.series.newest is None
                     for place in stream.places)

    def offer(self, at_ns: int, places: tuple[int, ...], values: Sequence[float]) -> bool:
        """Take the finite values of a message, which are of some places, in any order.

        Returns:
            Whether a clock was set back, so that what was before is forgotten.
        """
        if not places:
            return False
        taken = tuple(values)
        self.repeated = self.repeated + 1 if taken == self._last else 0
        self._last = taken
        if len(self._streams) == 1 and places == self._all:
            return self._streams[0].series.add(at_ns, taken)
        given = dict(zip(places, taken, strict=True))
        self._part(given.keys())
        back = False
        for stream in self._streams:
            if stream.places[0] in given:
                back |= stream.series.add(at_ns, tuple(given[each] for each in stream.places))
        return back

    def sample(self, tick_ns: int) -> Sample:
        """Return the values that a tick takes."""
        values = np.full(self._size, np.nan)
        ages = np.full(self._size, np.nan)
        for stream in self._streams:
            found = self._pick(stream.series, tick_ns)
            if found is not None:
                at_ns, taken = found
                values[stream.index] = taken
                ages[stream.index] = (tick_ns - at_ns) * _S_PER_NS
        return Sample(values, ages)

    def _pick(self, series: _Values, tick_ns: int) -> tuple[int, Sequence[float]] | None:
        if self._align is not Align.LINEAR:
            return series.pick(self._align, tick_ns)
        found = series.around(tick_ns)
        if found is None:
            return None
        (at_ns, low), (to_ns, high) = map(series.at, found)
        if at_ns == to_ns:
            return at_ns, low
        share = (tick_ns - at_ns) / (to_ns - at_ns)
        return at_ns, [a + share * (b - a) for a, b in zip(low, high, strict=True)]

    def _part(self, given: Container[int]) -> None:
        """Part streams of which only some elements are given."""
        parted: list[_Stream] = []
        for stream in self._streams:
            inside = tuple(each for each in stream.places if each in given)
            outside = tuple(each for each in stream.places if each not in given)
            parted += ([_projected(stream, inside), _projected(stream, outside)]
                       if inside and outside else [stream])
        self._streams = parted


def _projected(stream: _Stream, places: tuple[int, ...]) -> _Stream:
    """Return what a stream has of some of its elements."""
    kept = [stream.places.index(place) for place in places]
    return _Stream(places, stream.series.mapped(lambda values: tuple(values[k] for k in kept)))
