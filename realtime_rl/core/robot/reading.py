"""All fields of a source, taken from a message at once: it may come a thousand times a second."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import Any

from realtime_rl.core.messages.wire import WireError
from realtime_rl.core.robot.fields import Field, Values, place_of, shown

Found = tuple[tuple[int, ...], Values]
"""Places among the elements of a source, and their values."""


class Reader:
    """Takes the values of a source's fields from its messages, of a type without names."""

    def __init__(self, fields: Sequence[Field]) -> None:
        """Take `fields`, in order."""
        self.elements = tuple(element for each in fields for element in each.elements)
        self._places = tuple(range(len(self.elements)))
        self._takes = tuple(_together(fields))

    def read(self, message: Any) -> Found:  # noqa: ANN401 - of the source's type
        """Return all values; `WireError` where the message has not all of them."""
        if len(self._takes) == 1:
            return self._places, self._takes[0](message)
        return self._places, [value for take in self._takes for value in take(message)]

    def hint(self, places: Sequence[int]) -> str:
        """Say in words why there may be no values at some places; there is no reason."""
        del places
        return ""


def _together(fields: Sequence[Field]) -> Iterator[Callable[[Any], Values]]:
    """Yield what takes the values: neighbours that paths lead to in one go."""
    paths: list[str] = []
    for each in fields:
        if each.path:
            paths.append(each.path)
            continue
        if paths:
            yield _paths(paths)
            paths = []
        yield each.take
    if paths:
        yield _paths(paths)


def _paths(paths: Sequence[str]) -> Callable[[Any], Values]:
    getter: Callable[[Any], Any] = attrgetter(*paths)
    return getter if len(paths) > 1 else lambda message: (getter(message),)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Where the values are in messages of the same names and sizes."""

    names: list[str]
    sizes: list[int]
    places: tuple[int, ...]
    arrays: tuple[tuple[int, Callable[[Any], Values]], ...]
    """Which arrays, and what takes the values from each, in the order of `places`."""


class NamedReader:
    """The same for messages that call their values by name, and need not have all of them."""

    def __init__(self, fields: Sequence[Field]) -> None:
        """Take `fields`, in order."""
        self.elements = tuple(element for each in fields for element in each.elements)
        self._wanted = tuple((each.array, each.name) for each in fields)
        self._arrays = tuple(dict.fromkeys(array for array, _ in self._wanted))
        self._plan = _Plan([], [], (), ())

    def read(self, message: Any) -> Found:  # noqa: ANN401 - of the source's type
        """Return the values that are there.

        Names that nobody asked for are passed over. `WireError` where a name that somebody asked
        for is there twice, or where there is not a value for each name.
        """
        arrays = [getattr(message, array) for array in self._arrays]
        names, sizes = message.name, [len(values) for values in arrays]
        plan = self._plan
        if plan.names != names or plan.sizes != sizes:
            plan = self._plan = self._planned(list(names), sizes)
        if len(plan.arrays) == 1:
            ((which, take),) = plan.arrays
            return plan.places, take(arrays[which])
        return plan.places, [value for which, take in plan.arrays for value in take(arrays[which])]

    def hint(self, places: Sequence[int]) -> str:
        """Say in words what the newest message has instead of the values at some places."""
        absent = {self._wanted[place] for place in places}
        empty = [array for array, size in zip(self._arrays, self._plan.sizes, strict=False)
                 if not size and any(array == each for each, _ in absent)]
        if empty:
            return f"its messages have no {empty[0]}"
        return f"its messages have {shown(self._plan.names)}"

    def _planned(self, names: list[str], sizes: list[int]) -> _Plan:
        places: list[int] = []
        arrays = []
        for which, (array, size) in enumerate(zip(self._arrays, sizes, strict=True)):
            if size not in (0, len(names)):
                raise WireError(f"{array}: {size} values for {len(names)} names")
            found = [(place, index) for place, (of, name) in enumerate(self._wanted)
                     if of == array and size and (index := place_of(name, names)) is not None]
            if found:
                places += [place for place, _ in found]
                arrays.append((which, _taking([index for _, index in found])))
        return _Plan(names, sizes, tuple(places), tuple(arrays))


def _taking(indices: Sequence[int]) -> Callable[[Any], Values]:
    getter = itemgetter(*indices)
    return getter if len(indices) > 1 else lambda values: (getter(values),)


def reader(fields: Sequence[Field]) -> Reader | NamedReader:
    """Return what takes the values of `fields`, which are all of one source."""
    return NamedReader(fields) if any(each.array for each in fields) else Reader(fields)
