"""The bundled ROMs are what their sources build, and keep time."""

from __future__ import annotations

import hashlib
import io
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ROMS = ROOT / "realtime_rl" / "plants" / "roms"
GAMES = ("blocks", "catch")
ROMS_OF_OURS = (*GAMES, "rehearsal")
LEVEL, STOCHASTICITY, SEED, RESTART = 0xC000, 0xC001, 0xC002, 0xC004
GAME_OVER, FRAMES, LAST_LINE = 0xC009, 0xC011, 0xC015
SETTLE_LINE, DRAW_LINE = 0xC01E, 0xC01F
"""Of blocks only."""
FIRST_SPRITE_LINE, FIRST_BLANK_LINE = 16, 144


def test_hashes() -> None:
    lines = [f"{hashlib.sha256((ROMS / f'{game}.gb').read_bytes()).hexdigest()}  {game}.gb\n"
             for game in ROMS_OF_OURS]
    assert (ROMS / "SHA256SUMS").read_text() == "".join(lines)


@pytest.mark.parametrize("game", ROMS_OF_OURS)
@pytest.mark.skipif(shutil.which("sdcc") is None or shutil.which("make") is None,
                    reason="sdcc or make is not installed (apt-get install sdcc make)")
def test_source_builds_it_byte_for_byte(tmp_path: Path, game: str) -> None:
    version = subprocess.run(["sdcc", "--version"], capture_output=True, text=True, check=True)
    if " 4.2.0 " not in version.stdout:
        pytest.skip(f"another sdcc than 4.2.0: {version.stdout.splitlines()[0]}")
    shutil.copytree(ROOT / "roms", tmp_path / "roms")
    subprocess.run(["make", "-s", "-C", str(tmp_path / "roms" / game),
                    f"BUILD={tmp_path / 'build'}"], check=True)
    assert (tmp_path / "build" / f"{game}.gb").read_bytes() == (ROMS / f"{game}.gb").read_bytes()


@pytest.fixture(params=GAMES)
def emulator(request: pytest.FixtureRequest) -> Iterator[Any]:
    pyboy = pytest.importorskip("pyboy")
    console = pyboy.PyBoy(io.BytesIO((ROMS / f"{request.param}.gb").read_bytes()), window="null",
                          sound_emulated=False, log_level="ERROR")
    console.tick(80, False)
    yield console
    console.stop(save=False)


def mash(emulator: Any, draw: random.Random, frames: int) -> Iterator[None]:
    """Press and write whatever, a frame at a time."""
    memory = emulator.memory
    for _ in range(frames):
        button = draw.choice(["a", "b", "start", "select", "left", "right", "up", "down"])
        (emulator.button_press if draw.random() < 0.5 else emulator.button_release)(button)
        if draw.random() < 0.02:
            for address in (LEVEL, STOCHASTICITY, SEED, SEED + 1):
                memory[address] = draw.randrange(256)
            memory[RESTART] = draw.randrange(2)
        emulator.tick(1, False)
        yield


def test_one_update_a_frame_done_before_the_first_sprite(emulator: Any) -> None:
    """Whatever is pressed and written, and over the wrap of the frame counter."""
    memory = emulator.memory
    memory[FRAMES + 1] = 0xFF
    before = memory[FRAMES] | memory[FRAMES + 1] << 8
    for _ in mash(emulator, random.Random(1), 4000):
        after = memory[FRAMES] | memory[FRAMES + 1] << 8
        assert (after - before) % 0x10000 == 1
        assert memory[LAST_LINE] < FIRST_SPRITE_LINE
        before = after


@pytest.mark.parametrize("emulator", ["blocks"], indirect=True)
def test_blocks_does_the_rest_between_the_blanks(emulator: Any) -> None:
    for _ in mash(emulator, random.Random(2), 4000):
        assert emulator.memory[SETTLE_LINE] < FIRST_BLANK_LINE <= emulator.memory[DRAW_LINE]
