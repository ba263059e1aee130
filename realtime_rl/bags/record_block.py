"""Room for the values of some records, filled from serialized messages of forms that are known."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from realtime_rl.bags import messages
from realtime_rl.core.messages.columns import Column, Lists, Numbers, Texts
from realtime_rl.core.messages.record_fields import fields_of, optional
from realtime_rl.core.messages.table import Table

Record = TypeVar("Record")
_STAMP = slice(4, 12)
_SECOND_NS = 1_000_000_000

Bytes = NDArray[np.uint8]
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Form:
    """Messages that say the same, but for their stamp and numbers."""

    example: Bytes
    layout: messages.ScalarsLayout
    texts: tuple[str, ...]
    items: tuple[int, ...]
    """How many values each of its lists has."""
    scalars: int
    """How many it says; the others, which older ones lack, are what they are without."""


class Layout:
    """Which fields of a kind of records are numbers, which are text, and which are lists."""

    def __init__(self, kind: type) -> None:
        """Lay out records of `kind`."""
        fields = {name: field for name, field in fields_of(kind).items()
                  if name != "stamp_ns"}
        self.fields = fields
        self.texts = tuple(name for name, field in fields.items() if field.kind is str)
        self.lists = tuple(name for name, field in fields.items() if field.listed)
        self.scalars = tuple(name for name, field in fields.items()
                             if field.kind is not str and not field.listed)
        self.otherwise = [optional(kind).get(name, math.nan) for name in self.scalars]
        """What scalars are that a message does not have."""


class Block:
    """Room for the values of some messages, a row each."""

    def __init__(self, layout: Layout, size: int) -> None:
        """Make room for `size` records."""
        self._layout = layout
        self._stamps_ns = np.zeros(size, np.int64)
        self._numbers = np.zeros((size, len(layout.scalars)))
        self._texts = np.zeros((size, len(layout.texts)), np.int64)
        self._known: dict[str, int] = {}
        self._lists = {name: _Lists(size) for name in layout.lists}
        self._given = np.zeros(size, np.bool_)
        """By `wire`, and so checked already."""
        self._left_out = np.zeros(size, np.bool_)

    def put(self, form: Form, rows: Rows, data: Bytes) -> tuple[Rows, Bytes]:
        """Take the messages of a form; return the rows and the data of the others."""
        differs = ((data ^ form.example) & form.layout.significant).any(axis=1)
        mine, found = rows[~differs], data[~differs]
        if mine.size:
            taken, begin = form.scalars, form.layout.values_at
            values = _view(found[:, begin:begin + 8 * (taken + sum(form.items))], "<f8")
            self._numbers[mine, :taken] = values[:, :taken]
            self._numbers[mine, taken:] = self._layout.otherwise[taken:]
            for name, count in zip(self._layout.lists, form.items, strict=True):
                self._lists[name].put(mine, values[:, taken:taken + count])
                taken += count
            self._texts[mine] = self._codes(form.texts)
            seconds, nanoseconds = _view(found[:, _STAMP], "<u4").astype(np.int64).T
            valid = (seconds < 2**31) & (nanoseconds < _SECOND_NS)
            self._stamps_ns[mine] = np.where(valid, seconds * _SECOND_NS + nanoseconds, -1)
        return rows[differs], data[differs]

    def put_record(self, row: int, record: Any) -> None:  # noqa: ANN401 - any record
        """Take a record that was read otherwise."""
        layout = self._layout
        self._stamps_ns[row] = record.stamp_ns
        self._numbers[row] = [float(getattr(record, name)) for name in layout.scalars]
        self._texts[row] = self._codes(getattr(record, name) for name in layout.texts)
        for name in layout.lists:
            self._lists[name].put(np.array([row]), np.array([getattr(record, name)], np.float64))
        self._given[row] = True

    def leave_out(self, row: int) -> None:
        """Leave out what is no record."""
        self._left_out[row] = True

    def allowed(self) -> NDArray[np.bool_]:
        """Whether all values of a row are what they may be, or are known to be left out."""
        fields, layout = self._layout.fields, self._layout
        allowed = self._stamps_ns >= 0
        for index, name in enumerate(layout.scalars):
            allowed &= fields[name].allows(self._numbers[:, index])
        for name, lists in self._lists.items():
            for rows, items in lists.items:
                allowed[rows] &= fields[name].allows(items).all(axis=1)
        return allowed | self._given | self._left_out

    def table(self, kind: type[Record]) -> Table[Record]:
        """Return what was taken in, but for what was left out."""
        layout, kept = self._layout, ~self._left_out
        columns: dict[str, Column] = {"stamp_ns": Numbers(self._stamps_ns[kept], int)}
        for index, name in enumerate(layout.scalars):
            field = layout.fields[name]
            values = self._numbers[kept, index]
            if field.kind is not float:
                values = values.astype(np.bool_ if field.kind is bool else np.int64)
            columns[name] = Numbers(values, field.kind)
        for index, name in enumerate(layout.texts):
            columns[name] = Texts(self._texts[kept, index], tuple(self._known))
        columns.update((name, lists.column(kept, layout.fields[name].kind))
                       for name, lists in self._lists.items())
        return Table(kind, int(kept.sum()), columns)

    def _codes(self, texts: Iterator[str] | tuple[str, ...]) -> list[int]:
        return [self._known.setdefault(text, len(self._known)) for text in texts]


class _Lists:
    """The values of one field of lists, of the rows of a block."""

    def __init__(self, size: int) -> None:
        self._counts = np.zeros(size, np.int64)
        self.items: list[tuple[Rows, NDArray[np.float64]]] = []
        """Rows whose lists are of one length, and their values."""

    def put(self, rows: Rows, values: NDArray[np.float64]) -> None:
        """Take the lists of some rows."""
        self._counts[rows] = values.shape[1]
        self.items.append((rows, values))

    def column(self, kept: NDArray[np.bool_], kind: type) -> Lists:
        """Return the lists of the rows that are kept."""
        begins = np.cumsum(self._counts) - self._counts
        flat = np.zeros(int(self._counts.sum()))
        for rows, values in self.items:
            kept_items = kept[rows]
            flat[begins[rows[kept_items]][:, None] + np.arange(values.shape[1])] = \
                values[kept_items]
        if kind is not float:
            flat = flat.astype(np.int64)
        return Lists(flat, begins, self._counts)[kept]


def _view(data: Bytes, kind: str) -> NDArray[Any]:
    """Read the bytes of each row as numbers."""
    return np.ascontiguousarray(data).view(kind)
