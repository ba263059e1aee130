"""The benchmarks' pictures, as SVG or PNG by the file's name."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from realtime_rl.bags.drawing import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    ORANGE,
    RED,
    WIDTH_IN,
    legend_above,
    style,
    to_svg,
)
from realtime_rl.bench.compare import Row
from realtime_rl.bench.scaling import Line, Point
from realtime_rl.bench.text import UNKNOWN
from realtime_rl.core.errors import ConfigError
from realtime_rl.files import write_atomically

KINDS = (".svg", ".png")
_Value = Callable[[Row], float | None]
_COLUMNS: tuple[tuple[str, str, _Value], ...] = (
    ("ticks without an action [%]", "{:.2f}",
     lambda row: (fraction * 100 if (fraction := row.figures["interaction"]["inaction_fraction"])
                  is not None else None)),
    ("jitter, p95 [ms]", "{:.2f}",
     lambda row: row.figures["interaction"]["action_jitter_ms"]["p95"]),
    ("mean delay [ticks]", "{:.1f}", lambda row: row.figures["interaction"]["delay_ticks"]["mean"]),
    ("workers", "{:.0f}", lambda row: row.workers),
    ("recovery [ticks]", "{:.0f}", lambda row: row.recovery.ticks if row.recovery else None),
)


def check_name(path: Path) -> None:
    """`ConfigError` for a picture that could not be written; called before anything runs."""
    if path.suffix.lower() not in KINDS:
        raise ConfigError(f"--plot {str(path)!r}: name it .svg or .png")
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"--plot {str(path)!r}: no such folder")


def draw_comparison(rows: Sequence[Row], caption: str, path: Path) -> None:
    """Draw each figure as bars, one for each approach."""
    with style():
        figure = Figure(figsize=(WIDTH_IN * 1.3, 1.2 + 0.38 * len(rows)), layout="constrained")
        panels = figure.subplots(1, len(_COLUMNS), sharey=True)
        for axes, (label, form, value) in zip(panels, _COLUMNS, strict=True):
            _bars(axes, rows, value, form)
            axes.set_title(label, fontsize=9, loc="left")
        panels[0].set_yticks(range(len(rows)), [str(row.approach) for row in rows], color=INK)
        panels[0].invert_yaxis()
        figure.suptitle(caption, fontsize=9.5, x=0.01, ha="left")
        _write(figure, path)


def draw_scaling(points: Sequence[Point], line: Line | None, path: Path) -> None:
    """Draw required workers against latency, and the inaction with so many."""
    with style():
        figure = Figure(figsize=(WIDTH_IN * 1.2, 4.4), layout="constrained")
        workers, inaction = figure.subplots(1, 2)
        _workers(workers, points, line)
        _inaction(inaction, [point for point in points if not point.live])
        _write(figure, path)


def _bars(axes: Axes, rows: Sequence[Row], value: _Value, form: str) -> None:
    values = [value(row) for row in rows]
    colours = [BLUE if row.approach.staggered else ORANGE for row in rows]
    axes.barh(range(len(rows)), [known or 0.0 for known in values], color=colours, height=0.62)
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.margins(x=0.35)
    for index, known in enumerate(values):
        text = UNKNOWN if known is None else form.format(known)
        axes.annotate(text, (known or 0.0, index), xytext=(4, 0), textcoords="offset points",
                      va="center", fontsize=8.5)


def _workers(axes: Axes, points: Sequence[Point], line: Line | None) -> None:
    for shown, marker, label in ((False, "o", "staggered, virtual time"),
                                 (True, "x", "staggered, live")):
        known = [(p.latency_ticks, p.required_workers) for p in points
                 if p.live is shown and p.required_workers is not None]
        if known:
            axes.plot(*zip(*known, strict=True), marker, color=BLUE if not shown else RED,
                      label=label, markersize=5)
    if line is not None and points:
        ticks = np.geomspace(min(p.latency_ticks for p in points),
                             max(p.latency_ticks for p in points), 100)
        axes.plot(ticks, line.slope * ticks + line.intercept, color=FAINT,
                  label=f"slope {line.slope:.3f}, R² {line.r_squared:.5f}")
    axes.set(xscale="log", yscale="log", xlabel="inference time [ticks]",
             ylabel="required workers")
    legend_above(axes)


def _inaction(axes: Axes, points: Sequence[Point]) -> None:
    lines = (("staggered", BLUE, [p.inaction for p in points]),
             ("unstaggered, as many workers", ORANGE, [p.unstaggered_inaction for p in points]),
             ("sequential, one worker", GREEN, [p.sequential_inaction for p in points]))
    for label, colour, values in lines:
        known = [(p.latency_ticks, 100 * value) for p, value in zip(points, values, strict=True)
                 if value is not None]
        if known:
            axes.plot(*zip(*known, strict=True), "o-", color=colour, label=label, markersize=3.5)
    axes.set(xscale="log", xlabel="inference time [ticks]",
             ylabel="ticks without an action [%]", ylim=(-3, 103))
    legend_above(axes)


def _write(figure: Figure, path: Path) -> None:
    if path.suffix.lower() == ".svg":
        data = to_svg(figure)
    else:
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=144)
        data = buffer.getvalue()
    try:
        write_atomically(path, data)
    except OSError as error:
        raise ConfigError(f"--plot {str(path)!r} cannot be written: {error.strerror}") from error
