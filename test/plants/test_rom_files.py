from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from realtime_rl.core.errors import PlantError
from realtime_rl.plants import rom_files


@pytest.fixture
def catch() -> bytes:
    return rom_files.find("catch").data


def test_bundled_rom(catch: bytes) -> None:
    rom = rom_files.find("catch")
    assert rom_files.bundled() == ["blocks", "catch", "rehearsal"]
    assert (rom.name, rom.title, len(rom.data)) == ("catch", "CATCH", 32768)
    assert rom.rules is not None and rom.rules.name == "catch.yaml"
    assert not rom.has_clock
    assert str(rom) == f"CATCH, 32 KiB, sha256 {rom.sha256[:12]}…"


def test_rom_by_path_has_no_rules(tmp_path: Path, catch: bytes) -> None:
    path = tmp_path / "mine.gb"
    path.write_bytes(catch)
    rom = rom_files.find(str(path))
    assert rom.rules is None
    assert rom.sha256 == hashlib.sha256(catch).hexdigest()


@pytest.mark.parametrize("content", [b"", b"hello", bytes(0x4000), bytes(0x8001)])
def test_not_a_rom(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "not.gb"
    path.write_bytes(content)
    with pytest.raises(PlantError, match=rf"not.gb' is not a Game Boy ROM: {len(content)} bytes"):
        rom_files.find(str(path))


def test_corrupt_header(tmp_path: Path, catch: bytes) -> None:
    path = tmp_path / "corrupt.gb"
    path.write_bytes(catch[:0x134] + b"X" + catch[0x135:])
    with pytest.raises(PlantError, match="header checksum"):
        rom_files.find(str(path))


@pytest.mark.parametrize("text", ["absent", "/absent/rom.gb", "", "/"])
def test_absent_rom(text: str) -> None:
    bundled = "'blocks', 'catch', 'rehearsal'"
    with pytest.raises(PlantError, match=f"cannot be read.*a bundled one: {bundled}"):
        rom_files.find(text)


def test_altered_bundled_rom(
        tmp_path: Path, catch: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "catch.gb").write_bytes(catch[:-1] + bytes([catch[-1] ^ 1]))
    digest = hashlib.sha256(catch).hexdigest()
    (tmp_path / "SHA256SUMS").write_text(f"{digest}  catch.gb\n")
    monkeypatch.setattr(rom_files, "_FOLDER", tmp_path)
    with pytest.raises(PlantError, match=f"bundled ROM 'catch' was altered: .*not {digest}"):
        rom_files.find("catch")
