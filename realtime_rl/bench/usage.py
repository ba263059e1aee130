"""What processes use of the machine, and what is taken from it, from Linux' /proc."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_STEAL = 7
"""Place of the stolen time among the machine's; what follows counts in others already."""


@dataclass(frozen=True, slots=True)
class Used:
    """What came of the samples; `None` where it is not known."""

    cpu_percent: float | None = None
    """CPU time of the processes over the time between the samples [percent of one core]."""
    rss_mb: float | None = None
    """Largest sum of their resident memory [10⁶ bytes]; what they share counts for each."""
    stolen_percent: float | None = None
    """CPU time that a hypervisor gave to others meanwhile [percent of the machine's]."""


class Usage:
    """CPU time and memory of some processes together, sampled now and then.

    Processes may come and go between samples; what one used before its first sample, or after
    its last, does not count.
    """

    def __init__(self, proc: Path = Path("/proc")) -> None:
        """Begin without a sample."""
        self._proc = proc
        self._began_s: float | None = None
        self._newest_s = 0.0
        self._cpu_s: dict[int, tuple[float, float]] = {}
        self._rss_bytes = 0
        self._machine: list[tuple[int, int]] = []

    def sample(self, pids: Iterable[int], now_s: float) -> None:
        """Look at the processes; those that are gone are left out."""
        if self._began_s is None:
            self._began_s = now_s
        self._newest_s = now_s
        rss_bytes = 0
        for pid in pids:
            try:
                cpu_s, rss = self._read(pid)
            except (OSError, ValueError, IndexError):
                continue
            self._cpu_s[pid] = (self._cpu_s.get(pid, (cpu_s, 0.0))[0], cpu_s)
            rss_bytes += rss
        self._rss_bytes = max(self._rss_bytes, rss_bytes)
        with contextlib.suppress(OSError, ValueError, IndexError):
            self._machine.append(self._read_machine())

    @property
    def used(self) -> Used:
        """What the samples say."""
        return Used(self._cpu_percent(), self._rss_bytes / 1e6 if self._rss_bytes else None,
                    self._stolen_percent())

    def _cpu_percent(self) -> float | None:
        span_s = self._newest_s - self._began_s if self._began_s is not None else 0.0
        if span_s <= 0.0 or not self._cpu_s:
            return None
        return 100.0 * sum(last - first for first, last in self._cpu_s.values()) / span_s

    def _stolen_percent(self) -> float | None:
        if len(self._machine) < 2:
            return None
        (stolen, of), (stolen_then, of_then) = self._machine[-1], self._machine[0]
        return 100.0 * (stolen - stolen_then) / (of - of_then) if of > of_then else None

    def _read_machine(self) -> tuple[int, int]:
        """Stolen time, and all there was, of all cores since the machine started [jiffies]."""
        first = (self._proc / "stat").read_text(encoding="ascii").split("\n", 1)[0]
        times = [int(field) for field in first.split()[1:_STEAL + 2]]
        return times[_STEAL], sum(times)

    def _read(self, pid: int) -> tuple[float, int]:
        folder = self._proc / str(pid)
        # the name in brackets may hold anything, spaces and brackets too
        fields = (folder / "stat").read_text(encoding="utf-8", errors="replace") \
            .rpartition(")")[2].split()
        cpu_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        pages = int((folder / "statm").read_text(encoding="ascii").split()[1])
        return cpu_s, pages * os.sysconf("SC_PAGE_SIZE")
