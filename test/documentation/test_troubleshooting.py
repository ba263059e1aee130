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
def texts() -> str:
    """All texts of the code, what is filled in as `…`."""
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                found.append("".join(str(part.value) if isinstance(part, ast.Constant) else "…"
                                     for part in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(" ".join(node.value.split()))
    return "\n".join(found)


PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
MESSAGES = [message for line in PAGE.splitlines() if line.startswith("| ")
            for message in re.findall(r"`([^`]+)`", line.split(" | ")[0]) if " " in message]


def fragments(message: str) -> list[str]:
    """The parts of a message between what is filled in."""
    return [part for each in re.split(r"…|\.\.\.|\bNAME\b|\b5 s\b", message)
            if len(part := each.strip(" ':;,()")) > 3]


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_is_one_of_the_code(message: str) -> None:
    assert [each for each in fragments(message) if each not in texts()] == []


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
