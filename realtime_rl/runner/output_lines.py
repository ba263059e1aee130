"""What the nodes print, until somebody reads it; never more of it than fits."""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Iterator
from typing import IO

_MOST = 10_000
"""Lines that wait at most: of a node that prints without end the newest."""
_LONGEST = 1 << 16
"""Characters of a line; a longer one is cut."""


class OutputLines(queue.SimpleQueue[tuple[str, str]]):
    """`(node, line)` from several threads; when nobody reads them the oldest are forgotten."""

    def put(self, item: tuple[str, str], block: bool = True, timeout: float | None = None) -> None:
        """Add a line; returns at once."""
        while self.qsize() >= _MOST:
            with contextlib.suppress(queue.Empty):  # read meanwhile
                self.get_nowait()
        super().put(item, block, timeout)


def lines_of(output: IO[str]) -> Iterator[str]:
    """Yield what a process prints line by line, without line ends, until it ends."""
    for line in iter(lambda: output.readline(_LONGEST), ""):
        yield line.rstrip()
