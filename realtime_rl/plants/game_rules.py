"""Rules files by name: those of known games, that the package has; others by path."""

from __future__ import annotations

from pathlib import Path

from realtime_rl.core.errors import PlantError, choices
from realtime_rl.files import user_path
from realtime_rl.plants.ram_rules import KnownRom, Rules
from realtime_rl.plants.rom_files import Rom
from realtime_rl.plants.rules_file import load_rules

_FOLDER = Path(__file__).with_name("games")


def names() -> list[str]:
    """Return the names of the rules that come with the package, for ROMs that do not."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def load(name: str) -> Rules:
    """Return the rules of a name, or of a path; `PlantError`."""
    return load_rules(_FOLDER / f"{name}.yaml" if name in names() else user_path(name))


def known(name: str) -> Rules:
    """Return the rules of a name; `PlantError` with the names for any other."""
    if name not in names():
        raise PlantError(f"no game {name!r}; choose from {choices(names())}")
    return load(name)


def rules_for(rom: Rom, name: str) -> Rules:
    """Return the rules of an option, else the ROM's own; `PlantError` for those of another ROM."""
    if name:
        rules = load(name)
    else:
        rules = load_rules(rom.rules) if rom.rules else Rules(f"no rules file{_hint(rom)}")
    _check(rules, rom)
    return rules


def _hint(rom: Rom) -> str:
    fitting = [name for name in names()
               if any(_is(known, rom) for known in load(name).roms)]
    return f" (for {rom.title} there are rules={', rules='.join(fitting)})" if fitting else ""


def _is(known: KnownRom, rom: Rom) -> bool:
    return known.title == rom.title and known.checksum == rom.checksum


def _check(rules: Rules, rom: Rom) -> None:
    if rules.title not in (None, rom.title) or rules.sha256 not in (None, rom.sha256):
        raise PlantError(f"{rules.source!r} is for the ROM {rules.title!r}, SHA-256 "
                         f"{rules.sha256 or 'any'}; {str(rom.path)!r} is {rom.title!r}, "
                         f"SHA-256 {rom.sha256}")
    if rules.roms and not any(_is(known, rom) for known in rules.roms):
        wanted = " or ".join(f"{known.name} (title {known.title!r}, header checksum "
                             f"{known.checksum:#04x})" for known in rules.roms)
        raise PlantError(f"{rules.source!r} is for {wanted}; {str(rom.path)!r} has the title "
                         f"{rom.title!r} and the header checksum {rom.checksum:#04x}")
