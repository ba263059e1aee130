"""CPU and memory of processes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from realtime_rl.bench.usage import Usage, Used

HERTZ = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def process(proc: Path, pid: int, cpu_s: float, pages: int, name: str = "python3") -> None:
    folder = proc / str(pid)
    folder.mkdir(exist_ok=True)
    user, system = round(cpu_s * HERTZ) - 1, 1
    (folder / "stat").write_text(f"{pid} ({name}) S {'0 ' * 10}{user} {system} 0 0 20\n")
    (folder / "statm").write_text(f"99999 {pages} 7 1 0 5 0\n")


def machine(proc: Path, busy: int, stolen: int) -> None:
    """Guests' time, which follows, is in the first two fields as well."""
    (proc / "stat").write_text(f"cpu  {busy - 60} 10 20 10 10 5 5 {stolen} 999 0\ncpu0 1 2 3\n")


def test_percent_of_one_core_and_the_largest_sum_of_memory(tmp_path: Path) -> None:
    usage = Usage(tmp_path)
    process(tmp_path, 1, 10.0, 1000)
    process(tmp_path, 2, 5.0, 500, name="a ) b")
    usage.sample([1, 2], 100.0)
    process(tmp_path, 1, 11.0, 800)
    process(tmp_path, 2, 5.5, 500)
    usage.sample([1, 2], 110.0)
    assert usage.used.cpu_percent == pytest.approx(15.0)
    assert usage.used.rss_mb == pytest.approx(1500 * PAGE / 1e6)


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
    assert usage.used.cpu_percent == pytest.approx(15.0)


def test_nothing_is_guessed(tmp_path: Path) -> None:
    usage = Usage(tmp_path)
    assert usage.used == Used()
    usage.sample([1], 0.0)
    usage.sample([1], 1.0)
    assert usage.used == Used()


def test_this_process_is_found() -> None:
    usage = Usage()
    usage.sample([os.getpid()], 0.0)
    usage.sample([os.getpid()], 1.0)
    assert usage.used.cpu_percent is not None
    assert usage.used.rss_mb is not None
    assert usage.used.rss_mb > 1.0


def test_time_that_the_host_gave_to_others(tmp_path: Path) -> None:
    usage = Usage(tmp_path)
    machine(tmp_path, busy=1000, stolen=50)
    usage.sample([], 0.0)
    assert usage.used == Used()
    machine(tmp_path, busy=1100, stolen=60)
    usage.sample([], 1.0)
    machine(tmp_path, busy=1380, stolen=70)
    usage.sample([], 2.0)
    assert usage.used == Used(stolen_percent=5.0)
