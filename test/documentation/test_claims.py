"""Every measured figure that is printed has its source, and says what the raw data say."""

from pathlib import Path
from typing import Any

import pytest

from docs import claims

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SOURCES = claims.sources()


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT)).removeprefix("docs/")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_figure_stands_without_its_source(page: Path) -> None:
    if page == claims.DOCS / claims.PAGE:
        return  # the sources themselves
    known = claims.given().get(name_of(page))
    assert claims.unsourced(page.read_text(encoding="utf-8"), known) == [], (
        "link a measured figure to its source in docs/claims.yaml; what is no measurement stands "
        "in code or under `given` there")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_figure_is_one_that_its_source_has(page: Path) -> None:
    for text, name in claims.linked(page.read_text(encoding="utf-8")):
        if not any(map(str.isdigit, text)):
            continue  # a link in words
        assert name in SOURCES, f"{text}: no source {name}"
        printed = [figure["text"] for figure in SOURCES[name].get("figures", [])]
        assert text in printed, f"{text} is not of {name}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_what_is_given_is_printed(page: Path) -> None:
    text = " ".join(page.read_text(encoding="utf-8").split())
    assert [each for each in claims.given().get(name_of(page), {}) if each not in text] == []


@pytest.mark.parametrize("name", SOURCES)
def test_figures_say_what_the_data_say(name: str) -> None:
    source = SOURCES[name]
    for figure in source.get("figures", []):
        assert claims.computed(source, figure) == figure["text"]


def test_every_source_has_command_and_data_and_is_printed() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    used = {file for source in SOURCES.values() for file in source["data"]}
    assert used == {path.name for path in claims.DATA.iterdir()}
    for name, source in SOURCES.items():
        assert source["command"].strip() and source["measured"].strip(), name
        assert f"<!-- table: {name} -->" in text or f"claims.md#{name})" in text, name


@pytest.mark.parametrize(("text", "found"), [
    ("It takes 12 ms.", ["12 ms"]), ("It takes 1,150 ms.", ["1,150 ms"]), ("by 0.3", ["0.3"]),
    ("-2.5 of 32", ["-2.5"]), ("| 3 % | four |", ["3 %"]), ("some 40 times", ["40 times"]),
    ("`12 ms`, 16 workers", []), ("[12 ms](measurements/claims.md#a)", []),
    ("[5.0 [2.8, 7.3]](claims.md#a) less", []), ("[12 ms](other.md#a)", ["12 ms"]),
    ("```\n12 ms\n```\n", []), ("<!-- table: a -->\n| 12 ms |\n<!-- end -->", []),
    ("## In 12 ms\n", []), ("the period, 16.7 ms", [])])
def test_what_counts_as_a_measured_figure(text: str, found: list[str]) -> None:
    assert claims.unsourced(text, {"16.7 ms": "a Game Boy's period"}) == found


@pytest.mark.parametrize(("of", "text", "computed"), [
    ("median", "9 %", "2 %"), ("mean", "1.25 s", "2.00 s"), ("range", "0.0 to 0.0", "1.0 to 3.0"),
    ("max", "1,000", "3")])
def test_a_figure_is_computed_from_its_runs(of: str, text: str, computed: str,
                                            monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [{"a": value, "kind": kind} for value, kind in
            (("1", "x"), ("2", "x"), ("3", "x"), ("9", "y"), ("", "x"))]
    monkeypatch.setattr(claims, "rows", lambda source, where=None: [
        row for row in runs if claims._has(row, where)])
    figure: dict[str, Any] = {"text": text, "column": "a", "of": of, "where": {"kind": "x"}}
    assert claims.computed({}, figure) == computed


def test_a_table_has_median_and_range_of_each_group(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [{"kind": "x", "a": "1.0"}, {"kind": "x", "a": "2.5"}, {"kind": "x", "a": "3.0"},
            {"kind": "y", "a": "7"}]
    monkeypatch.setattr(claims, "rows", lambda source, where=None: runs)
    source = {"table": {"by": {"kind": "which"}, "columns": {"a": "time [s]"}}}
    assert claims.table(source).splitlines() == [
        "| which | runs | time [s] |", "|---|---|---|", "| x | 3 | 2.5 (1.0 to 3.0) |",
        "| y | 1 | 7 |"]
