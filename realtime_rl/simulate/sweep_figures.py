"""What a sweep amounts to: scores of its cells, and their means with intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from realtime_rl.core.figures.intervals import Interval, stratified
from realtime_rl.simulate.sweep import Cell, Part, Plot

Results = Mapping[str, Mapping[str, Any]]
"""A cell's key -> the document that its training wrote."""


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a part's picture."""

    line: str
    x: str
    interval: Interval
    runs: tuple[float, ...]
    """The score of each."""


def score(result: Mapping[str, Any], which: str) -> float:
    """Return the score of one training; NaN when it is not known."""
    if which == "reward":
        return float(result["reward"]) / max(int(result["ticks"]), 1)
    figures = (result["episodes"]["late_return"] if which == "late"
               else (result["evaluation"] or {}).get("return"))
    mean = None if figures is None else figures["mean"]
    return math.nan if mean is None else float(mean)


def points(part: Part, results: Results) -> list[Point]:
    """Return the points of a part, of the cells that are finished, in the order of its axes."""
    plot = part.plot
    groups: dict[tuple[str, str], dict[tuple[str, ...], list[float]]] = {}
    for cell in part.cells:
        value = _value(cell, part, results)
        if value is not None and math.isfinite(value):
            place = (cell.labels.get(plot.lines, ""), cell.labels[plot.x])
            groups.setdefault(place, {}).setdefault(_stratum(cell, plot), []).append(value)
    return [Point(line, x, stratified(list(strata.values())), tuple(chain(*strata.values())))
            for (line, x), strata in groups.items()]


def rows(part: Part, results: Results) -> list[dict[str, Any]]:
    """Return one row for each finished cell, for a CSV file."""
    return [{"part": part.name, **cell.labels,
             **{which: score(result, which) for which in ("greedy", "late", "reward")},
             "inaction_fraction": result["inaction_fraction"],
             "parameters": result["parameters"], "ticks": result["ticks"],
             "updates": result["updates"], "weights_sha256": result["weights_sha256"]}
            for cell in part.cells if (result := results.get(cell.key)) is not None]


def _value(cell: Cell, part: Part, results: Results) -> float | None:
    """Return the cell's score, or how much less it is than that of the cell it is compared with."""
    plot, result = part.plot, results.get(cell.key)
    if result is None:
        return None
    if not plot.against:
        return score(result, plot.score)
    wanted = {**cell.labels, **dict(plot.against)}
    if wanted == cell.labels:
        return None
    other = next((each for each in part.cells if each.labels == wanted), None)
    reference = results.get(other.key) if other is not None else None
    return None if reference is None else score(reference, plot.score) - score(result, plot.score)


def _stratum(cell: Cell, plot: Plot) -> tuple[str, ...]:
    return tuple(label for axis, label in cell.labels.items()
                 if axis not in (plot.x, plot.lines, plot.seeds, *dict(plot.against)))
