"""What a run looks like while it goes on."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from realtime_rl.core.errors import MissingDependencyError
from realtime_rl.runner.prepare import Prepared

if TYPE_CHECKING:
    from realtime_rl.ros.live import LiveFigures

_NOTABLE = ("[WARN]", "[ERROR]", "[FATAL]", "error:", "Traceback")
_LINE_EVERY_S = 10.0


class LiveView:
    """A table that the monitor keeps fresh, with what the nodes say above it.

    Use it as a context. Where the output is no terminal, a line is printed now and then instead.
    """

    def __init__(self, prepared: Prepared, *, verbose: bool, live: bool) -> None:
        """Prepare to show a run; nothing is drawn before the context is entered."""
        self._prepared = prepared
        self._verbose = verbose
        self._console = Console(stderr=True, highlight=False)
        self._live = Live(console=self._console, refresh_per_second=4, transient=False) \
            if live and self._console.is_terminal else None
        self._figures: LiveFigures | None = None
        self._next_line_s = _LINE_EVERY_S

    def __enter__(self) -> LiveView:
        """Begin to listen and to draw."""
        try:
            from realtime_rl.ros.live import LiveFigures
        except ImportError as error:
            raise MissingDependencyError("rclpy", "ros") from error
        self._figures = LiveFigures(self._prepared.scenario.namespace)
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop drawing and listening."""
        if self._live is not None:
            self._live.stop()
        if self._figures is not None:
            self._figures.close()

    def update(self, lines: queue.SimpleQueue[tuple[str, str]], elapsed_s: float) -> None:
        """Show what came in since the last time."""
        self.drain(lines)
        newest = self._figures.newest if self._figures is not None else {}
        if self._live is not None:
            self._live.update(self._draw(newest, elapsed_s))
        elif elapsed_s >= self._next_line_s:
            self._next_line_s += _LINE_EVERY_S
            figures = "  ".join(f"{key} {value}" for key, value in newest.items())
            self._console.print(f"{elapsed_s:5.0f} s  {figures}", soft_wrap=True)

    def drain(self, lines: queue.SimpleQueue[tuple[str, str]]) -> None:
        """Print what the nodes said: all of it when verbose, else what matters."""
        while not lines.empty():
            node, line = lines.get()
            if self._verbose or any(mark in line for mark in _NOTABLE):
                self._console.print(Text(line if node in line else f"{node}: {line}"),
                                    soft_wrap=True)

    def _draw(self, newest: dict[str, str], elapsed_s: float) -> Group:
        scenario = self._prepared.scenario
        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_column(style="dim")
        table.add_column()
        for key, value in newest.items():
            emulated = key == "emulated accelerator" and value != "none"
            table.add_row(key, Text(value, style="bold yellow" if emulated else ""))
        until = f" of {scenario.duration:.0f}" if scenario.duration else ""
        title = Text.assemble(
            ("realtime_rl  ", "bold"), f"{self._prepared.plant.name}  {elapsed_s:.0f}{until} s  ",
            ("the plant never waits; Ctrl-C ends the run", "dim"))
        waiting = Text("waiting for the monitor …", style="dim")
        return Group(title, table if newest else waiting)
