"""JSON that every program reads: Python alone writes NaN and infinities, and takes them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

_FLOAT = "not finite"
_NUMBERS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def dumps(document: object, **layout: Any) -> str:  # noqa: ANN401 - of `json.dumps`
    """Write a document for others; a number that is none, or infinite, is null.

    Args:
        document: of JSON values.
        layout: `indent`, `sort_keys` and `separators` of `json.dumps`.
    """
    return json.dumps(_finite(document, lambda value: None), allow_nan=False, **layout)


def dumps_exactly(document: object, **layout: Any) -> str:  # noqa: ANN401 - of `json.dumps`
    """Write a document for `loads`, which gives every number back as it was."""
    return json.dumps(_finite(document, lambda value: {_FLOAT: str(value)}), allow_nan=False,
                      **layout)


def loads(text: str | bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Read what `dumps_exactly` wrote; `ValueError` where it is not JSON."""
    return json.loads(text, object_hook=_number)


def _finite(value: object, other: Callable[[float], object]) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else other(float(value))
    if isinstance(value, dict):
        return {key: _finite(item, other) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item, other) for item in value]
    return value


def _number(found: dict[str, Any]) -> object:
    known = found.keys() == {_FLOAT} and isinstance(found[_FLOAT], str)
    return _NUMBERS.get(found[_FLOAT], found) if known else found
