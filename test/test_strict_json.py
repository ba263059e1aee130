"""JSON that every program reads."""

from __future__ import annotations

import ast
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl import strict_json

PACKAGE = Path(strict_json.__file__).parent
NUMBERS = st.floats() | st.integers() | st.none() | st.booleans() | st.text()
VALUES = st.recursive(NUMBERS, lambda items: st.lists(items) | st.dictionaries(st.text(), items),
                      max_leaves=20)


def strictly(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    return json.loads(text, parse_constant=refuse)


@given(VALUES)
def test_what_is_no_number_is_null(value: Any) -> None:
    assert strictly(strict_json.dumps(value, indent=2)) == nulled(value)


def nulled(value: Any) -> Any:
    if isinstance(value, list):
        return [nulled(item) for item in value]
    if isinstance(value, dict):
        return {key: nulled(item) for key, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


@given(VALUES)
def test_every_value_is_read_back_as_it_was(value: Any) -> None:
    text = strict_json.dumps_exactly(value)
    strictly(text)
    assert repr(strict_json.loads(text)) == repr(value)


@pytest.mark.parametrize("text", ['{"not finite": "many"}', '{"not finite": [1]}',
                                  '{"not finite": "nan", "a": 1}'])
def test_what_only_looks_like_a_number_stays(text: str) -> None:
    assert strict_json.loads(text) == json.loads(text)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.stem)
def test_nobody_writes_json_otherwise(path: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
             if isinstance(node, ast.Attribute) and node.attr in ("dumps", "dump")
             and isinstance(node.value, ast.Name) and node.value.id == "json"]
    assert not calls or path.name == "strict_json.py"
