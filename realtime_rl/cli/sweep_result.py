"""What `realtime-rl train --sweep` says and writes of the trainings that are finished."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from realtime_rl.cli.output import write
from realtime_rl.core.errors import MissingDependencyError
from realtime_rl.simulate.sweep import Part
from realtime_rl.simulate.sweep_figures import Results, courses, curves, points, rows


def put(parts: Sequence[Part], results: Results, folder: Path) -> None:
    """Print the means, and write tables and pictures; `ConfigError` where that cannot be."""
    _table(folder / "sweep.csv", [row for part in parts for row in rows(part, results)])
    for part in parts:
        picture = (_over_time if part.plot.over_time else _points)(part, results, folder)
        if picture:
            write(folder / f"{part.name}.svg", picture)


def _points(part: Part, results: Results, folder: Path) -> bytes:
    del folder
    found = points(part, results)
    if not found:
        return _nothing(part)
    print(f"{part.name}: {part.plot.meaning}")
    each = "pairs" if part.plot.against else "runs"
    for point in found:
        print(f"{part.name}: {part.plot.x} {point.x}{f', {point.line}' if point.line else ''}:"
              f" {point.interval:.4g}, {each} {_listed(point.runs)}")
    drawing = _drawing()
    picture: bytes = drawing.draw_sweep(part.plot, found) if drawing else b""
    return picture


def _over_time(part: Part, results: Results, folder: Path) -> bytes:
    found = [curve for curve in curves(part, results) if curve.ticks]
    if not found:
        return _nothing(part)
    _table(folder / f"{part.name}.csv", courses(part, results))
    print(f"{part.name}: {part.plot.meaning}")
    for curve in found:
        print(f"{part.name}: {curve.line or 'all'}, after {curve.ticks[-1]:,} ticks: "
              f"{curve.intervals[-1]:.4g}, runs {_listed(curve.runs)}")
    drawing = _drawing()
    picture: bytes = drawing.draw_curves(part.plot, found) if drawing else b""
    return picture


def _listed(runs: Sequence[float]) -> str:
    return ", ".join(f"{run:.4g}" for run in runs)


def _nothing(part: Part) -> bytes:
    print(f"{part.name}: no training has a score {part.plot.score!r}: no picture", file=sys.stderr)
    return b""


def _drawing() -> ModuleType | None:
    try:
        from realtime_rl.simulate import drawing
    except (ImportError, MissingDependencyError):
        print(f"no picture: {MissingDependencyError('matplotlib', 'bags')}", file=sys.stderr)
        return None
    return drawing


def _table(path: Path, table: Sequence[Mapping[str, Any]]) -> None:
    names = list(dict.fromkeys(name for row in table for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    write(path, text.getvalue().encode())
