"""What a page says of messages, fields and their places is what the code says."""

import ast
import dataclasses
import functools
import re
from pathlib import Path

import pytest

from docs.generate import RECORDS
from realtime_rl.core.messages import records
from realtime_rl.core.settings.config import parameters
from realtime_rl.ros.scenario_settings import SECTIONS

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [*(ROOT / "realtime_rl").rglob("*.py"), *(ROOT / "launch").glob("*.py")]


@functools.cache
def texts() -> list[str]:
    """All texts of the code but its comments, what is filled in as `…`."""
    found = []
    for path in SOURCES:
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        comments = [node.value for node in nodes if isinstance(node, ast.Expr)]
        filled = [node for node in nodes if isinstance(node, ast.JoinedStr)]
        parts = {*comments, *(part for node in filled for part in node.values)}
        found += ["".join(str(part.value) if isinstance(part, ast.Constant) else "…"
                          for part in node.values) for node in filled]
        found += [" ".join(node.value.split()) for node in nodes
                  if isinstance(node, ast.Constant) and isinstance(node.value, str)
                  and node not in parts]
    return found


PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
MESSAGES = [message for line in PAGE.splitlines() if line.startswith("| ")
            for message in re.findall(r"`([^`]+)`", line.split(" | ")[0]) if " " in message]


def fragments(message: str) -> list[str]:
    """The parts of a message between what is filled in."""
    return [part for each in re.split(r"…|\.\.\.|\bNAME\b|\b5 s\b", message)
            if len(part := each.strip(" ':;,()")) > 3]


def are_of_one_text(parts: list[str]) -> bool:
    """In their order, with anything between them."""
    pattern = re.compile(".*".join(map(re.escape, parts)), re.DOTALL)
    return any(pattern.search(text) for text in texts())


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_is_one_of_the_code(message: str) -> None:
    """A text, or one that is filled into another."""
    parts = fragments(message)
    assert parts
    assert any(are_of_one_text(parts[:first]) and are_of_one_text(parts[first:])
               for first in range(1, len(parts) + 1))


def test_there_are_messages() -> None:
    assert len(MESSAGES) > 40


def places() -> dict[str, list[str]]:
    """Fields of each record by their place in `position`."""
    return {topic: [field.name for field in dataclasses.fields(getattr(records, name))
                    if field.name != "stamp_ns" and field.type != "str"]
            for topic, name in RECORDS.items()}


def test_series_have_their_places() -> None:
    page = (ROOT / "docs" / "how-to" / "bags.md").read_text(encoding="utf-8")
    rows = re.findall(r"`/(\w+)/(\w+)/position` \| `/(\w+)\.position\[(\d+)\]`", page)
    assert len(rows) >= 5
    for topic, field, again, place in rows:
        assert topic == again
        assert places()[topic][int(place)] == field


def named(text: str) -> set[tuple[str, str]]:
    """Parameters that a page names, as `actuator.deadline_margin`."""
    sections = "|".join(SECTIONS)
    return set(re.findall(rf"(?<![\w./])({sections})\.([a-z]\w+)(?![\w(/])(?!\.\w)", text))


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))],
                         ids=lambda page: str(page.relative_to(ROOT)))
def test_a_parameter_that_is_named_is_one(page: Path) -> None:
    found = named(page.read_text(encoding="utf-8"))
    figures = {("inference", "duration_ms"), ("plant", "spec"), ("plant", "step"),
               ("learner", "PARAMETER"), ("inference", "observation_age_ms")}
    assert [f"{section}.{name}" for section, name in sorted(found - figures)
            if name not in parameters(SECTIONS[section])] == []
