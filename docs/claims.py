"""Measured figures, computed from their raw data: the tables of the pages, and what prose prints.

`claims.yaml` says of each source how it was measured, and where its data are.
"""

from __future__ import annotations

import csv
import re
import statistics
from pathlib import Path
from typing import Any

import yaml

from realtime_rl.core.figures.intervals import mean_of

DOCS = Path(__file__).resolve().parent
DATA = DOCS / "measurements" / "data"
PAGE = "measurements/claims.md"
Row = dict[str, str]
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")


def sources() -> dict[str, dict[str, Any]]:
    """Return all sources by their name, which is their anchor in `PAGE`."""
    return yaml.safe_load((DOCS / "claims.yaml").read_text(encoding="utf-8"))["sources"]


def given() -> dict[str, dict[str, str]]:
    """Return the numbers with a unit that nobody measured, by page: each with what it is."""
    return yaml.safe_load((DOCS / "claims.yaml").read_text(encoding="utf-8")).get("given") or {}


def rows(source: dict[str, Any], where: dict[str, str] | None = None) -> list[Row]:
    """Return the single runs of a source's first file that have these values."""
    with (DATA / source["data"][0]).open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    return [row for row in found if _has(row, where)]


def _has(row: Row, where: dict[str, str] | None) -> bool:
    return all(row[name] == value for name, value in (where or {}).items())


def _values(found: list[Row], column: str) -> list[float]:
    return [float(row[column]) for row in found if row[column] != ""]


def _written(value: float, like: str) -> str:
    """Write `value` with as many digits as the number `like` has."""
    digits = len(like.partition(".")[2])
    return f"{value:,.{digits}f}" if "," in like else f"{value:.{digits}f}"


def numbers(source: dict[str, Any], figure: dict[str, Any]) -> list[float]:
    """Compute what a figure says from the data."""
    found = rows(source, figure.get("where"))
    values = _values(found, figure["column"])
    if figure["of"] == "difference":
        others = _values(rows(source, figure["less"]), figure["column"])
        interval = mean_of([a - b for a, b in zip(values, others, strict=True)])
        return [interval.mean, interval.low, interval.high]
    if figure["of"] == "range":
        return [min(values), max(values)]
    compute = {"median": statistics.median, "mean": statistics.fmean, "min": min, "max": max}
    return [compute[figure["of"]](values)]


def computed(source: dict[str, Any], figure: dict[str, Any]) -> str:
    """Return a figure's text with its numbers computed anew."""
    fresh = iter(numbers(source, figure))
    return _NUMBER.sub(lambda match: _written(next(fresh), match[0]), figure["text"])


def table(source: dict[str, Any]) -> str:
    """Return a source's table: a row a group, median (least to most) of its runs."""
    spec = source["table"]
    by: dict[str, str] = spec.get("by", {})
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows(source, spec.get("where")):
        groups.setdefault(tuple(row[name] for name in by), []).append(row)
    several = any(len(found) > 1 for found in groups.values())
    head = [*by.values(), *(["runs"] if several else []), *spec["columns"].values()]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for key, found in groups.items():
        cells = [*key, *([str(len(found))] if several else []),
                 *(_cell(found, column) for column in spec["columns"])]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(found: list[Row], column: str) -> str:
    texts = [row[column] for row in found if row[column] != ""]
    values = [float(text) for text in texts]
    if not values:
        return "–"
    if len(set(values)) == 1:
        return texts[0]
    digits = max(len(text.partition(".")[2]) for text in texts)
    middle, low, high = (f"{value:.{digits}f}" for value in
                         (statistics.median(values), min(values), max(values)))
    return f"{middle} ({low} to {high})"


def page() -> str:
    """Return the page of all sources."""
    lines = ["# Sources of the figures", "",
             "Behind every measured figure: the command that made it, when and where, and the file "
             "of the single runs.", ""]
    for name, source in sources().items():
        lines += [f"## {name}", "", source["measured"].strip() + ".", ""]
        if source["command"].strip() != "as above":
            lines += ['```bash title="needs: the time and the machine named above"',
                      source["command"].strip(), "```", ""]
        files = ", ".join(f"[{file}](data/{file})" for file in source["data"])
        lines += [f"Data: {files}.", ""] if files else []
        printed = ", ".join(figure["text"] for figure in source.get("figures", []))
        lines += [f"Printed of it: {printed}.", ""] if printed else []
    return "\n".join(lines).rstrip() + "\n"


_FENCE = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
_MADE = re.compile(r"<!-- (?:generated|table): .*?<!-- end -->", re.DOTALL)
_LINKED = re.compile(r"\[((?:[^\[\]]|\[[^\[\]]*\])+)\]\((?:[^()\s]*/)?claims\.md#([\w-]+)\)")
_ELSE = re.compile(r"<!--.*?-->|`[^`]*`|\]\([^)]*\)|^#[^\n]*$", re.DOTALL | re.MULTILINE)
_UNIT = (r"(?:%|percent\b|ms\b|µs\b|s\b|seconds?\b|minutes?\b|hours?\b|days?\b|k?Hz\b|[kMG]i?B\b|"
         r"gigabytes?\b|megabytes?\b|/s\b|times\b|(?:ticks|updates|actions|inferences) a second\b)")
_FIGURE = re.compile(rf"(?<![\w.,-])-?\d[\d,]*(?:\.\d+|(?:\.\d+)?\s?{_UNIT})")


def linked(text: str) -> list[tuple[str, str]]:
    """Return the figures that a page prints, each with its source."""
    return [(" ".join(each.split()), name) for each, name in _LINKED.findall(_prose(text))]


def unsourced(text: str, known: dict[str, str] | None = None) -> list[str]:
    """Return what a page prints that looks measured, and is neither a link to its source nor known.

    A measured figure is a number with a unit, or with a decimal point, in prose or a table: outside
    code (what one types, a default), headings, and the parts that are made from code or data.
    """
    left = " ".join(_ELSE.sub(" ", _LINKED.sub(" ", _prose(text))).split())
    for each in sorted(known or {}, key=len, reverse=True):
        left = left.replace(each, " ")
    return [match[0] for match in _FIGURE.finditer(left)]


def _prose(text: str) -> str:
    return _MADE.sub(" ", _FENCE.sub(" ", text))
