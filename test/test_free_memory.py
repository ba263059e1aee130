"""How much memory is free, on a machine and in a container."""

from __future__ import annotations

from pathlib import Path

import pytest

from realtime_rl.free_memory import available_bytes


@pytest.mark.parametrize(("limit", "used", "available"), [
    ("max", 100, 3_000_000 * 1024), (None, 100, 3_000_000 * 1024),
    ("1000", 300, 700), ("1000", 1300, 0), ("9000000000", 0, 3_000_000 * 1024)])
def test_the_smaller_of_machine_and_container_counts(
    tmp_path: Path, limit: str | None, used: int, available: int
) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 8000000 kB\nMemAvailable:    3000000 kB\n")
    if limit is not None:
        (tmp_path / "memory.max").write_text(f"{limit}\n")
        (tmp_path / "memory.current").write_text(f"{used}\n")
    assert available_bytes(tmp_path / "meminfo", tmp_path) == available


def test_what_a_container_caches_of_files_is_free(tmp_path: Path) -> None:
    """A recorder fills a container's memory with the pages of its bag."""
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("990\n")
    (tmp_path / "memory.stat").write_text("anon 90\nfile 900\ninactive_file 600\n")
    assert available_bytes(tmp_path / "absent", tmp_path) == 610


def test_a_system_that_does_not_tell_is_not_guessed_about(tmp_path: Path) -> None:
    (tmp_path / "odd").write_text("MemAvailable:\n")
    assert available_bytes(tmp_path / "absent", tmp_path) is None
    assert available_bytes(tmp_path / "odd", tmp_path) is None
