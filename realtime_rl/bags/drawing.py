"""How every picture of a report looks, and how it becomes SVG."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from realtime_rl.core.errors import MissingDependencyError
from realtime_rl.core.types import Cause

try:
    import matplotlib
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
except ImportError as missing:
    raise MissingDependencyError("matplotlib", "bags", missing) from missing

# Okabe and Ito's colours: told apart by everybody
BLUE, SKY, ORANGE = "#0072B2", "#56B4E9", "#E69F00"
GREEN, RED, PURPLE = "#009E73", "#D55E00", "#CC79A7"
INK, FAINT, RULE = "#1f2933", "#7b8794", "#d9dee4"
STARTUP, GRID = "#c4ccd4", "#eef1f4"
CAUSE_COLOUR = {Cause.POLICY: BLUE, Cause.DEFAULT: ORANGE, Cause.NONE: RED,
                Cause.OPERATOR: GREEN, Cause.STOP: PURPLE}
PALE = 0.55
"""How much of an area shows that is drawn pale."""
WIDTH_IN = 10.0
NARROW_IN = 4.6

_STYLE = {
    "figure.facecolor": "white", "axes.facecolor": "white", "axes.edgecolor": RULE,
    "axes.labelcolor": FAINT, "axes.labelsize": 9, "axes.spines.top": False,
    "axes.spines.right": False, "axes.axisbelow": True, "axes.grid": True,
    "axes.grid.axis": "y", "grid.color": GRID, "grid.linewidth": 0.8,
    "xtick.color": FAINT, "ytick.color": FAINT, "xtick.labelsize": 8.5, "ytick.labelsize": 8.5,
    "xtick.major.size": 0, "ytick.major.size": 0, "text.color": INK, "font.size": 9,
    "legend.frameon": False, "legend.fontsize": 8.5, "lines.linewidth": 1.4,
    "axes.formatter.use_mathtext": False, "svg.hashsalt": "realtime_rl", "svg.fonttype": "path",
}


Shape = Literal["area", "pale", "line", "dashes", "dotted", "dot", "cross"]
CAUSE_WORDS = {
    Cause.POLICY: "policy: an action of a worker came in time",
    Cause.DEFAULT: "default: the default policy, as none came in time",
    Cause.NONE: "none: no command came at all, the plant applied its safe one",
    Cause.OPERATOR: "operator: a person",
    Cause.STOP: "stop: the safe command, or a robot between two episodes"}


@dataclass(frozen=True, slots=True)
class Key:
    """What a colour of a picture means."""

    colour: str
    meaning: str
    shape: Shape = "area"


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of a report."""

    title: str
    caption: str
    """What it shows, and what to look for."""
    svg: bytes
    narrow: bytes
    """The same for a telephone."""
    keys: tuple[Key, ...] = ()


@contextmanager
def style() -> Iterator[None]:
    """Draw in the report's style."""
    with matplotlib.rc_context(_STYLE):
        yield


def draw(height_in: float, paint: Callable[[Axes], None]) -> bytes:
    """Let `paint` draw on one pair of axes; return the SVG."""
    return _drawn(WIDTH_IN, height_in, lambda figure: paint(figure.add_subplot()))


def picture(title: str, caption: str, height_in: float, paint: Callable[[Axes], None],
            keys: Sequence[Key] = ()) -> Picture:
    """Let `paint` draw on one pair of axes, once for a screen and once for a telephone."""
    return picture_of(title, caption, height_in, lambda figure: paint(figure.add_subplot()), keys)


def picture_of(title: str, caption: str, height_in: float, paint: Callable[[Figure], None],
               keys: Sequence[Key] = ()) -> Picture:
    """Let `paint` draw a figure of several axes; else as `picture`."""
    return Picture(title, caption, _drawn(WIDTH_IN, height_in, paint),
                   _drawn(NARROW_IN, height_in, paint), tuple(keys))


def _drawn(width_in: float, height_in: float, paint: Callable[[Figure], None]) -> bytes:
    with style():
        figure = Figure(figsize=(width_in, height_in), layout="constrained")
        paint(figure)
        return to_svg(figure)


def to_svg(figure: Figure) -> bytes:
    """Render a figure; the same figure always gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", dpi=144, metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def mark(axes: Axes, x: float, text: str, colour: str = INK) -> None:
    """Draw a vertical line with its label over the axes."""
    axes.axvline(x, color=colour, linewidth=1.2, linestyle=(0, (4, 3)))
    axes.annotate(text, (x, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 3),
                  textcoords="offset points", ha="center", color=colour, fontsize=8.5)


def legend_above(axes: Axes, handles: Sequence[Artist] | None = None, *,
                 marker_scale: float = 1.0) -> None:
    """Put the legend over the axes, on one line."""
    entries = list(handles) if handles is not None else axes.get_legend_handles_labels()[0]
    axes.legend(handles=entries, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=len(entries),
                borderaxespad=0.2, markerscale=marker_scale, handlelength=1.2,
                columnspacing=1.4, handletextpad=0.5)
