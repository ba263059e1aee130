"""ROM files: the bundled ones by name, others by path; checked before an emulator sees them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from realtime_rl.core.errors import PlantError, choices
from realtime_rl.files import user_path

_FOLDER = Path(__file__).with_name("roms")
_BANK = 0x4000
_TITLE = slice(0x134, 0x144)
_CHECKED = slice(0x134, 0x14D)
_CHECKSUM = 0x14D
_COLOUR_FLAG = 0x143
_CARTRIDGE = 0x147
_HASHES = "SHA256SUMS"


@dataclass(frozen=True, slots=True)
class Rom:
    """A Game Boy ROM whose header is sound."""

    path: Path
    data: bytes
    sha256: str

    @property
    def name(self) -> str:
        """The file's name without its suffix."""
        return self.path.stem

    @property
    def title(self) -> str:
        """The title in the header."""
        end = _COLOUR_FLAG if self.data[_COLOUR_FLAG] & 0x80 else _TITLE.stop
        return self.data[_TITLE.start:end].split(b"\0")[0].decode("ascii", "replace")

    @property
    def checksum(self) -> int:
        """The header's own checksum, as it stands there."""
        return self.data[_CHECKSUM]

    @property
    def has_clock(self) -> bool:
        """Whether the cartridge has a clock that runs on when the console is off."""
        return self.data[_CARTRIDGE] in (0x0F, 0x10)

    @property
    def rules(self) -> Path | None:
        """The rules file that comes with a bundled ROM."""
        path = self.path.with_suffix(".yaml")
        return path if self.path.parent == _FOLDER and path.is_file() else None

    def __str__(self) -> str:
        """Write title, size and hash."""
        return f"{self.title}, {len(self.data) // 1024} KiB, sha256 {self.sha256[:12]}…"


def bundled() -> list[str]:
    """Return the names of the ROMs that come with the package."""
    return sorted(_hashes())


def playable() -> list[str]:
    """Return the names of those that are games, with rules of their own."""
    return [name for name in bundled() if (_FOLDER / f"{name}.yaml").is_file()]


def find(text: str) -> Rom:
    """Return the ROM of a bundled name or a path.

    `PlantError` where there is no such file, it is not a Game Boy ROM, its header is corrupt, or
    it is a bundled one and has been altered.
    """
    hashes = _hashes()
    path = _FOLDER / f"{text}.gb" if text in hashes else user_path(text)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PlantError(f"ROM {text!r} cannot be read ({error.strerror}); give a path, or a "
                         f"bundled one: {choices(hashes)}") from error
    _check_header(path, data)
    rom = Rom(path, data, hashlib.sha256(data).hexdigest())
    if text in hashes and rom.sha256 != hashes[text]:
        raise PlantError(f"bundled ROM {text!r} was altered: SHA-256 {rom.sha256}, not "
                         f"{hashes[text]}; install the package anew")
    return rom


def _check_header(path: Path, data: bytes) -> None:
    if len(data) < 2 * _BANK or len(data) % _BANK:
        raise PlantError(f"{str(path)!r} is not a Game Boy ROM: {len(data)} bytes, not a multiple "
                         f"of {_BANK} from {2 * _BANK} on")
    expected = -sum(byte + 1 for byte in data[_CHECKED]) & 0xFF
    if data[_CHECKSUM] != expected:
        raise PlantError(f"{str(path)!r} is not a Game Boy ROM, or damaged: header checksum "
                         f"{data[_CHECKSUM]:#04x}, not {expected:#04x}")


def _hashes() -> dict[str, str]:
    """Return SHA-256 by name, from the file that `sha256sum -c` reads as well."""
    lines = (_FOLDER / _HASHES).read_text(encoding="ascii").splitlines()
    return {Path(name).stem: digest for digest, name in (line.split() for line in lines)}
