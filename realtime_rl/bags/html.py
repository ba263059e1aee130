"""The report as one HTML page that needs nothing else: no scripts, no network."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from html import escape

from realtime_rl import __version__
from realtime_rl.bags.drawing import Picture
from realtime_rl.bags.plots import pictures
from realtime_rl.bags.report import Report, emulation, headlines, number, scale, title
from realtime_rl.bags.stylesheet import CSS

_COLUMNS = ("mean", "std", "p50", "p95", "p99", "max", "n")
_SECTIONS = {"plant": "Plant", "interaction": "Interaction", "inference": "Inference",
             "learning": "Learning", "episodes": "Episodes", "recording": "Recording"}


def page(report: Report) -> str:
    """Render a report; `MissingDependencyError` came up on import without matplotlib."""
    body = "\n".join((*_header(report), *_warnings(report), *_headlines(report),
                      *(_picture(picture) for picture in pictures(report.run.records)),
                      *_tables(report)))
    return (f"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            f"<title>{escape(title(report))} – realtime_rl report</title>\n"
            f"<style>\n{CSS}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n"
            f"<footer>realtime_rl {__version__} · figures: schema {report.figures['schema']}"
            "</footer>\n</body>\n</html>\n")


def _header(report: Report) -> Iterator[str]:
    begun = datetime.fromtimestamp(report.run.start_ns / 1e9, tz=timezone.utc)
    yield f"<header>\n<h1>{escape(title(report))}</h1>\n<p>{escape(scale(report))}</p>"
    yield (f"<p class=\"faint\">{begun:%Y-%m-%d %H:%M:%S} UTC · "
           f"{escape(str(report.run.path))}</p>")
    spec = emulation(report)
    if spec is not None:
        head, _, rest = spec.partition(";")
        yield f"<p class=\"emulated\"><strong>{escape(head)}</strong>{escape(rest)}</p>"
    yield "</header>"


def _warnings(report: Report) -> Iterator[str]:
    if not report.warnings:
        return
    yield f"<section class=\"warnings\">\n<h2>{len(report.warnings)} warning(s)</h2>\n<ul>"
    yield from (f"<li>{escape(warning)}</li>" for warning in report.warnings)
    yield "</ul>\n</section>"


def _headlines(report: Report) -> Iterator[str]:
    yield "<section class=\"headlines\">"
    for line in headlines(report):
        yield (f"<div><h3>{escape(line.label)}</h3><p class=\"value\">{escape(line.value)}</p>"
               f"<p>{escape(line.detail)}</p></div>")
    yield "</section>"


def _picture(picture: Picture) -> str:
    data = base64.b64encode(picture.svg).decode("ascii")
    return (f"<figure>\n<h2>{escape(picture.title)}</h2>\n"
            f"<figcaption>{escape(picture.caption)}</figcaption>\n"
            f"<img alt=\"{escape(picture.title)}\" src=\"data:image/svg+xml;base64,{data}\">\n"
            "</figure>")


def _tables(report: Report) -> Iterator[str]:
    yield "<section class=\"tables\">\n<h2>All figures</h2>"
    for key, name in _SECTIONS.items():
        section: Mapping[str, object] = report.figures[key]  # type: ignore[literal-required]
        yield f"<h3>{name}</h3>"
        yield from _scalars(section)
        yield from _distributions(section)
    yield "</section>"


def _scalars(section: Mapping[str, object]) -> Iterator[str]:
    rows = [(key, value) for key, value in _flat(section) if not isinstance(value, dict)]
    yield "<dl>"
    yield from (f"<div><dt>{escape(key)}</dt><dd>{escape(_cell(value))}</dd></div>"
                for key, value in rows)
    yield "</dl>"


def _flat(section: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Counts by kind, one row a kind."""
    for key, value in section.items():
        if isinstance(value, dict) and not set(_COLUMNS) <= set(value):
            yield from ((f"{key}: {kind}", count) for kind, count in value.items())
        else:
            yield key, value


def _distributions(section: Mapping[str, object]) -> Iterator[str]:
    rows = [(key, value) for key, value in section.items()
            if isinstance(value, dict) and set(_COLUMNS) <= set(value)]
    if not rows:
        return
    head = "".join(f"<th>{column}</th>" for column in _COLUMNS)
    yield f"<table>\n<tr><th></th>{head}</tr>"
    for key, value in rows:
        cells = "".join(f"<td>{escape(_cell(value[column]))}</td>" for column in _COLUMNS)
        yield f"<tr><th>{escape(key)}</th>{cells}</tr>"
    yield "</table>"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return number(value, 3)
    if isinstance(value, int):
        return f"{value:,}"
    return number(None) if value is None else str(value)
