"""The bundled ROM `rehearsal` in the place of games that are not ours: header, states, memory."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from realtime_rl.plants import rom_files
from realtime_rl.plants.emulator import Emulator

SCRIPT, SHIFT, RESTART = 0xC000, 0xC001, 0xC004
SCRIPTS = ("falling", "won", "lost", "draw", "new_kind", "known_kind", "escaped", "beaten",
           "at_once", "six_lost", "six_won")
_BANK = 0x4000


@dataclass(frozen=True)
class Header:
    """What a game's header says; from the cartridge's public description, nothing of its ROM."""

    title: str
    licensee: bytes
    super_console: int
    cartridge: int
    banks_power: int
    ram: int
    destination: int
    maker: int
    version: int = 0
    colour: int = 0

    @property
    def checked(self) -> bytes:
        """The bytes that the header's checksum is of."""
        title = bytearray(self.title.encode("ascii").ljust(16, b"\0"))
        title[15] |= self.colour
        return bytes(title) + self.licensee + bytes((
            self.super_console, self.cartridge, self.banks_power, self.ram, self.destination,
            self.maker, self.version))


def _monsters(title: str, cartridge: int, colour: int = 0) -> Header:
    return Header(title, b"01", 3, cartridge, 5, 3, 1, 0x33, colour=colour)


HEADERS = {
    "tetris": Header("TETRIS", b"\0\0", 0, 0, 0, 0, 0, 1, version=1),
    "tetris_old": Header("TETRIS", b"\0\0", 0, 0, 0, 0, 0, 1),
    "red": _monsters("POKEMON RED", 0x13), "blue": _monsters("POKEMON BLUE", 0x13),
    "yellow": _monsters("POKEMON YELLOW", 0x1B, 0x80)}


def rom(folder: Path, game: str) -> Path:
    """Write the rehearsal under the header of a game."""
    path = folder / f"{game}.gb"
    if not path.exists():
        data, checked = bytearray(rom_files.find("rehearsal").data), HEADERS[game].checked
        data[0x134:0x14D] = checked
        data[0x14D] = -sum(byte + 1 for byte in checked) & 0xFF
        data += bytes((2 << HEADERS[game].banks_power) * _BANK - len(data))
        path.write_bytes(data)
    return path


def state(folder: Path, game: str, script: str) -> Path:
    """Write a state from which a script begins in the next frame."""
    path = folder / f"{game}-{script}.state"
    emulator = Emulator(rom_files.find(str(rom(folder, game))))
    try:
        emulator.run(90)
        emulator.memory[SCRIPT] = SCRIPTS.index(script)
        emulator.memory[SHIFT] = game == "yellow"
        emulator.memory[RESTART] = 1
        path.write_bytes(emulator.save())
    finally:
        emulator.close()
    return path


@cache
def trace(game: str, script: str, frames: int) -> tuple[bytes, ...]:
    """Return memory after each frame: the first is an episode's first tick, as a plant has it."""
    emulator = Emulator(rom_files.find("rehearsal"))
    try:
        emulator.run(90)
        emulator.memory[SCRIPT] = SCRIPTS.index(script)
        emulator.memory[SHIFT] = game == "yellow"
        emulator.memory[RESTART] = 1
        emulator.run(1)
        found = []
        for _ in range(frames):
            emulator.run(1)
            found.append(bytes(emulator.memory[address] for address in range(0xC000, 0x10000)))
        return tuple(bytes(0xC000) + seen for seen in found)
    finally:
        emulator.close()
