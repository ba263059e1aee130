"""What processes use of the machine, from Linux' /proc."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


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

    @property
    def cpu_percent(self) -> float | None:
        """CPU time of all of them over the time between the samples [percent of one core]."""
        span_s = self._newest_s - self._began_s if self._began_s is not None else 0.0
        if span_s <= 0.0 or not self._cpu_s:
            return None
        return 100.0 * sum(last - first for first, last in self._cpu_s.values()) / span_s

    @property
    def rss_mb(self) -> float | None:
        """Largest sum of resident memory [10⁶ bytes]; what they share counts for each of them."""
        return self._rss_bytes / 1e6 if self._rss_bytes else None

    def _read(self, pid: int) -> tuple[float, int]:
        folder = self._proc / str(pid)
        # the name in brackets may hold anything, spaces and brackets too
        fields = (folder / "stat").read_text(encoding="utf-8", errors="replace") \
            .rpartition(")")[2].split()
        cpu_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        pages = int((folder / "statm").read_text(encoding="ascii").split()[1])
        return cpu_s, pages * os.sysconf("SC_PAGE_SIZE")
