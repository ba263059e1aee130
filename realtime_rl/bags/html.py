"""The report as one HTML page that needs nothing else: no scripts, no network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from html import escape
from typing import Any

from realtime_rl import __version__
from realtime_rl.bags.drawing import Key, Picture
from realtime_rl.bags.plots import pictures
from realtime_rl.bags.report import UNKNOWN, Report, emulation, headlines, number, scale, title
from realtime_rl.bags.robot_report import stop_lines
from realtime_rl.bags.run_record import RunRecord
from realtime_rl.bags.stylesheet import CSS
from realtime_rl.bags.theme import colour, inline

_COLUMNS = ("mean", "std", "p50", "p95", "p99", "max", "n")
_SECTIONS = {"plant": "Plant", "interaction": "Interaction", "inference": "Inference",
             "chunks": "Chunks", "learning": "Learning", "episodes": "Episodes",
             "recording": "Recording", "robot": "Robot"}
_NESTED, _SHORT = ("elements", "sources", "counters"), ("mean", "p50", "p99", "max")
"""Figures of each of several things, and what is told there of a distribution."""
_ALWAYS = ("Rate", "Inaction", "Startup")
"""Headlines that say something also where their figure is not known."""


@dataclass(frozen=True, slots=True)
class _Section:
    """A part of the page that the list of contents leads to."""

    name: str
    title: str
    body: str


def page(report: Report, *, refresh_s: int = 0) -> str:
    """Render a report; `MissingDependencyError` came up on import without matplotlib.

    A browser reads it again every `refresh_s`, if that is not 0.
    """
    sections = list(_sections(report))
    body = "\n".join((*_header(report), *_contents(sections),
                      *(section.body for section in sections)))
    return document(f"{title(report)} – realtime_rl report", body,
                    f"figures: schema {report.figures['schema']}", refresh_s=refresh_s)


def document(name: str, body: str, foot: str, *, refresh_s: int = 0) -> str:
    """Make a whole page of a body; a browser reads it again every `refresh_s`, if that is not 0."""
    again = f"<meta http-equiv=\"refresh\" content=\"{refresh_s}\">\n" if refresh_s else ""
    return (f"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<meta name=\"color-scheme\" content=\"light dark\">\n"
            f"{again}<title>{escape(name)}</title>\n"
            f"<style>\n{CSS}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n"
            f"<footer>realtime_rl {__version__} · {escape(foot)}</footer>\n</body>\n</html>\n")


def _sections(report: Report) -> Iterator[_Section]:
    """The parts of the page that have something to say, in order."""
    yield from _failures(report)
    yield _Section("headlines", "Headlines", "\n".join(_headlines(report)))
    yield from _complaints(report)
    yield from _stops(report)
    died = () if report.noted is None else report.noted.died
    for place, picture in enumerate(pictures(report.run.records, died), 1):
        yield _picture(picture, f"picture-{place}")
    yield _Section("figures", "All figures", "\n".join(_tables(report)))


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


def _contents(sections: list[_Section]) -> Iterator[str]:
    yield "<nav aria-label=\"Contents\">\n<ul>"
    yield from (f"<li><a href=\"#{section.name}\">{escape(section.title)}</a></li>"
                for section in sections)
    yield "</ul>\n</nav>"


def _failures(report: Report) -> Iterator[_Section]:
    """What went wrong: with nodes, and with the recording."""
    noted = report.noted
    deaths = [] if noted is None else noted.lines
    if noted is not None and deaths:
        yield _list("deaths", f"{noted.count} death(s) of nodes",
                    "When, how, and what followed; then the node's last words."
                    f"{_since(report, noted)}", deaths)
    others = [warning for warning in report.warnings if warning not in deaths]
    if others:
        yield _list("warnings", f"{len(others)} warning(s) about the recording",
                    "What could not be read, and where the records disagree.", others)


def _complaints(report: Report) -> Iterator[_Section]:
    noted = report.noted
    warned = [] if noted is None else noted.noted.lines()
    if noted is not None and warned:
        yield _list("complaints", "What the nodes warned of",
                    "Each line once, with when it came first and how often."
                    f"{_since(report, noted)}", warned)


def _stops(report: Report) -> Iterator[_Section]:
    """When a robot was stopped, and by what."""
    lines = stop_lines(report.run.records.robots, report.run.records.timesteps)
    if lines:
        yield _list("stops", "Stops of the robot",
                    "When it was stopped, for how long, and by what. Times count from the first "
                    "tick.", lines)


def _since(report: Report, noted: RunRecord) -> str:
    """How the times of the lists compare with those of the pictures, where that is known."""
    first = next(iter(report.run.records.timesteps), None)
    if first is None or not noted.began_ns:
        return ""
    return (" Times count from the start of the run; pictures begin with the first tick, "
            f"{(first.stamp_ns - noted.began_ns) / 1e9:.1f} s later.")


def _list(name: str, heading: str, caption: str, lines: list[str]) -> _Section:
    items = "\n".join(f"<li>{escape(line)}</li>" for line in lines)
    return _Section(name, heading, (
        f"<section id=\"{name}\" class=\"warnings\">\n<h2>{escape(heading)}</h2>\n"
        f"<p>{escape(caption)}</p>\n<ul>\n{items}\n</ul>\n</section>"))


def _headlines(report: Report) -> Iterator[str]:
    yield "<section id=\"headlines\" class=\"headlines\">"
    for line in headlines(report):
        if line.label in _ALWAYS or not (line.value.startswith(UNKNOWN) or line.value == "0"):
            yield (f"<div><h3>{escape(line.label)}</h3><p class=\"value\">{escape(line.value)}</p>"
                   f"<p>{escape(line.detail)}</p></div>")
    yield "</section>"


def _picture(picture: Picture, name: str) -> _Section:
    return _Section(name, picture.title, figure(picture, name))


def figure(picture: Picture, name: str) -> str:
    """Put a picture into the page; no other has its `name`."""
    heading = escape(picture.title)
    return "\n".join((
        f"<figure id=\"{name}\">\n<h2>{heading}</h2>",
        f"<figcaption>{escape(picture.caption)}</figcaption>", *_keys(picture.keys),
        f"<div class=\"wide\" role=\"img\" aria-label=\"{heading}\">"
        f"{inline(picture.svg, name)}</div>",
        f"<div class=\"narrow\" role=\"img\" aria-label=\"{heading}\">"
        f"{inline(picture.narrow, f'{name}-narrow')}</div>\n</figure>"))


def _keys(keys: tuple[Key, ...]) -> Iterator[str]:
    if keys:
        yield "<ul class=\"keys\">"
        yield from (f"<li><i class=\"{key.shape}\" style=\"--key: {colour(key.colour)}\"></i>"
                    f"{escape(key.meaning)}</li>" for key in keys)
        yield "</ul>"


def _tables(report: Report) -> Iterator[str]:
    yield "<section id=\"figures\" class=\"tables\">\n<h2>All figures</h2>"
    for key, name in _SECTIONS.items():
        section: Mapping[str, Any] | None = report.figures[key]  # type: ignore[literal-required]
        if section is None:
            continue
        nested = {name: section[name] for name in _NESTED if name in section}
        section = {name: value for name, value in section.items() if name not in nested}
        told = list(_distributions(section))
        if told or any(value for _, value in _flat(section) if not isinstance(value, dict)):
            yield from (f"<h3>{name}</h3>", *_scalars(section), *told)
        for kind, things in nested.items():
            yield from _table_of(kind, things)
    yield "</section>"


def _table_of(kind: str, things: Mapping[str, Mapping[str, object]]) -> Iterator[str]:
    """A row for each of some things of a kind, a column a figure."""
    if not things:
        return
    columns = next(iter(things.values()))
    told = [(f"{key}, {part}", key, part) for key, value in columns.items()
            for part in (_SHORT if isinstance(value, dict) else ("",))]
    head = "".join(f"<th>{escape(title.rstrip(', '))}</th>" for title, _, _ in told)
    yield f"<div class=\"scrolled\">\n<table>\n<tr><th>{escape(kind)}</th>{head}</tr>"
    for name, figures in things.items():
        values: Mapping[str, Any] = figures
        cells = "".join(f"<td>{escape(_cell(values[key][part] if part else values[key]))}</td>"
                        for _, key, part in told)
        yield f"<tr><th>{escape(name)}</th>{cells}</tr>"
    yield "</table>\n</div>"


def _scalars(section: Mapping[str, object]) -> Iterator[str]:
    rows = [(key, value) for key, value in _flat(section)
            if value is not None and not isinstance(value, dict)]
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
            if isinstance(value, dict) and set(_COLUMNS) <= set(value) and value["n"]]
    if not rows:
        return
    head = "".join(f"<th>{column}</th>" for column in _COLUMNS)
    yield f"<div class=\"scrolled\">\n<table>\n<tr><th></th>{head}</tr>"
    for key, value in rows:
        cells = "".join(f"<td>{escape(_cell(value[column]))}</td>" for column in _COLUMNS)
        yield f"<tr><th>{escape(key)}</th>{cells}</tr>"
    yield "</table>\n</div>"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return number(value, 3)
    if isinstance(value, int):
        return f"{value:,}"
    return number(None) if value is None else str(value)
