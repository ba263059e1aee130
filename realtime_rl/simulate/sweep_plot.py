"""How a part of a sweep is drawn: what its file says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from realtime_rl.core.errors import ConfigError, choices

SCORES = {"greedy": "greedy return", "late": "return, last quarter", "reward": "reward a tick"}
TICK = "tick"
"""As `x`: the score over time."""
_KEYS = ("x", "lines", "score", "against", "log", "seeds")


@dataclass(frozen=True, slots=True)
class Plot:
    """How a part is drawn."""

    x: str
    """An axis, or `tick`: what was summed up to each tick of the training."""
    lines: str = ""
    """The axis whose values are lines; empty: one line."""
    score: str = "greedy"
    """`greedy`: mean return of the evaluation; `late`: of the last quarter of the training;
    `reward`: reward a tick while training. Over time: `reward`, or the name of a counter."""
    against: tuple[tuple[str, str], ...] = ()
    """Axis and label of the cells from whose score the others' is taken away, run by run: a paired
    difference."""
    log: bool = False
    seeds: str = "seed"
    """The axis that repeats; intervals are over it."""

    @property
    def over_time(self) -> bool:
        """Whether it is drawn against the ticks of the training."""
        return self.x == TICK

    @property
    def meaning(self) -> str:
        """What is drawn."""
        if self.over_time:
            return f"{self.score}, summed up while training"
        others = ", ".join(f"{axis} {label}" for axis, label in self.against)
        return f"{SCORES[self.score]}: less than with {others}" if others else SCORES[self.score]


def plot_of(value: object, axes: Mapping[str, Mapping[str, object]], where: str) -> Plot:
    """Read how a part with these axes is drawn; `ConfigError` names what is unknown."""
    given = mapping(value, where, _KEYS)
    against = given.get("against", {})
    if not isinstance(against, Mapping):
        raise ConfigError(f"{where}: against {against!r} is not a mapping of axis to label")
    plot = Plot(str(given.get("x", "")), str(given.get("lines", "")),
                str(given.get("score", "greedy")),
                tuple((str(axis), str(label)) for axis, label in against.items()),
                bool(given.get("log", False)), str(given.get("seeds", "seed")))
    if TICK in axes:
        raise ConfigError(f"{where}: no axis can have the name {TICK!r}, which is the time")
    for axis in (*(() if plot.over_time else (plot.x,)),
                 *filter(None, (plot.lines, *dict(plot.against)))):
        if axis not in axes:
            raise ConfigError(f"{where}: {axis!r} is not one of the axes {choices(axes)}"
                              + (f", nor {TICK!r}" if axis == plot.x else ""))
    if plot.over_time:
        _check_over_time(plot, where)
        return plot
    for axis, label in plot.against:
        if label not in axes[axis]:
            raise ConfigError(f"{where}: against {axis!r} {label!r} is not one of "
                              f"{choices(axes[axis])}")
    if plot.score not in SCORES:
        raise ConfigError(f"{where}: score {plot.score!r} is not one of {choices(SCORES)}; a "
                          f"counter is drawn over time, with x: {TICK}")
    return plot


def _check_over_time(plot: Plot, where: str) -> None:
    if plot.score in ("greedy", "late"):
        raise ConfigError(f"{where}: score {plot.score!r} is one figure of a training; over time "
                          "there are 'reward' and the plant's counters, by name")
    for key, given in (("against", bool(plot.against)), ("log", plot.log)):
        if given:
            raise ConfigError(f"{where}: {key} is not of a plot over time; leave it out")


def mapping(value: object, where: str, known: tuple[str, ...]) -> Mapping[str, Any]:
    """Return a mapping that has no keys but the known ones; `ConfigError`."""
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where}: {value!r} is not a mapping; known keys: {choices(known)}")
    for name in value:
        if name not in known:
            raise ConfigError(f"{where}: unknown key {name!r}; known: {choices(known)}")
    return value
