"""What nodes say, and which of it a person must see."""

from __future__ import annotations

import queue
from collections.abc import Callable

ERRORS = ("[ERROR]", "[FATAL]", "error:", "Traceback")
WARNINGS = ("[WARN]", *ERRORS)


class LogFilter:
    """Picks what matters out of what the nodes say, and tracebacks to their end."""

    def __init__(self, lines: queue.SimpleQueue[tuple[str, str]], say: Callable[[str], None],
                 marks: tuple[str, ...] = ERRORS) -> None:
        """Tell `say` the lines of `lines` that contain one of `marks`; `("",)`: every line."""
        self._lines = lines
        self._say = say
        self._marks = marks
        self._failing: set[str] = set()

    def drain(self) -> None:
        """Pass on what was said since the last time."""
        while not self._lines.empty():
            node, line = self._lines.get()
            if node in self._failing or any(mark in line for mark in self._marks):
                self._say(line if node in line else f"{node}: {line}")
            if "Traceback" in line:
                self._failing.add(node)
            elif not line.startswith(" "):
                self._failing.discard(node)
