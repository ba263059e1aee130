"""Records of one kind out of very many serialized messages, a block at a time.

The messages of one writer differ in their stamp and numbers only. What the first of them is, `wire`
says; of those whose other bytes are the same the numbers are taken from the same places, and each
is checked as `wire` does. Whatever is otherwise, or refused, goes through `wire` itself.
"""

from __future__ import annotations

from array import array
from typing import Generic, TypeVar

import numpy as np

from realtime_rl.bags import messages
from realtime_rl.bags.record_block import Block, Form, Layout, Rows
from realtime_rl.core.messages import wire
from realtime_rl.core.messages.table import Table

Record = TypeVar("Record")
_BLOCK = 4096
"""Messages that are decoded together."""
_MOST_FORMS = 64
"""Forms of messages of one length that a block may teach, and that are kept; more are few."""
_MOST_PARTS = 16


class Records(Generic[Record]):
    """Records of a kind that are read from serialized messages, in the order of these."""

    def __init__(self, kind: type[Record]) -> None:
        """Begin without any."""
        self._kind = kind
        self._layout = Layout(kind)
        self._pending: list[bytes] = []
        self._places = array("q")
        self._parts: list[list[Table[Record]]] = [[]]
        """What was decoded: blocks, blocks of blocks, … Many small arrays tear memory to pieces."""
        self._forms: dict[int, list[Form]] = {}
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
        block = Block(self._layout, len(self._pending))
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

    def _read_alike(self, block: Block, rows: Rows, length: int) -> None:
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

    def _read_one(self, block: Block, row: int) -> Form | None:
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

    def _form(self, cdr: bytes, scalars: wire.NamedScalars, record: Record) -> Form | None:
        """Return the form of a message; `None` where its numbers lie elsewhere than ours do."""
        layout, ours = messages.scalars_layout(cdr), self._layout
        items = tuple(len(getattr(record, name)) for name in ours.lists)
        said = len(scalars.names) - sum(items)
        if layout is None or scalars.names != (
                *ours.scalars[:said], *(f"{name}.{item}" for name, count in
                                        zip(ours.lists, items, strict=True)
                                        for item in range(count))):
            return None
        return Form(np.frombuffer(cdr, np.uint8), layout,
                     tuple(getattr(record, name) for name in ours.texts), items, said)


