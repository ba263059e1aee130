"""Values in a Game Boy's memory: where they stand and how they are written."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from realtime_rl.core.errors import PlantError, choices

KINDS = ("u8", "i8", "u16le", "u16be", "bcd")
"""`bcd`: two decimal digits a byte, the byte with the lowest digits first."""
_SIZES = {"u8": 1, "i8": 1, "u16le": 2, "u16be": 2}
_SIGNED = tuple(byte - 256 if byte > 127 else byte for byte in range(256))
_DECIMAL = tuple((byte >> 4) * 10 + (byte & 15) for byte in range(256))
"""What a byte means, by its kind."""
LAST_ADDRESS = 0xFFFF


class Memory(Protocol):
    """The 64 KiB that the console's processor sees; one byte an address."""

    def __getitem__(self, address: int, /) -> int:
        """Read a byte."""

    def __setitem__(self, address: int, value: int, /) -> None:
        """Write a byte."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A value in memory: its first address, its kind, its size in bytes."""

    address: int
    kind: str
    size: int

    @staticmethod
    def of(address: int, kind: str, size: int | None = None) -> Cell:
        """Make a cell; `size` is for `bcd` only. `PlantError` when the parts do not fit."""
        if kind not in KINDS:
            raise PlantError(f"type {kind!r}; choose from {choices(KINDS)}")
        if (size is None) == (kind == "bcd"):
            raise PlantError(f"type {kind!r}, bytes {size!r}: 'bcd' needs bytes, "
                             "the other types have none")
        cell = Cell(address, kind, _SIZES.get(kind, 0) if size is None else size)
        if cell.size < 1 or address < 0 or address + cell.size - 1 > LAST_ADDRESS:
            raise PlantError(f"address {address:#06x} with {cell.size} bytes is outside memory")
        return cell

    @property
    def low(self) -> int:
        """The smallest value that fits."""
        return -128 if self.kind == "i8" else 0

    @property
    def high(self) -> int:
        """The largest value that fits."""
        if self.kind == "bcd":
            return int(100**self.size) - 1
        return {"u8": 255, "i8": 127}.get(self.kind, 65535)

    def read(self, memory: Memory) -> int:
        """Return the value."""
        return self.reader()(memory)

    def reader(self) -> Callable[[Memory], int]:
        """Return what reads the value: for who does so at every tick."""
        kind, address = self.kind, self.address
        one: Callable[[Memory], int] = operator.itemgetter(address)
        if kind == "u8":
            return one
        if kind == "i8":
            return lambda memory: _SIGNED[one(memory)]
        if kind == "bcd":
            places = [(address + place, 100**place) for place in range(self.size)]
            return lambda memory: sum(_DECIMAL[memory[at]] * weight for at, weight in places)
        high, low = (address, address + 1) if kind == "u16be" else (address + 1, address)
        return lambda memory: memory[high] << 8 | memory[low]

    def write(self, memory: Memory, value: int) -> None:
        """Store a value; `PlantError` when it does not fit."""
        if not self.low <= value <= self.high:
            raise PlantError(f"value {value!r} does not fit {self.kind} at {self.address:#06x}: "
                             f"{self.low} … {self.high}")
        if self.kind == "bcd":
            pairs = [value // 100**place % 100 for place in range(self.size)]
            data = bytes(pair // 10 << 4 | pair % 10 for pair in pairs)
        else:
            data = value.to_bytes(self.size, "big" if self.kind == "u16be" else "little",
                                  signed=self.kind == "i8")
        for offset, byte in enumerate(data):
            memory[self.address + offset] = byte
