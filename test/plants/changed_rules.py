"""Every change of one thing that a rules file says of rewards, ends, counters and readiness."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

Place = tuple[Any, ...]
_SECTIONS = ("rewards", "ends", "counters", "ready")
OTHERS: dict[Any, Callable[[Any], list[Any]]] = {
    "address": lambda value: [value + 1, value - 1],
    "type": lambda value: [{"u8": "i8", "i8": "u8", "u16be": "u16le", "bcd": "bcd_be"}[value]],
    "bytes": lambda value: [value - 1], "count": lambda value: [value - 1, value + 1],
    "stride": lambda value: [value + 1], "weight": lambda value: [-value, 2 * value],
    "op": lambda value: [{"==": "!=", "!=": "==", ">": "<=", "<=": ">"}[value]],
    "value": lambda value: [value + 1], "by": lambda value: [value + 1],
    "to": lambda value: [value + 1],
    "event": lambda value: [other for other in ("rises", "falls", "changes") if other != value],
    "join": lambda value: [{"any": "all", "all": "any", "max": "min", "each": "any"}[value]],
    "counter": lambda value: ["missed" if value == "caught" else "caught"]}
SAME = {
    # what is only compared with 0, or stays below 128, is the same in either
    ("type", "u16le"), ("type", "i8"),
    # and what is never below 0 falls to it, or becomes it
    ("battles_lost", "event", "falls"), ("battles_won", "event", "falls")}
"""Changes by which nothing changes, by the end of their place."""


def changed(content: Any) -> Iterator[tuple[Place, Any]]:
    """Yield what was changed, and the whole file with that change."""
    for key in _SECTIONS:
        for place in list(places(content.get(key, []), (key,))):
            value = at(content, place)
            if isinstance(value, list | dict):
                yield (*place, "gone"), with_change(content, place, None, gone=True)
                continue
            for other in OTHERS.get(place[-1], list)(value):
                yield (*place, other), with_change(content, place, other)


def places(value: Any, place: Place) -> Iterator[Place]:
    """Yield where each value stands, and each item of a list, and each condition `when`."""
    items = list(enumerate(value)) if isinstance(value, list) else list(value.items())
    for key, inner in items:
        if not isinstance(inner, list | dict) or isinstance(key, int) or key == "when":
            yield (*place, key)
        if isinstance(inner, list | dict):
            yield from places(inner, (*place, key))


def at(content: Any, place: Place) -> Any:
    """Return what stands at a place."""
    for key in place:
        content = content[key]
    return content


def with_change(content: Any, place: Place, other: Any, *, gone: bool = False) -> Any:
    """Return a copy with another value at a place, or without it."""
    new = copy.deepcopy(content)
    inner = at(new, place[:-1])
    if gone:
        del inner[place[-1]]
    else:
        inner[place[-1]] = other
    return new
