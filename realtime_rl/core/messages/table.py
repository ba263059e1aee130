"""Records in columns: a sequence of records of one kind that holds the values of a field together.

Hours of a run fit into memory so, and figures are computed of whole columns. Whoever reads records
one by one gets them as they were. Numbers are stored as narrow as holds them exactly, and are given
out as int64 and float64, so that nothing overflows.
"""

from __future__ import annotations

import functools
import typing
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any, Generic, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

Record = TypeVar("Record")
Rows = slice | NDArray[np.intp] | NDArray[np.bool_]
Values = NDArray[np.generic]
_MANY_TEXTS = 64
_BLOCK = 1024
"""Records that are made of columns at a time."""


class Numbers:
    """A column of numbers, flags or members of an enumeration."""

    def __init__(self, values: Values, kind: type) -> None:
        """Take the values, which are exactly of `kind`; they are not changed afterwards."""
        self.values = _narrow(values)
        self.values.flags.writeable = False
        self.kind = kind

    def __getitem__(self, rows: Rows) -> Numbers:
        """Return the column of some rows."""
        part = object.__new__(Numbers)
        part.values, part.kind = self.values[rows], self.kind
        return part

    def tolist(self) -> list[Any]:
        """Return the values as they are in records."""
        values: list[Any] = self.values.tolist()
        if issubclass(self.kind, IntEnum):
            members = {int(member): member for member in self.kind}
            return [members[value] for value in values]
        return values

    @staticmethod
    def joined(parts: Sequence[Numbers]) -> Numbers:
        """Join columns of one field."""
        return Numbers(np.concatenate([part.values for part in parts]), parts[0].kind)


class Texts:
    """A column of texts, most of them equal to others."""

    def __init__(self, codes: Values, texts: Sequence[str]) -> None:
        """Take places in `texts`, which are distinct."""
        self.codes = _narrow(codes)
        self.texts = texts

    def __getitem__(self, rows: Rows) -> Texts:
        """Return the column of some rows."""
        return Texts(self.codes[rows], self.texts)

    def tolist(self) -> list[Any]:
        """Return the values as they are in records."""
        return [self.texts[code] for code in self.codes.tolist()]

    @staticmethod
    def of(values: Sequence[str]) -> Texts:
        """Make a column."""
        places: dict[str, int] = {}
        codes = np.array([places.setdefault(value, len(places)) for value in values], np.int64)
        return Texts(codes, tuple(places))

    @staticmethod
    def joined(parts: Sequence[Texts]) -> Texts:
        """Join columns of one field."""
        places: dict[str, int] = {}
        codes = []
        for part in parts:
            known = np.array([places.setdefault(text, len(places)) for text in part.texts],
                             np.int64)
            codes.append(_narrow(known[part.codes]) if len(part.texts) else part.codes)
        joined = Texts(np.concatenate(codes), tuple(places))
        return joined._used() if len(places) > _MANY_TEXTS else joined

    def _used(self) -> Texts:
        """Leave out the texts that no row has any more."""
        codes, rows = np.unique(self.codes, return_inverse=True)
        return Texts(rows, [self.texts[code] for code in codes.tolist()])


class Lists:
    """A column of lists of numbers, each of a length of its own."""

    def __init__(self, items: Values, begins: Values, counts: Values) -> None:
        """Take all items, one list after another, and where in them each list lies."""
        self.items = _narrow(items)
        self.begins = begins
        self.counts = _narrow(counts)

    def __getitem__(self, rows: Rows) -> Lists:
        """Return the column of some rows; the items are shared."""
        part = object.__new__(Lists)
        part.items, part.begins, part.counts = self.items, self.begins[rows], self.counts[rows]
        return part

    def tolist(self) -> list[Any]:
        """Return the values as they are in records."""
        return [tuple(self.items[begin:begin + count].tolist())
                for begin, count in zip(self.begins.tolist(), self.counts.tolist(), strict=True)]

    @staticmethod
    def of(values: Sequence[Sequence[float]], kind: type) -> Lists:
        """Make a column of lists of int or float."""
        counts = np.array([len(value) for value in values], np.int64)
        items = np.array([item for value in values for item in value],
                         np.int64 if issubclass(kind, int) else np.float64)
        return Lists.one_after_another(items, counts)

    @staticmethod
    def one_after_another(items: Values, counts: NDArray[np.int64]) -> Lists:
        """Make a column of all items and the lengths of the lists."""
        return Lists(items, np.cumsum(counts) - counts, counts)

    @staticmethod
    def joined(parts: Sequence[Lists]) -> Lists:
        """Join columns of one field."""
        parts = [part._used() for part in parts]
        sizes = [part.items.size for part in parts]
        offsets = np.cumsum(sizes) - sizes
        begins = np.concatenate([part.begins + offset
                                 for part, offset in zip(parts, offsets, strict=True)])
        return Lists(np.concatenate([part.items for part in parts]), _narrow(begins),
                     np.concatenate([part.counts for part in parts]))

    def _used(self) -> Lists:
        """Leave out the items of lists that are not there any more."""
        counts = self.counts.astype(np.int64)
        total = int(counts.sum())
        if total == self.items.size:
            return self
        ends = np.cumsum(counts)
        begins = self.begins.astype(np.int64)
        places = np.repeat(begins - (ends - counts), counts) + np.arange(total)
        return Lists.one_after_another(self.items[places], counts)


Column = Numbers | Texts | Lists


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
            name: _column([getattr(record, name) for record in records], hint)
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


def _column(values: list[Any], hint: Any) -> Column:  # noqa: ANN401 - a type hint
    if hint is str:
        return Texts.of(values)
    if typing.get_origin(hint) is tuple:
        return Lists.of(values, typing.get_args(hint)[0])
    kind = bool if hint is bool else np.int64 if issubclass(hint, int) else np.float64
    return Numbers(np.array(values, kind), hint)


def _narrow(values: Values) -> Values:
    """Return the values in the narrowest of some types that holds each of them exactly."""
    if values.size == 0 or values.dtype.itemsize == 1:
        return values
    if values.dtype.kind == "f":
        with np.errstate(over="ignore", invalid="ignore"):
            narrow = values.astype(np.float32)
        # by their bits: a NaN and a zero's sign are values, too
        same = narrow.astype(values.dtype).view(np.int64) == values.view(np.int64) \
            if values.dtype == np.float64 else np.zeros(1, np.bool_)
        return narrow if same.all() else values
    low, high = int(values.min()), int(values.max())
    for kind in (np.int8, np.int16, np.int32):
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return values.astype(kind, copy=False)
    return values
