"""What a run looks like while it goes on, and what of it stays on the screen."""

from __future__ import annotations

import queue
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
from rich.color import Color
from rich.console import Console, Group
from rich.live import Live
from rich.style import Style
from rich.table import Table
from rich.text import Text

from realtime_rl.cli.output import drop
from realtime_rl.core.errors import ConfigError, MissingDependencyError
from realtime_rl.core.figures.half_blocks import HALF, Colour, cells
from realtime_rl.core.figures.health import Health, Level
from realtime_rl.core.messages.observation_wire import topics
from realtime_rl.core.observations import ObservationSpec
from realtime_rl.core.peers.noted import Noted
from realtime_rl.runner.log_filter import WARNINGS, LogFilter
from realtime_rl.runner.prepare import Prepared

if TYPE_CHECKING:
    from realtime_rl.ros.live import LiveFigures

_LINE_EVERY_S = 10.0
_SHOWN = 6
"""Warnings that stand below the figures; all of them are told in the end."""
_ALARM, _WARNING = "bold white on red", "bold yellow"
_WHO = {"policy": "bold green", "default": _WARNING, "operator": "bold cyan",
        "stop": "bold magenta", "nobody": _ALARM}
"""By the first word of who acts."""


class _Screen(Console):
    """Standard error; where its reader went away, what is left is said to nobody."""

    def on_broken_pipe(self) -> None:
        """Rich would end the program, and so the run."""
        drop(sys.stderr)


class LiveView:
    """A table that the monitor keeps fresh, its alarms, and the nodes' newest warnings below.

    Use it as a context; in the end the newest figures stay, with all that the nodes warned of below
    them. Where the output is no terminal, a line is printed now and then instead, and each warning
    as it comes. Where nobody reads any more, as behind a closed pipe, the run goes on unseen.
    """

    def __init__(self, prepared: Prepared, *, verbose: bool, live: bool,
                 picture: bool = False) -> None:
        """Prepare to show a run; nothing is drawn before the context is entered.

        `picture`: beside the figures what the policy sees; `ConfigError` where that is no picture.
        """
        self._prepared = prepared
        self._watched = _picture_of(prepared) if picture else None
        self._verbose = verbose
        self._console = _Screen(stderr=True, highlight=False)
        self._live = Live(console=self._console, refresh_per_second=4, transient=False) \
            if live and self._console.is_terminal else None
        self._figures: LiveFigures | None = None
        self._log_filter: LogFilter | None = None
        self._newest: Sequence[Health] = ()
        self._elapsed_s = 0.0
        self._said_s = 0.0
        self.noted = Noted()
        """What the nodes warned of."""

    def __enter__(self) -> LiveView:
        """Begin to listen and to draw."""
        try:
            from realtime_rl.ros.live import LiveFigures
        except ImportError as error:
            raise MissingDependencyError("rclpy", "ros", error) from error
        self._figures = LiveFigures(self._prepared.scenario.namespace)
        if self._watched is not None:
            self._figures.watch(*self._watched)
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop drawing and listening; what was drawn last stays."""
        if self._live is not None:
            live, self._live = self._live, None
            with suppress(OSError):
                live.update(self._draw("", ended=True))
                live.stop()
            for line in self.noted.lines():
                self.say(line)
        elif (self._newest and self._said_s < self._elapsed_s
              and not self._prepared.scenario.record):  # of what is recorded the report follows
            self._say_figures("")
        if self._figures is not None:
            self._figures.close()

    def say(self, line: str) -> None:
        """Print a line above what is drawn."""
        try:
            self._console.print(Text(line), soft_wrap=True)
        except OSError:
            drop(sys.stderr)

    def update(self, lines: queue.SimpleQueue[tuple[str, str]], elapsed_s: float) -> None:
        """Show what came in since the last time."""
        self._elapsed_s = elapsed_s
        self.drain(lines)
        if self._figures is None:
            return
        self._newest, waiting = self._figures.newest, self._figures.waiting
        if self._live is not None:
            self._live.update(self._draw(waiting))
        elif elapsed_s // _LINE_EVERY_S > self._said_s // _LINE_EVERY_S:
            self._say_figures(waiting)

    def _say_figures(self, waiting: str) -> None:
        self._said_s = self._elapsed_s
        self.say(f"{self._elapsed_s:5.0f} s  {waiting or '  '.join(self._words())}")

    def drain(self, lines: queue.SimpleQueue[tuple[str, str]]) -> None:
        """Take in what the nodes said: all of it when verbose, else what matters."""
        if self._log_filter is None:
            self._log_filter = LogFilter(lines, self._take, ("",) if self._verbose else WARNINGS)
        self._log_filter.drain()

    def _take(self, line: str) -> None:
        if not self._verbose:
            self.noted.take(line, self._elapsed_s)
        if self._verbose or self._live is None:
            self.say(line)

    def _words(self) -> list[str]:
        """All figures, and what is alarming of them."""
        return [*(f"{key} {value}" for health in self._newest
                  for key, value in health.figures.items()),
                *(f"! {health.name}: {health.message}" for health in self._alarming())]

    def _alarming(self) -> list[Health]:
        # who acts stands at the top of the table, in a colour of its own
        return sorted((health for health in self._newest
                       if health.level is not Level.OK and health.name != "acting"),
                      key=lambda health: health.level is not Level.ERROR)

    def _draw(self, waiting: str, *, ended: bool = False) -> Group:
        table = _table(self._newest)
        below = [Text(f"{health.name}: {health.message}",
                      style=_ALARM if health.level is Level.ERROR else _WARNING)
                 for health in self._alarming()]
        if waiting:
            below.append(Text(waiting, style=_WARNING))
        room = self._console.height - 3 - table.row_count - len(below)
        if not ended:
            below += [Text(line, style="yellow", no_wrap=True, overflow="ellipsis")
                      for line in self.noted.lines(max(1, min(_SHOWN, room)))]
        shown = [self._beside(table)] if self._newest else []
        return Group(self._title(ended), *shown, *below)

    def _beside(self, table: Table) -> Table:
        """Put what the policy sees beside the figures, as high as they are."""
        picture = (self._figures.picture
                   if self._watched is not None and self._figures is not None else None)
        if picture is None:
            return table
        lines = cells(picture.astype(np.uint8), max(16, self._console.width // 3), table.row_count)
        both = Table.grid(padding=(0, 2))
        both.add_row(table, Text("\n").join(map(_line, lines)))
        return both

    def _title(self, ended: bool) -> Text:
        duration_s = self._prepared.scenario.duration
        until = f" of {duration_s:.0f}" if duration_s else ""
        return Text.assemble(
            ("realtime_rl  ", "bold"),
            f"{self._prepared.plant.name}  {self._elapsed_s:.0f}{until} s  ",
            ("ended; these are its last figures" if ended
             else "the plant never waits; Ctrl-C ends the run", "dim"))


def _picture_of(prepared: Prepared) -> tuple[str, ObservationSpec]:
    """Return topic and kind of the first picture that a plant shows."""
    names, spec = topics(prepared.plant.observation), prepared.plant.observation
    part = next((each for each in spec.parts if each.is_image), None)
    if part is None:
        raise ConfigError(f"--picture: {prepared.plant.name!r} shows no picture, but {spec}")
    return "/".join(["", *filter(None, (prepared.scenario.namespace.strip("/"),
                                        names[part.name]))]), part


def _line(cells: Sequence[tuple[Colour, Colour]]) -> Text:
    return Text.assemble(*((HALF, Style(color=Color.from_rgb(*upper),
                                        bgcolor=Color.from_rgb(*lower)))
                           for upper, lower in cells))


def _table(newest: Sequence[Health]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column()
    for health in newest:
        for key, value in health.figures.items():
            table.add_row(key, Text(value, style=_style(key, value)))
    return table


def _style(key: str, value: str) -> str:
    """Return how a figure is written: what a person must not overlook stands out."""
    if key == "acting now":
        return _WHO.get(value.split(maxsplit=1)[0].rstrip(":"), "")
    if (key, value) == ("operator", "acts"):
        return _WHO["operator"]
    if key == "stop" and value != "released":
        return _WHO["stop"]
    return _WARNING if key == "emulated accelerator" and value != "none" else ""
