"""Records of one kind out of very many serialized messages, a block at a time.

The messages of one writer differ in their stamp and numbers only. What the first of them is, `wire`
says; of those whose other bytes are the same the numbers are taken from the same places, and each
is checked as `wire` does. Whatever is otherwise, or refused, goes through `wire` itself.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from realtime_rl.bags import messages
from realtime_rl.core.messages import wire
from realtime_rl.core.messages.table import Column, Lists, Numbers, Table, Texts

Record = TypeVar("Record")
_BLOCK = 4096
"""Messages that are decoded together."""
_MOST_FORMS = 64
"""Forms of messages of one length that a block may teach, and that are kept; more are few."""
_MOST_PARTS = 16
_STAMP = slice(4, 12)
_SECOND_NS = 1_000_000_000

_Bytes = NDArray[np.uint8]
_Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class _Form:
    """Messages that say the same, but for their stamp and numbers."""

    example: _Bytes
    layout: messages.ScalarsLayout
    texts: tuple[str, ...]
    items: tuple[int, ...]
    """How many values each of its lists has."""
    scalars: int
    """How many it says; the others, which older ones lack, are what they are without."""


class Records(Generic[Record]):
    """Records of a kind that are read from serialized messages, in the order of these."""

    def __init__(self, kind: type[Record]) -> None:
        """Begin without any."""
        self._kind = kind
        self._layout = _Layout(kind)
        self._pending: list[bytes] = []
        self._places = array("q")
        self._parts: list[list[Table[Record]]] = [[]]
        """What was decoded: blocks, blocks of blocks, … Many small arrays tear memory to pieces."""
        self._forms: dict[int, list[_Form]] = {}
        self.refused = 0
        """Messages that are no such record."""
        self.first_error: tuple[int, str] | None = None
        """The place of the first of them, and what is wrong with it."""

    def take(self, cdr: bytes, place: int) -> None:
        """Take in a message; places rise."""
        self._pending.append(cdr)
        self._places.append(place)
        if len(self._pending) == _BLOCK:
            self._read()

    def table(self) -> Table[Record]:
        """Return all that could be read; afterwards nothing is left here."""
        self._read()
        return Table.joined(self._kind, [part for parts in reversed(self._parts)
                                         for part in parts])

    def _read(self) -> None:
        """Decode what is pending."""
        if not self._pending:
            return
        block = _Block(self._layout, len(self._pending))
        lengths = np.array([len(cdr) for cdr in self._pending])
        for length in np.unique(lengths).tolist():
            self._read_alike(block, np.flatnonzero(lengths == length), length)
        for row in np.flatnonzero(~block.allowed()).tolist():
            self._read_one(block, row)
        self._keep(block.table(self._kind))
        self._pending.clear()
        del self._places[:]

    def _keep(self, part: Table[Record]) -> None:
        """Append a part, and join those that have become many."""
        for parts in self._parts:
            parts.append(part)
            if len(parts) < _MOST_PARTS:
                return
            part = Table.joined(self._kind, parts)
            parts.clear()
        self._parts.append([part])

    def _read_alike(self, block: _Block, rows: _Rows, length: int) -> None:
        """Decode messages of one length."""
        joined = b"".join([self._pending[row] for row in rows.tolist()])
        data = np.frombuffer(joined, np.uint8).reshape(rows.size, length)
        forms = self._forms.setdefault(length, [])
        for known in forms:
            rows, data = block.put(known, rows, data)
        learned = 0
        while rows.size and learned < _MOST_FORMS:
            form = self._read_one(block, int(rows[0]))
            rows, data = rows[1:], data[1:]
            learned += 1
            if form is not None:
                forms[:] = [form, *forms[:_MOST_FORMS - 1]]
                rows, data = block.put(form, rows, data)
        for row in rows.tolist():
            self._read_one(block, row)

    def _read_one(self, block: _Block, row: int) -> _Form | None:
        """Decode a message by `wire`, and learn its form; it is left out where that refuses it."""
        cdr = self._pending[row]
        try:
            scalars = messages.scalars_from_cdr(cdr)
            record = wire.decode(self._kind, scalars)
        except wire.WireError as error:
            block.leave_out(row)
            self.refused += 1
            place = self._places[row]
            if self.first_error is None or place < self.first_error[0]:
                self.first_error = place, str(error)
            return None
        block.put_record(row, record)
        return self._form(cdr, scalars, record)

    def _form(self, cdr: bytes, scalars: wire.NamedScalars, record: Record) -> _Form | None:
        """Return the form of a message; `None` where its numbers lie elsewhere than ours do."""
        layout, ours = messages.scalars_layout(cdr), self._layout
        items = tuple(len(getattr(record, name)) for name in ours.lists)
        said = len(scalars.names) - sum(items)
        if layout is None or scalars.names != (
                *ours.scalars[:said], *(f"{name}.{item}" for name, count in
                                        zip(ours.lists, items, strict=True)
                                        for item in range(count))):
            return None
        return _Form(np.frombuffer(cdr, np.uint8), layout,
                     tuple(getattr(record, name) for name in ours.texts), items, said)


class _Layout:
    """Which fields of a kind of records are numbers, which are text, and which are lists."""

    def __init__(self, kind: type) -> None:
        fields = {name: field for name, field in wire.fields_of(kind).items()
                  if name != "stamp_ns"}
        self.fields = fields
        self.texts = tuple(name for name, field in fields.items() if field.kind is str)
        self.lists = tuple(name for name, field in fields.items() if field.listed)
        self.scalars = tuple(name for name, field in fields.items()
                             if field.kind is not str and not field.listed)
        self.otherwise = [wire.optional(kind).get(name, math.nan) for name in self.scalars]
        """What scalars are that a message does not have."""


class _Block:
    """Room for the values of some messages, a row each."""

    def __init__(self, layout: _Layout, size: int) -> None:
        self._layout = layout
        self._stamps_ns = np.zeros(size, np.int64)
        self._numbers = np.zeros((size, len(layout.scalars)))
        self._texts = np.zeros((size, len(layout.texts)), np.int64)
        self._known: dict[str, int] = {}
        self._lists = {name: _Lists(size) for name in layout.lists}
        self._given = np.zeros(size, np.bool_)
        """By `wire`, and so checked already."""
        self._left_out = np.zeros(size, np.bool_)

    def put(self, form: _Form, rows: _Rows, data: _Bytes) -> tuple[_Rows, _Bytes]:
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
        self.items: list[tuple[_Rows, NDArray[np.float64]]] = []
        """Rows whose lists are of one length, and their values."""

    def put(self, rows: _Rows, values: NDArray[np.float64]) -> None:
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


def _view(data: _Bytes, kind: str) -> NDArray[Any]:
    """Read the bytes of each row as numbers."""
    return np.ascontiguousarray(data).view(kind)
