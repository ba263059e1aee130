"""What the rules of a game measure: one value in memory, several joined into one, or a counter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from realtime_rl.core.errors import PlantError, choices
from realtime_rl.plants.ram_values import Cell, Memory

Read = int | Sequence[int]
"""What was read of a value: a number, or one for each element of an array."""
FOLDS: dict[str, Callable[[list[int]], int]] = {"sum": sum, "min": min, "max": max}
"""Make one value of an array."""
QUANTIFIERS = ("any", "all", "each")
"""Make one truth of what holds of the elements; `each`: as many as it holds of."""
JOINS = (*FOLDS, *QUANTIFIERS)
MOST_ELEMENTS = 1024


@dataclass(frozen=True, slots=True)
class Value:
    """Something that is read at every tick."""

    cells: tuple[Cell, ...] = ()
    """One, or the elements of an array."""
    join: str = ""
    """How the elements of an array count together, of `JOINS`; empty: it is none."""
    counter: str = ""
    """In place of cells: a counter of the rules, as it stands in this episode."""
    modulo: int = 0
    """The value begins anew at so much: a change is the shorter way round. 0: it does not."""

    @staticmethod
    def of(cell: Cell) -> Value:
        """One value."""
        return Value((cell,))

    @staticmethod
    def array(cell: Cell, count: int, stride: int, join: str, modulo: int = 0) -> Value:
        """So many values, each so many bytes after the one before; `PlantError`."""
        if join not in JOINS:
            raise PlantError(f"join {join!r}; choose from {choices(JOINS)}")
        return Value(tuple(cell.moved(stride * index) for index in range(count)), join,
                     modulo=modulo)

    @property
    def low(self) -> int:
        """The smallest that it, or an element of it, can be."""
        if self.counter:
            return 0
        return self.cells[0].low * (len(self.cells) if self.join == "sum" else 1)

    @property
    def high(self) -> int:
        """The largest that it, or an element of it, can be."""
        if self.counter:
            return 2**53
        return self.cells[0].high * (len(self.cells) if self.join == "sum" else 1)

    @property
    def one(self) -> bool:
        """Whether it is one number."""
        return self.join not in QUANTIFIERS

    def reader(self) -> Callable[[Memory], Read]:
        """Return what reads it; of a counter, there is nothing to read."""
        readers = [cell.reader() for cell in self.cells]
        if not self.join:
            return readers[0]
        if self.join not in FOLDS:
            return lambda memory: [read(memory) for read in readers]
        fold = FOLDS[self.join]
        return lambda memory: fold([read(memory) for read in readers])

    def change(self) -> Callable[[int, int], int]:
        """Return what tells a change: of what is now and what was before."""
        if not self.modulo:
            return lambda now, before: now - before
        modulo, half = self.modulo, self.modulo // 2

        def around(now: int, before: int) -> int:
            way = (now - before) % modulo
            return way - modulo if way > half else way
        return around
