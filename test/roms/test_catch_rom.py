"""The bundled ROM is what its source builds, and keeps time."""

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
DIFFICULTY, STOCHASTICITY, SEED, RESTART = 0xC000, 0xC001, 0xC002, 0xC004
FRAMES, LAST_LINE = 0xC011, 0xC015
FIRST_SPRITE_LINE = 16


def test_hash() -> None:
    digest = hashlib.sha256((ROMS / "catch.gb").read_bytes()).hexdigest()
    assert (ROMS / "SHA256SUMS").read_text() == f"{digest}  catch.gb\n"


@pytest.mark.skipif(shutil.which("sdcc") is None or shutil.which("make") is None,
                    reason="sdcc or make is not installed (apt-get install sdcc make)")
def test_source_builds_it_byte_for_byte(tmp_path: Path) -> None:
    version = subprocess.run(["sdcc", "--version"], capture_output=True, text=True, check=True)
    if " 4.2.0 " not in version.stdout:
        pytest.skip(f"another sdcc than 4.2.0: {version.stdout.splitlines()[0]}")
    source = tmp_path / "catch"
    shutil.copytree(ROOT / "roms" / "catch", source)
    subprocess.run(["make", "-s", "-C", str(source), f"BUILD={tmp_path / 'build'}"], check=True)
    assert (tmp_path / "build" / "catch.gb").read_bytes() == (ROMS / "catch.gb").read_bytes()


@pytest.fixture
def emulator() -> Iterator[Any]:
    pyboy = pytest.importorskip("pyboy")
    console = pyboy.PyBoy(io.BytesIO((ROMS / "catch.gb").read_bytes()), window="null",
                          sound_emulated=False, log_level="ERROR")
    console.tick(80, False)
    yield console
    console.stop(save=False)


def test_one_update_a_frame_done_before_the_first_sprite(emulator: Any) -> None:
    """Whatever is pressed and written, and over the wrap of the frame counter."""
    draw, memory = random.Random(1), emulator.memory
    memory[FRAMES + 1] = 0xFF
    before = memory[FRAMES] | memory[FRAMES + 1] << 8
    for _ in range(4000):
        button = draw.choice(["a", "b", "start", "select", "left", "right", "up", "down"])
        (emulator.button_press if draw.random() < 0.5 else emulator.button_release)(button)
        if draw.random() < 0.02:
            for address in (DIFFICULTY, STOCHASTICITY, SEED, SEED + 1):
                memory[address] = draw.randrange(256)
            memory[RESTART] = draw.randrange(2)
        emulator.tick(1, False)
        after = memory[FRAMES] | memory[FRAMES + 1] << 8
        assert (after - before) % 0x10000 == 1
        assert memory[LAST_LINE] < FIRST_SPRITE_LINE
        before = after
