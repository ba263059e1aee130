"""How far a benchmark is, for a person who watches."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class Stages:
    """Shows one stage after another: a bar on a terminal, else a line each. All on stderr."""

    def __init__(self, stages: int | None = None) -> None:
        """Begin before the first of `stages`, as far as their number is known."""
        self._stages = stages
        self._number = 0
        self._console = Console(stderr=True, highlight=False)
        columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
        self._bar = (Progress(*columns, console=self._console, transient=True)
                     if self._console.is_terminal else None)
        self._task: TaskID | None = None

    def stage(self, what: str, total: float) -> None:
        """Begin a stage that goes from 0 to `total`."""
        self._number += 1
        place = f"[{self._number}/{self._stages}]" if self._stages else f"[{self._number}]"
        if self._bar is None:
            print(f"{place} {what}", file=sys.stderr, flush=True)
            return
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(f"{place} {what}".replace("[", r"\["), total=total)

    def update(self, done: float) -> None:
        """Say how far the stage is."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done)

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        self._console.print(line, markup=False, soft_wrap=True)

    def shown(self) -> AbstractContextManager[object]:
        """Show the bar for a while, where there is one."""
        return self._bar or nullcontext()
