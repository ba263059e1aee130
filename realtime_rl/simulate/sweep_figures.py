"""What a sweep amounts to: scores of its cells, and their means with intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from realtime_rl.core.figures.intervals import Interval, stratified
from realtime_rl.simulate.sweep import Cell, Part
from realtime_rl.simulate.sweep_plot import Plot

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
    repeats: int
    """The fewest of them that differ in nothing but the seed."""


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
    return [Point(line, x, stratified(list(strata.values())), tuple(chain(*strata.values())),
                  min(map(len, strata.values())))
            for (line, x), strata in groups.items()]


def rows(part: Part, results: Results) -> list[dict[str, Any]]:
    """Return one row for each finished cell, for a CSV file."""
    return [{"part": part.name, **cell.labels,
             **{which: score(result, which) for which in ("greedy", "late", "reward")},
             **{f"counted_{name}": total for name, total in result.get("counters", {}).items()},
             "inaction_fraction": result["inaction_fraction"],
             "parameters": result["parameters"], "ticks": result["ticks"],
             "updates": result["updates"], "weights_sha256": result["weights_sha256"]}
            for cell in part.cells if (result := results.get(cell.key)) is not None]


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a part that is drawn over time."""

    line: str
    ticks: tuple[int, ...]
    """Those that all its runs have."""
    intervals: tuple[Interval, ...]
    """Of the totals, at each of them."""
    runs: tuple[float, ...]
    """The total of each at the last of them."""
    repeats: int
    """The fewest of them that differ in nothing but the seed."""


def curves(part: Part, results: Results) -> list[Curve]:
    """Return the lines of a part over time, of the cells that are finished and have its score."""
    groups: dict[str, dict[tuple[str, ...], list[dict[int, float]]]] = {}
    for cell in part.cells:
        course = _course(results.get(cell.key), part.plot.score)
        if course:
            groups.setdefault(cell.labels.get(part.plot.lines, ""), {}).setdefault(
                _stratum(cell, part.plot), []).append(course)
    return [_curve(line, list(strata.values())) for line, strata in groups.items()]


def _curve(line: str, strata: list[list[dict[int, float]]]) -> Curve:
    runs = list(chain(*strata))
    ticks = tuple(tick for tick in runs[0] if all(tick in run for run in runs))
    return Curve(line, ticks, tuple(stratified([[run[tick] for run in stratum]
                                                for stratum in strata]) for tick in ticks),
                 tuple(run[ticks[-1]] for run in runs) if ticks else (), min(map(len, strata)))


def courses(part: Part, results: Results) -> list[dict[str, Any]]:
    """Return one row for each finished cell and tick of a part over time, for a CSV file."""
    return [{**cell.labels, "tick": tick, part.plot.score: total} for cell in part.cells
            for tick, total in _course(results.get(cell.key), part.plot.score).items()]


def _course(result: Mapping[str, Any] | None, score: str) -> dict[int, float]:
    """Return a total by tick; empty when it is not known."""
    course = (result or {}).get("over_time")
    if course is None:
        return {}
    totals = course["reward"] if score == "reward" else course["counters"].get(score, [])
    return dict(zip(course["ticks"], totals, strict=False))


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
