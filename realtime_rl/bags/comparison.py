"""Several runs side by side: their headlines, and their returns with intervals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from matplotlib.axes import Axes

from realtime_rl import strict_json
from realtime_rl.bags.drawing import BLUE, FAINT, INK, Picture, picture
from realtime_rl.bags.html import document, figure
from realtime_rl.bags.report import UNKNOWN, Report, emulation, headlines, number, title
from realtime_rl.core.figures.intervals import Interval, difference_of, mean_of
from realtime_rl.core.figures.statistics import episodes_of, plant_sessions

_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of each run."""

    label: str
    values: tuple[str, ...]


class Comparison:
    """Runs that are compared with the first of them."""

    def __init__(self, reports: Sequence[Report]) -> None:
        """Compare two or more."""
        self.reports = tuple(reports)
        self.names = _names(reports)
        returns = [episodes_of(plant_sessions(each.run.records.timesteps)).returns.tolist()
                   for each in reports]
        self.returns: list[list[float]] = returns
        self.means = [mean_of(each) for each in returns]
        self.differences = [difference_of(each, returns[0]) for each in returns[1:]]
        """Mean return of each other run less that of the first."""

    def lines(self) -> Iterator[Line]:
        """What a person compares, figure by figure."""
        said = [{each.label: each.value for each in headlines(report)} for report in self.reports]
        figures = [report.figures for report in self.reports]
        yield Line("Plant", tuple(map(title, self.reports)))
        yield Line("Workers", tuple(number(each["inference"]["workers"], 0) for each in figures))
        for label in dict.fromkeys(label for each in said for label in each):
            if label != "Return":
                yield Line(label, tuple(each.get(label, UNKNOWN) for each in said))
            if label == "Delay":
                yield Line("Promised", tuple(
                    number(each["inference"]["promised_delay_ticks"], 0, "ticks")
                    for each in figures))
        yield Line("Episodes", tuple(f"{len(each):,}" for each in self.returns))
        yield Line("Return", tuple(map(_interval, self.means)))
        yield Line(f"less {self.names[0]}'s", ("", *map(_interval, self.differences)))

    def warnings(self) -> Iterator[str]:
        """What is to be said of each run, or of comparing them."""
        plants = {title(report) for report in self.reports}
        if len(plants) > 1:
            yield f"these are of different plants: {', '.join(sorted(plants))}"
        for name, report in zip(self.names, self.reports, strict=True):
            spec = emulation(report)
            yield from (f"{name}: {text}" for text in ([spec] if spec else []))
            yield from (f"{name}: {text}" for text in report.warnings)

    def to_text(self) -> str:
        """Write a table for a terminal."""
        rows = [("", *self.names), *((line.label, *line.values) for line in self.lines())]
        widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
                 .rstrip() for row in rows]
        return "\n".join([*lines, *(f"warning: {text}" for text in self.warnings())]) + "\n"

    def to_json(self) -> str:
        """Write the figures of all, and what is compared."""
        return strict_json.dumps({
            "schema": _SCHEMA, "runs": [
                {"bag": str(report.run.path), "return": mean.known, "figures": report.figures}
                for report, mean in zip(self.reports, self.means, strict=True)],
            "return_less_first": [each.known for each in self.differences]}, indent=2) + "\n"

    def page(self) -> str:
        """Render a page with the table and a picture of the returns."""
        head = "".join(f"<th>{escape(name)}</th>" for name in self.names)
        rows = "\n".join(
            f"<tr><th>{escape(line.label)}</th>"
            + "".join(f"<td>{escape(value)}</td>" for value in line.values) + "</tr>"
            for line in self.lines())
        said = "".join(f"<li>{escape(text)}</li>" for text in self.warnings())
        heading = f"{len(self.reports)} runs compared"
        drawn = figure(self._picture(), "returns") if any(self.returns) else ""
        return document(f"{heading} – realtime_rl report", (
            f"<header>\n<h1>{escape(heading)}</h1>\n</header>\n"
            "<section class=\"tables\">\n<div class=\"scrolled\">\n<table>\n"
            f"<tr><th></th>{head}</tr>\n{rows}\n</table>\n</div>\n</section>\n{drawn}\n"
            + (f"<section class=\"warnings\">\n<h2>Remarks</h2>\n<ul>{said}</ul>\n</section>"
               if said else "")), f"comparison: schema {_SCHEMA}")

    def _picture(self) -> Picture:
        def paint(axes: Axes) -> None:
            for place, (returns, mean) in enumerate(zip(self.returns, self.means, strict=True)):
                spread = np.linspace(-0.15, 0.15, len(returns)) if len(returns) > 1 else [0.0]
                axes.plot([place + each for each in spread][:len(returns)], returns, "o",
                          color=FAINT, markersize=2.5)
                if np.isfinite(mean.low):
                    axes.plot([place, place], [mean.low, mean.high], color=BLUE, linewidth=2)
                axes.plot([place], [mean.mean], "_", color=INK, markersize=18)
            axes.set_xticks(range(len(self.names)), self.names)
            axes.set(ylabel="return")

        return picture("Returns", "Each episode, and the mean with its 95 % interval.", 3.2, paint)


def _names(reports: Sequence[Report]) -> tuple[str, ...]:
    """Name runs by their folders, or by their paths where two are alike."""
    names = [report.run.path.name for report in reports]
    alike = len(set(names)) < len(names)
    return tuple(str(report.run.path) for report in reports) if alike else tuple(names)


def _interval(interval: Interval) -> str:
    if not interval.n:
        return UNKNOWN
    if not np.isfinite(interval.low):
        return f"{interval.mean:.2f}"
    return f"{interval.mean:.2f} [{interval.low:.2f}, {interval.high:.2f}]"
