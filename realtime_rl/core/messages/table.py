"""Records in columns: a sequence of records of one kind that holds the values of a field together.

Hours of a run fit into memory so, and figures are computed of whole columns. Whoever reads records
one by one gets them as they were. Numbers are stored as narrow as holds them exactly, and are given
out as int64 and float64, so that nothing overflows.
"""

from __future__ import annotations

import functools
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.messages.columns import Column, Lists, Numbers, Rows, Texts, Values, column_of

Record = TypeVar("Record")
_BLOCK = 1024
"""Records that are made of columns at a time."""


class Table(Sequence[Record], Generic[Record]):
    """A sequence of records of one kind, in columns."""

    def __init__(self, kind: type[Record], size: int, columns: Mapping[str, Column]) -> None:
        """Take a column of `size` values for each field of `kind`."""
        self.kind = kind
        self._size = size
        self._columns = dict(columns)

    @staticmethod
    def of(kind: type[Record], records: Sequence[Record]) -> Table[Record]:
        """Return records as a table; one that is a table already is returned as it is."""
        if isinstance(records, Table):
            return records
        return Table(kind, len(records), {
            name: column_of([getattr(record, name) for record in records], hint)
            for name, hint in fields(kind).items()})

    @staticmethod
    def joined(kind: type[Record], parts: Sequence[Table[Record]]) -> Table[Record]:
        """Join tables; those of `parts` are empty afterwards, so that memory holds either."""
        if not parts:
            return Table.of(kind, ())
        columns: dict[str, Column] = {}
        for name in fields(kind):
            found: Any = [part._columns.pop(name) for part in parts]
            columns[name] = type(found[0]).joined(found)
        size = sum(part._size for part in parts)
        for part in parts:
            part._size = 0
        return Table(kind, size, columns)

    def ints(self, name: str) -> NDArray[np.int64]:
        """Return a field of whole numbers or members of an enumeration; perhaps read-only."""
        return self._numbers(name).astype(np.int64, copy=False)

    def floats(self, name: str) -> NDArray[np.float64]:
        """Return a field of numbers; perhaps read-only."""
        return self._numbers(name).astype(np.float64, copy=False)

    def flags(self, name: str) -> NDArray[np.bool_]:
        """Return a field of flags; perhaps read-only."""
        return self._numbers(name).astype(np.bool_, copy=False)

    def equal(self, name: str, value: int) -> NDArray[np.bool_]:
        """Where a field of numbers has a value."""
        return np.asarray(self._numbers(name) == value)

    def texts(self, name: str, rows: Rows = slice(None)) -> dict[str, None]:
        """Return the distinct values of a field of text, in order of their first appearance."""
        column = self._columns[name]
        assert isinstance(column, Texts)
        codes, first = np.unique(column.codes[rows], return_index=True)
        return {column.texts[code]: None for code in codes[np.argsort(first)].tolist()}

    def is_text(self, name: str, text: str) -> NDArray[np.bool_]:
        """Where a field of text has a value."""
        column = self._columns[name]
        assert isinstance(column, Texts)
        return np.asarray(column.codes == (column.texts.index(text) if text in column.texts
                                           else -1))

    def rows(self, name: str, most: int) -> NDArray[np.float64]:
        """Return a field of lists as rows, shape `(len, width)`, of their first `most` items.

        NaN stands where a list is shorter than the longest.
        """
        column = self._columns[name]
        assert isinstance(column, Lists)
        counts = column.counts.astype(np.int64, copy=False)
        width = min(most, int(counts.max(initial=0)))
        found = np.full((self._size, width), np.nan)
        for place in range(width):
            there = np.flatnonzero(counts > place)
            found[there, place] = column.items[column.begins[there] + place]
        return found

    def where(self, chosen: NDArray[np.bool_]) -> Table[Record]:
        """Return the rows that are chosen; no copy where they follow each other."""
        rows = np.flatnonzero(chosen)
        if rows.size and rows[-1] - rows[0] == rows.size - 1:
            return self[int(rows[0]):int(rows[-1]) + 1]
        return self.take(rows)

    def take(self, rows: NDArray[np.intp]) -> Table[Record]:
        """Return rows by their places, in that order."""
        return Table(self.kind, rows.size,
                     {name: column[rows] for name, column in self._columns.items()})

    def __len__(self) -> int:
        """Return the number of records."""
        return self._size

    @overload
    def __getitem__(self, rows: int) -> Record: ...
    @overload
    def __getitem__(self, rows: slice) -> Table[Record]: ...
    def __getitem__(self, rows: int | slice) -> Record | Table[Record]:
        """Return a record, or the table of a slice, which shares its columns."""
        if isinstance(rows, slice):
            return Table(self.kind, len(range(*rows.indices(self._size))),
                         {name: column[rows] for name, column in self._columns.items()})
        place = range(self._size)[rows]
        return next(iter(self[place:place + 1]))

    def __iter__(self) -> Iterator[Record]:
        """Make the records, some at a time."""
        for begin in range(0, self._size, _BLOCK):
            columns = [self._columns[name][begin:begin + _BLOCK].tolist()
                       for name in fields(self.kind)]
            yield from map(self.kind, *columns)

    def __repr__(self) -> str:
        """Write it as the list of its records."""
        return repr(list(self))

    def _numbers(self, name: str) -> Values:
        column = self._columns[name]
        assert isinstance(column, Numbers)
        return column.values


def fields(kind: Any) -> dict[str, Any]:  # noqa: ANN401 - the type of any record
    """Return the fields of a kind of records, in order, with the types of their values."""
    return _hints(kind)


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


