"""A column: the values of one field of many records, stored as narrow as holds them exactly."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = slice | NDArray[np.intp] | NDArray[np.bool_]
Values = NDArray[np.generic]
_MANY_TEXTS = 64


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


def column_of(values: list[Any], hint: Any) -> Column:  # noqa: ANN401 - a type hint
    """Make the column of a field's values; `hint` says what the field holds."""
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
