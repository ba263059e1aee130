"""Tables of trainings: which cells a sweep file asks for, and what each is called."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from realtime_rl import strict_json
from realtime_rl.core.errors import ConfigError, choices
from realtime_rl.core.settings.config import parameter, parameters
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.simulate.loop import INTERACTIONS

SCORES = {"greedy": "greedy return", "late": "return, last quarter", "reward": "reward a tick"}
_FILE_KEYS = ("about", "cost", "run", "base", "parts", "quick")
_PART_KEYS = ("axes", "quick", "plot")
_PLOT_KEYS = ("x", "lines", "score", "against", "log", "seeds")

Scalar = bool | int | float | str


@dataclass(frozen=True, slots=True)
class _Settings:
    """What a cell may set beside `option.NAME` and `learner.NAME`."""

    plant: str = parameter("", "by its name")
    delay: int = parameter(1, "from observation to action", unit="ticks", low=1)
    interaction: str = parameter("asynchronous", "of inference and plant", choices=INTERACTIONS)
    seed: int = parameter(0, "of plant and learner", low=0)
    ticks: int = parameter(40_000, "to train for", low=1)
    evaluate: int = parameter(0, "episodes played greedily at the end", low=0)
    updates_per_tick: float = parameter(1.0, "gradient updates a tick", low=0.0)
    checkpoint_every: int = parameter(10_000, "0: at the end only", unit="ticks", low=0)


SETTINGS = parameters(_Settings)
"""Settings of a cell beside `option.NAME` and `learner.NAME`, by name."""


@dataclass(frozen=True, slots=True)
class Plot:
    """How a part is drawn."""

    x: str
    lines: str = ""
    """The axis whose values are lines; empty: one line."""
    score: str = "greedy"
    """`greedy`: mean return of the evaluation; `late`: of the last quarter of the training;
    `reward`: reward a tick while training."""
    against: tuple[tuple[str, str], ...] = ()
    """Axis and label of the cells from whose score the others' is taken away, run by run: a paired
    difference."""
    log: bool = False
    seeds: str = "seed"
    """The axis that repeats; intervals are over it."""

    @property
    def meaning(self) -> str:
        """What is drawn."""
        others = ", ".join(f"{axis} {label}" for axis, label in self.against)
        return f"{SCORES[self.score]}: less than with {others}" if others else SCORES[self.score]


@dataclass(frozen=True, slots=True)
class Cell:
    """One training of a table."""

    part: str
    labels: dict[str, str]
    """Label on each axis."""
    settings: dict[str, Scalar]

    @property
    def key(self) -> str:
        """A folder's name that says what it is, and changes with any setting."""
        text = strict_json.dumps(self.settings, sort_keys=True)
        shown = "_".join(f"{axis}-{label}" for axis, label in self.labels.items())
        return (re.sub(r"[^\w.-]+", "-", shown)[:80]
                + "_" + hashlib.sha256(text.encode()).hexdigest()[:10])


@dataclass(frozen=True, slots=True)
class Part:
    """One table of trainings, and the picture of it."""

    name: str
    cells: tuple[Cell, ...]
    plot: Plot


def parts_of(document: object, *, quick: bool, source: str) -> list[Part]:
    """Read a sweep file's content; `ConfigError` names what is unknown, and what is known."""
    try:
        return _parts(document, quick)
    except ConfigError as error:
        raise ConfigError(f"sweep {source!r}: {error}") from error


def _parts(document: object, quick: bool) -> list[Part]:
    content = _mapping(document, "the file", _FILE_KEYS)
    base = {**_settings(content.get("base", {}), "base"),
            **(_settings(content.get("quick", {}), "quick") if quick else {})}
    given = content.get("parts")
    if not isinstance(given, Mapping) or not given:
        raise ConfigError("'parts' must name one table or more")
    parts = []
    for name, value in given.items():
        if "/" in str(name):
            raise ConfigError(f"part {name!r}: its picture is a file of that name, without '/'")
        part = _mapping(value, f"part {name!r}", _PART_KEYS)
        axes = dict(_axes(part.get("axes"), f"part {name!r}, axes"))
        if quick and "quick" in part:
            fewer = dict(_axes(part["quick"], f"part {name!r}, quick"))
            if not fewer.keys() <= axes.keys():
                raise ConfigError(f"part {name!r}, quick: axes are {choices(axes)}, not "
                                  f"{choices(fewer)}")
            axes.update(fewer)
        found = Part(str(name), tuple(_cells(str(name), base, axes)),
                     _plot(part.get("plot"), axes, f"part {name!r}, plot"))
        if found.plot.score == "greedy" and any(
                not int(cell.settings.get("evaluate", 0)) for cell in found.cells):
            raise ConfigError(f"part {name!r}: the score 'greedy' is that of an evaluation; set "
                              "'evaluate' to the episodes of one, or take another score")
        parts.append(found)
    return parts


def _cells(part: str, base: dict[str, Scalar], axes: dict[str, dict[str, dict[str, Scalar]]]
           ) -> list[Cell]:
    cells = []
    for combination in itertools.product(*(points.items() for points in axes.values())):
        labels = dict(zip(axes, (label for label, _ in combination), strict=True))
        settings = dict(base)
        for _, point in combination:
            settings.update(point)
        if "plant" not in settings:
            raise ConfigError("no 'plant' in base nor on an axis")
        cells.append(Cell(part, labels, settings))
    return cells


def _axes(value: object, where: str) -> list[tuple[str, dict[str, dict[str, Scalar]]]]:
    """Read axes: a list of a setting's values, or a mapping of labels to settings."""
    if not isinstance(value, Mapping) or not value:
        raise ConfigError(f"{where}: one axis or more, each a list of values or a mapping of "
                          "labels to settings")
    axes = []
    for name, points in value.items():
        place = f"{where}, {name!r}"
        if isinstance(points, list) and points:
            axes.append((str(name), {
                str(point): _settings({str(name): point}, place) for point in points}))
        elif isinstance(points, Mapping) and points:
            axes.append((str(name), {
                str(label): _settings(point, f"{place}, {label!r}")
                for label, point in points.items()}))
        else:
            raise ConfigError(f"{place}: {points!r} is neither a list of values nor a mapping")
    return axes


def _settings(value: object, where: str) -> dict[str, Scalar]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where}: {value!r} is not a mapping of settings")
    known = parameters(DqnConfig)
    for name, item in value.items():
        section, _, key = str(name).partition(".")
        if section == "learner" and key not in known:
            raise ConfigError(f"{where}: unknown parameter {name!r}; known: "
                              f"{choices(f'learner.{each}' for each in known)}")
        if name not in SETTINGS and not (section in ("option", "learner") and key):
            raise ConfigError(f"{where}: unknown setting {name!r}; known: {choices(SETTINGS)}, "
                              "'option.NAME', 'learner.NAME'")
        if not isinstance(item, bool | int | float | str):
            raise ConfigError(f"{where}: {name!r} is {item!r}, not one value")
        check = SETTINGS.get(str(name)) or (known[key] if section == "learner" else None)
        if check is not None:
            try:
                check.parse(text_of(item))
            except ConfigError as error:
                raise ConfigError(f"{where}: {error}") from error
    return {str(name): item for name, item in value.items()}


def text_of(value: Scalar) -> str:
    """Write a setting as the command line takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plot(value: object, axes: Mapping[str, Mapping[str, object]], where: str) -> Plot:
    given = _mapping(value, where, _PLOT_KEYS)
    against = given.get("against", {})
    if not isinstance(against, Mapping):
        raise ConfigError(f"{where}: against {against!r} is not a mapping of axis to label")
    plot = Plot(str(given.get("x", "")), str(given.get("lines", "")),
                str(given.get("score", "greedy")),
                tuple((str(axis), str(label)) for axis, label in against.items()),
                bool(given.get("log", False)), str(given.get("seeds", "seed")))
    for axis in (plot.x, *filter(None, (plot.lines, *dict(plot.against)))):
        if axis not in axes:
            raise ConfigError(f"{where}: {axis!r} is not one of the axes {choices(axes)}")
    for axis, label in plot.against:
        if label not in axes[axis]:
            raise ConfigError(f"{where}: against {axis!r} {label!r} is not one of "
                              f"{choices(axes[axis])}")
    if plot.score not in SCORES:
        raise ConfigError(f"{where}: score {plot.score!r} is not one of {choices(SCORES)}")
    return plot


def _mapping(value: object, where: str, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where}: {value!r} is not a mapping; known keys: {choices(known)}")
    for name in value:
        if name not in known:
            raise ConfigError(f"{where}: unknown key {name!r}; known: {choices(known)}")
    return value
