"""Values in a Game Boy's memory: where they stand and how they are written."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from realtime_rl.core.errors import PlantError, choices

INTEGERS = {"u8": (1, "little", False), "i8": (1, "little", True),
            "u16le": (2, "little", False), "u16be": (2, "big", False),
            "i16le": (2, "little", True), "i16be": (2, "big", True),
            "u24le": (3, "little", False), "u24be": (3, "big", False),
            "u32le": (4, "little", False), "u32be": (4, "big", False)}
"""By kind: bytes, their order, and whether the value has a sign."""
SIZED = ("bcd", "bcd_be", "digits")
"""Kinds that need a number of bytes. `bcd`: two decimal digits a byte, the byte with the lowest
digits first; `bcd_be`: last; `digits`: one decimal digit a byte, the highest first, as text is."""
KINDS = (*INTEGERS, *SIZED)
ASCII_ZERO = 0x30
MOST_BYTES = 8
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
    mask: int = -1
    """Only these bits of it count, where they are; -1: all."""
    bits: bool = False
    """How many of the bits are set is the value, not what they say."""
    zero: int = ASCII_ZERO
    """Of `digits`: the byte that says 0. One that says no digit counts as 0, as a blank does."""

    @staticmethod
    def of(address: int, kind: str, size: int | None = None, *, mask: int = -1,
           bits: bool = False, zero: int = ASCII_ZERO) -> Cell:
        """Make a cell. `PlantError` when the parts do not fit."""
        if kind not in KINDS:
            raise PlantError(f"type {kind!r}; choose from {choices(KINDS)}")
        if (size is None) == (kind in SIZED):
            needs = "needs bytes" if kind in SIZED else f"has none, only {choices(SIZED)} have"
            raise PlantError(f"type {kind!r}, bytes {size!r}: {kind!r} {needs}")
        own = INTEGERS[kind][0] if size is None else size
        cell = Cell(address, kind, own, mask, bits, zero)
        if not 1 <= own <= MOST_BYTES or address < 0 or address + own - 1 > LAST_ADDRESS:
            raise PlantError(f"address {address:#06x} with {own} bytes is outside memory")
        if (mask != -1 or bits) and (kind in SIZED or cell._signed):
            raise PlantError(f"type {kind!r} has no bits to choose or count: use an unsigned one")
        return cell

    @property
    def low(self) -> int:
        """The smallest value that fits."""
        return -(1 << 8 * self.size - 1) if self._signed else 0

    @property
    def high(self) -> int:
        """The largest value that fits."""
        if self.kind in SIZED:
            return int((10 if self.kind == "digits" else 100)**self.size) - 1
        whole = (1 << 8 * self.size) - 1
        kept = whole & self.mask
        return kept.bit_count() if self.bits else kept >> self._signed

    @property
    def _signed(self) -> bool:
        return self.kind in INTEGERS and INTEGERS[self.kind][2]

    def moved(self, offset: int) -> Cell:
        """Return the same so many bytes further on; `PlantError` outside memory."""
        sized = self.size if self.kind in SIZED else None
        return Cell.of(self.address + offset, self.kind, sized, mask=self.mask, bits=self.bits,
                       zero=self.zero)

    def read(self, memory: Memory) -> int:
        """Return the value."""
        return self.reader()(memory)

    def reader(self) -> Callable[[Memory], int]:
        """Return what reads the value: for who does so at every tick."""
        whole, mask = self._whole(), self.mask
        if self.bits:
            return lambda memory: (whole(memory) & mask).bit_count()
        return whole if mask == -1 else lambda memory: whole(memory) & mask

    def _whole(self) -> Callable[[Memory], int]:
        kind, address = self.kind, self.address
        one: Callable[[Memory], int] = operator.itemgetter(address)
        if kind == "u8":
            return one
        if kind == "i8":
            return lambda memory: _SIGNED[one(memory)]
        if kind in SIZED:
            return self._decimal()
        if kind in ("u16le", "u16be"):
            high, low = (address, address + 1) if kind == "u16be" else (address + 1, address)
            return lambda memory: memory[high] << 8 | memory[low]
        _, order, signed = INTEGERS[kind]
        places = range(address, address + self.size)
        return lambda memory: int.from_bytes(
            [memory[at] for at in places], "big" if order == "big" else "little", signed=signed)

    def _decimal(self) -> Callable[[Memory], int]:
        size, zero = self.size, self.zero
        base = 10 if self.kind == "digits" else 100
        powers = range(size) if self.kind == "bcd" else range(size - 1, -1, -1)
        places = [(self.address + place, base**power) for place, power in enumerate(powers)]
        if self.kind != "digits":
            return lambda memory: sum(_DECIMAL[memory[at]] * weight for at, weight in places)
        meaning = tuple(byte - zero if 0 <= byte - zero < 10 else 0 for byte in range(256))
        return lambda memory: sum(meaning[memory[at]] * weight for at, weight in places)

    def write(self, memory: Memory, value: int) -> None:
        """Store a value; `PlantError` when it does not fit. A mask leaves the other bits alone."""
        if not self.low <= value <= self.high or self.bits or value & ~self.mask:
            raise PlantError(f"value {value!r} does not fit {self.kind} at {self.address:#06x}: "
                             f"{self.low} … {self.high}")
        for offset, byte in enumerate(self._bytes(value, memory)):
            memory[self.address + offset] = byte

    def _bytes(self, value: int, memory: Memory) -> bytes:
        if self.kind == "digits":
            return bytes(self.zero + int(digit) for digit in f"{value:0{self.size}d}")
        if self.kind in SIZED:
            pairs = [value // 100**place % 100 for place in range(self.size)]
            data = bytes(pair // 10 << 4 | pair % 10 for pair in pairs)
            return data if self.kind == "bcd" else data[::-1]
        _, order, signed = INTEGERS[self.kind]
        if self.mask != -1:
            value |= self._whole()(memory) & ~self.mask
        return value.to_bytes(self.size, "big" if order == "big" else "little", signed=signed)
