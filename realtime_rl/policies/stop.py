"""Asks work in another thread to end: what ONNX Runtime does lets itself be ended between steps."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Stop:
    """One request to end, made at most once. Any thread may ask; any may name what ends."""

    def __init__(self) -> None:
        """Begin without a request."""
        self._lock = threading.Lock()
        self._asked = False
        self._ends: list[Callable[[], None]] = []

    @property
    def asked(self) -> bool:
        """Whether somebody asked."""
        return self._asked

    def ask(self) -> None:
        """End what was named, and all that will be named. Asking twice is asking once."""
        with self._lock:
            self._asked = True
            ends, self._ends = self._ends, []
        for end in ends:
            end()

    def on_ask(self, end: Callable[[], None]) -> None:
        """Name what ends the work that begins now; called at once where the request was made."""
        with self._lock:
            if not self._asked:
                self._ends.append(end)
                return
        end()
