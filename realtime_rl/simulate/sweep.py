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
from realtime_rl.simulate.sweep_plot import Plot, mapping, plot_of

SIZES = ("quick", "cpu")
"""Sections of a file, and of its parts, that say a smaller size of it."""
_FILE_KEYS = ("about", "cost", "run", "base", "parts", *SIZES)
_PART_KEYS = ("axes", *SIZES, "plot", "needs")
_OPTION = "option"

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
    learners: int = parameter(1, "staggered on the same weights, emulated", low=1)
    checkpoint_every: int = parameter(10_000, "0: at the end only", unit="ticks", low=0)


SETTINGS = parameters(_Settings)
"""Settings of a cell beside `option.NAME` and `learner.NAME`, by name."""


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
    left_out: str = ""
    """Why it has no cells; empty: it has."""


def parts_of(document: object, *, source: str, size: str = "",
             given: Mapping[str, Mapping[str, str]] | None = None) -> list[Part]:
    """Read a sweep file's content; `ConfigError` names what is unknown, and what is known.

    Args:
        document: what the file says.
        source: its name, for messages.
        size: of `SIZES`; empty: the whole.
        given: by part, the files of the user's that it needs, by option. A part that needs some
            and has none is left out.
    """
    try:
        return _parts(document, size, given or {})
    except ConfigError as error:
        raise ConfigError(f"sweep {source!r}: {error}") from error


def _parts(document: object, size: str, given: Mapping[str, Mapping[str, str]]) -> list[Part]:
    content = mapping(document, "the file", _FILE_KEYS)
    base = {**_settings(content.get("base", {}), "base"),
            **(_settings(content.get(size, {}), size) if size else {})}
    tables = content.get("parts")
    if not isinstance(tables, Mapping) or not tables:
        raise ConfigError("'parts' must name one table or more")
    for name in given:
        if name not in tables:
            raise ConfigError(f"there is no part {name!r} that would need a file; parts: "
                              f"{choices(map(str, tables))}")
    parts = {str(name): mapping(value, f"part {str(name)!r}", _PART_KEYS)
             for name, value in tables.items()}
    if size and size not in content and not any(part.get(size) for part in parts.values()):
        raise ConfigError(f"it has no size {size!r}: neither the file nor a part has a section of "
                          "that name")
    return [_part(name, part, base, size, given.get(name, {})) for name, part in parts.items()]


def _part(name: str, part: Mapping[str, Any], base: dict[str, Scalar], size: str,
          given: Mapping[str, str]) -> Part:
    if "/" in name:
        raise ConfigError(f"part {name!r}: its picture is a file of that name, without '/'")
    axes = dict(_axes(part.get("axes"), f"part {name!r}, axes"))
    own = part.get(size) if size else None
    if own:
        fewer = dict(_axes(own, f"part {name!r}, {size}"))
        if not fewer.keys() <= axes.keys():
            raise ConfigError(f"part {name!r}, {size}: axes are {choices(axes)}, not "
                              f"{choices(fewer)}")
        axes.update(fewer)
    plot = plot_of(part.get("plot"), axes, f"part {name!r}, plot")
    left_out = f"it has no size {size!r}" if own is False else _left_out(name, part, given)
    if left_out:
        return Part(name, (), plot, left_out)
    files: dict[str, Scalar] = {f"{_OPTION}.{option}": path for option, path in given.items()}
    cells = tuple(_cells(name, {**base, **files}, axes))
    if plot.score == "greedy" and any(not int(cell.settings.get("evaluate", 0)) for cell in cells):
        raise ConfigError(f"part {name!r}: the score 'greedy' is that of an evaluation; set "
                          "'evaluate' to the episodes of one, or take another score")
    return Part(name, cells, plot)


def _left_out(name: str, part: Mapping[str, Any], given: Mapping[str, str]) -> str:
    """Say what a part needs and was not given; empty when it has all, `ConfigError` for some."""
    needs = part.get("needs", {})
    if not isinstance(needs, Mapping) or not all(isinstance(each, str) for each in needs.values()):
        raise ConfigError(f"part {name!r}, needs: {needs!r} is not a mapping of options to what "
                          "they are")
    for option in given:
        if option not in needs:
            raise ConfigError(f"part {name!r} needs no file {option!r}"
                              + (f"; it needs {choices(map(str, needs))}" if needs else ""))
    missing = [f"--option {name}.{option}=FILE ({what})" for option, what in needs.items()
               if option not in given]
    if missing and given:
        raise ConfigError(f"part {name!r} also needs {' and '.join(missing)}")
    return f"it needs {' and '.join(missing)}" if missing else ""


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
        if name not in SETTINGS and not (section in (_OPTION, "learner") and key):
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
