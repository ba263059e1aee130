"""CPU and memory of processes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from realtime_rl.bench.usage import Usage

HERTZ = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def process(proc: Path, pid: int, cpu_s: float, pages: int, name: str = "python3") -> None:
    folder = proc / str(pid)
    folder.mkdir(exist_ok=True)
    user, system = round(cpu_s * HERTZ) - 1, 1
    (folder / "stat").write_text(f"{pid} ({name}) S {'0 ' * 10}{user} {system} 0 0 20\n")
    (folder / "statm").write_text(f"99999 {pages} 7 1 0 5 0\n")


def test_percent_of_one_core_and_the_largest_sum_of_memory(tmp_path: Path) -> None:
    usage = Usage(tmp_path)
    process(tmp_path, 1, 10.0, 1000)
    process(tmp_path, 2, 5.0, 500, name="a ) b")
    usage.sample([1, 2], 100.0)
    process(tmp_path, 1, 11.0, 800)
    process(tmp_path, 2, 5.5, 500)
    usage.sample([1, 2], 110.0)
    assert usage.cpu_percent == pytest.approx(15.0)
    assert usage.rss_mb == pytest.approx(1500 * PAGE / 1e6)


def test_a_process_that_was_started_again_counts_from_then_on(tmp_path: Path) -> None:
    usage = Usage(tmp_path)
    process(tmp_path, 1, 10.0, 100)
    usage.sample([1], 0.0)
    process(tmp_path, 1, 12.0, 100)
    usage.sample([1], 10.0)
    process(tmp_path, 2, 1.0, 100)
    usage.sample([2, 77], 15.0)
    process(tmp_path, 2, 2.0, 100)
    usage.sample([2], 20.0)
    assert usage.cpu_percent == pytest.approx(15.0)


def test_nothing_is_guessed(tmp_path: Path) -> None:
    usage = Usage(tmp_path)
    assert (usage.cpu_percent, usage.rss_mb) == (None, None)
    usage.sample([1], 0.0)
    usage.sample([1], 1.0)
    assert (usage.cpu_percent, usage.rss_mb) == (None, None)


def test_this_process_is_found() -> None:
    usage = Usage()
    usage.sample([os.getpid()], 0.0)
    usage.sample([os.getpid()], 1.0)
    assert usage.cpu_percent is not None
    assert usage.rss_mb is not None
    assert usage.rss_mb > 1.0
