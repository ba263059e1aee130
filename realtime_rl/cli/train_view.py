"""How far a training is, for a person who watches; all of it on stderr."""

from __future__ import annotations

import math
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from realtime_rl.simulate.tally import Tally
from realtime_rl.simulate.train import Training

_EVERY = 32
"""Ticks between looks at the clock."""
_TELL_S = 60.0
"""Without a terminal, the longest time between two lines."""
_TELL_EVALUATION_S = 10.0
_RECENT = 20
"""Episodes in the mean return that is shown."""


class TrainView:
    """A bar with return and ticks a second on a terminal, else a line every tenth or minute."""

    def __init__(self, ticks: int, *, silent: bool = False,
                 now: Callable[[], float] = time.monotonic) -> None:
        """Begin before the first tick that is run; `silent` shows nothing of it."""
        self._ticks = ticks
        self._silent = silent
        console = Console(stderr=True, highlight=False)
        columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
        self._bar = (Progress(*columns, console=console, transient=True)
                     if console.is_terminal and not silent else None)
        self._task = self._bar.add_task("training", total=ticks) if self._bar else None
        self._looks: deque[tuple[float, int]] = deque(maxlen=50)
        self._now = now
        self._shown: tuple[int, float] | None = None

    def __call__(self, training: Training) -> None:
        """Show where the training is."""
        tick = training.tick
        if self._silent or (tick % _EVERY and tick != self._ticks):
            return
        now = self._now()
        self._looks.append((now, tick))
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=tick, description=self._text(training))
            return
        tenth = 10 * tick // self._ticks
        if self._shown is None:
            self._shown = tenth, now
        elif tenth != self._shown[0] or now - self._shown[1] >= _TELL_S:
            self._shown = tenth, now
            print(f"{tick}/{self._ticks} ticks: {self._text(training)}{self._left()}",
                  file=sys.stderr, flush=True)

    def shown(self) -> AbstractContextManager[object]:
        """Show the bar for a while, where there is one."""
        return self._bar or nullcontext()

    def _text(self, training: Training) -> str:
        returns = training.figures.returns[-_RECENT:]
        shown = f"{sum(returns) / len(returns):.2f}" if returns else "–"
        speed = self._speed()
        loss = "–" if math.isnan(training.loss) else f"{training.loss:.3g}"
        return (f"return {shown}, ε {training.learner.epsilon:.2f}, loss {loss}, "
                f"{f'{speed:.0f}' if speed else '–'} ticks/s")

    def _speed(self) -> float:
        """Return the ticks a second of late; 0 where that is not known."""
        (start, first), (end, last) = self._looks[0], self._looks[-1]
        return (last - first) / (end - start) if end > start else 0.0

    def _left(self) -> str:
        speed = self._speed()
        ticks = self._ticks - self._looks[-1][1]
        return f", {duration(ticks / speed)} left" if speed and ticks else ""


class EvaluationView:
    """A line at the beginning of an evaluation, and one a while."""

    def __init__(self, episodes: int, now: Callable[[], float] = time.monotonic) -> None:
        """Begin before the first tick of so many episodes."""
        self._episodes = episodes
        self._now = now
        self._next: float | None = None

    def __call__(self, figures: Tally) -> None:
        """Show where the evaluation is."""
        if figures.ticks % _EVERY != 1:
            return
        now = self._now()
        if self._next is None or now >= self._next:
            self._next = now + _TELL_EVALUATION_S
            print(f"evaluation: {len(figures.returns)}/{self._episodes} episodes, "
                  f"{figures.ticks} ticks, reward {figures.reward_per_tick:.4f} a tick",
                  file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """Write a time for people, to two digits or so."""
    if seconds < 90:
        return f"{math.ceil(seconds)} s"
    hours, minutes = divmod(math.ceil(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
