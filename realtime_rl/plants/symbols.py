"""Names of addresses, from the `.sym` file that an assembler or emulator writes for a game.

Lines are `BANK:ADDRESS NAME` in hexadecimal, as rgbds and no$gmb write them; `;` begins a comment,
`[sections]` are passed over, and what is in the boot ROM. Where addresses have a bank, `VALUE NAME`
is a constant, and is passed over, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from realtime_rl.core.errors import PlantError

_LINE = re.compile(r"(?:([0-9A-Fa-f]{2,4}):)?([0-9A-Fa-f]{4})\s+(\S+)")
_NO_PLACE = re.compile(r"(?:BOOT:)?[0-9A-Fa-f]{2,8}\s+\S+")
_WORD = re.compile(r"([^\s+]+)(?:\+(\d+|0[xX][0-9A-Fa-f]+))?")
_SWITCHED = range(0xD000, 0xE000)
"""Work RAM of which a colour console has several banks: what is read is the one in use."""
_MOST_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Symbols:
    """Addresses by name, and the file that they are from."""

    source: str = ""
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Bank and address."""

    @staticmethod
    def load(path: Path) -> Symbols:
        """Read a file; `PlantError` where it cannot be read, or is none."""
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError as error:
            raise PlantError(f"symbols {str(path)!r} cannot be read ({error.strerror})") from error
        banked: dict[str, tuple[int, int]] = {}
        bare: dict[str, tuple[int, int]] = {}
        for number, line in enumerate(lines, 1):
            text = line.split(";")[0].strip()
            if not text or text.startswith("["):
                continue
            found = _LINE.fullmatch(text)
            if found is None and _NO_PLACE.fullmatch(text):
                continue
            if found is None:
                raise PlantError(f"{path}:{number}: {text[:60]!r} is no symbol: 'BANK:ADDRESS "
                                 "NAME', in hexadecimal, as in '00:d057 wIsInBattle'")
            place = int(found[1] or "0", 16), int(found[2], 16)
            (banked if found[1] else bare)[found[3]] = place
        return Symbols(str(path), banked or bare)

    def address(self, text: str) -> int:
        """Return the address of `NAME` or `NAME+OFFSET`; `PlantError` names similar ones."""
        found = _WORD.fullmatch(text.strip())
        if not self.source:
            raise PlantError(f"{text!r} is a name, and the rules name no file of 'symbols'")
        if found is None or found[1] not in self.places:
            raise PlantError(f"{text!r} is no symbol of {self.source!r}{self._similar(text)}")
        bank, address = self.places[found[1]]
        if address < 0x8000 or (bank > 1 and address in _SWITCHED):
            raise PlantError(f"{text!r} is at {bank:02x}:{address:04x}, "
                             + ("in ROM" if address < 0x8000 else
                                "in a bank of RAM that need not be the one in use"))
        return address + int(found[2] or "0", 0)

    def near(self, address: int) -> str:
        """Return the name of an address, as `NAME+OFFSET` of one up to 31 bytes before it."""
        below = [(place, name) for name, (_, place) in self.places.items()
                 if address - 32 < place <= address]
        if not below:
            return ""
        place, name = max(below)
        return name if place == address else f"{name}+{address - place}"

    def _similar(self, text: str) -> str:
        wanted = text.split("+", maxsplit=1)[0].strip().lower()
        near = sorted(name for name in self.places
                      if wanted and (wanted in name.lower() or name.lower() in wanted))
        shown = ", ".join(map(repr, near[:_MOST_SHOWN]))
        return f"; similar: {shown}" if near else ""
