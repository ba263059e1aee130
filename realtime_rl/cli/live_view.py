"""What a run looks like while it goes on."""

from __future__ import annotations

import queue
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from realtime_rl.cli.output import drop
from realtime_rl.core.errors import MissingDependencyError
from realtime_rl.runner.log_filter import WARNINGS, LogFilter
from realtime_rl.runner.prepare import Prepared

if TYPE_CHECKING:
    from realtime_rl.ros.live import LiveFigures

_LINE_EVERY_S = 10.0


class _Screen(Console):
    """Standard error; where its reader went away, what is left is said to nobody."""

    def on_broken_pipe(self) -> None:
        """Rich would end the program, and so the run."""
        drop(sys.stderr)


class LiveView:
    """A table that the monitor keeps fresh, with what the nodes say above it.

    Use it as a context. Where the output is no terminal, a line is printed now and then instead.
    Where nobody reads it any more, as behind a closed pipe, the run goes on unseen.
    """

    def __init__(self, prepared: Prepared, *, verbose: bool, live: bool) -> None:
        """Prepare to show a run; nothing is drawn before the context is entered."""
        self._prepared = prepared
        self._marks = ("",) if verbose else WARNINGS
        self._console = _Screen(stderr=True, highlight=False)
        self._live = Live(console=self._console, refresh_per_second=4, transient=False) \
            if live and self._console.is_terminal else None
        self._figures: LiveFigures | None = None
        self._log_filter: LogFilter | None = None
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
            with suppress(OSError):
                self._live.stop()
        if self._figures is not None:
            self._figures.close()

    def say(self, line: str) -> None:
        """Print a line above the table."""
        try:
            self._console.print(Text(line), soft_wrap=True)
        except OSError:
            drop(sys.stderr)

    def update(self, lines: queue.SimpleQueue[tuple[str, str]], elapsed_s: float) -> None:
        """Show what came in since the last time."""
        self.drain(lines)
        if self._figures is None:
            return
        newest, waiting = self._figures.newest, self._figures.waiting
        if self._live is not None:
            self._live.update(self._draw(newest, waiting, elapsed_s))
        elif elapsed_s >= self._next_line_s:
            self._next_line_s += _LINE_EVERY_S
            figures = "  ".join(f"{key} {value}" for key, value in newest.items())
            self.say(f"{elapsed_s:5.0f} s  {waiting or figures}")

    def drain(self, lines: queue.SimpleQueue[tuple[str, str]]) -> None:
        """Print what the nodes said: all of it when verbose, else what matters."""
        if self._log_filter is None:
            self._log_filter = LogFilter(lines, self.say, self._marks)
        self._log_filter.drain()

    def _draw(self, newest: dict[str, str], waiting: str, elapsed_s: float) -> Group:
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
        notice = Text(waiting, style="bold yellow")
        return Group(title, *([table] if newest else []), *([notice] if waiting else []))
