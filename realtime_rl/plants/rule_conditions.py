"""Conditions of a game's rules: comparisons, events, and both put together."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from realtime_rl.plants.rule_values import Read, Value

OPERATORS: dict[str, Callable[[int, int], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge}
SETS = ("in", "not in")
EVENTS = ("becomes", "rises", "falls", "changes")
GROUPS = ("any", "all", "not")

Reads = Sequence[Any]
"""What was read at a tick: a `Read` for each value that the rules use, at its place."""
Test = Callable[[Reads, Reads], int]
"""`(now, before)`: 0 where it does not hold; else 1, or of how many elements it holds."""


@dataclass(frozen=True, slots=True)
class Compare:
    """`value <operator> limits`: the only one, or with `in` and `not in` any of them."""

    value: Value
    operator: str
    limits: tuple[int, ...]

    def holds(self) -> Callable[[int], bool]:
        """Return what says it of one number."""
        if self.operator in SETS:
            among, wanted = frozenset(self.limits), self.operator == "in"
            return lambda value: (value in among) is wanted
        compare, limit = OPERATORS[self.operator], self.limits[0]
        return lambda value: compare(value, limit)


@dataclass(frozen=True, slots=True)
class Event:
    """What a value did since the tick before.

    `becomes` any of `to`: it is one of them, and was another value. `rises`, `falls`: any such
    change, by exactly `by`, or past `to`: it was on this side of it, and is there or beyond.
    """

    value: Value
    kind: str
    to: tuple[int, ...] = ()
    by: int = 0
    """0: by any amount."""

    def happened(self) -> Callable[[int, int], bool]:
        """Return what says it of one number, now and before."""
        if self.kind == "changes":
            return operator.ne
        if self.kind == "becomes":
            to = frozenset(self.to)
            return lambda now, before: now != before and now in to
        change, sign = self.value.change(), 1 if self.kind == "rises" else -1
        if self.by:
            amount = sign * self.by
            return lambda now, before: change(now, before) == amount
        if not self.to:
            return lambda now, before: sign * change(now, before) > 0
        mark = sign * self.to[0]
        return lambda now, before: sign * before < mark <= sign * now


@dataclass(frozen=True, slots=True)
class Group:
    """`any` or `all` of some conditions, or `not` the only one."""

    kind: str
    parts: tuple[Condition, ...]


Condition = Compare | Event | Group


def values_of(condition: Condition | None) -> Iterator[Value]:
    """Yield the values that a condition reads."""
    if isinstance(condition, Group):
        for part in condition.parts:
            yield from values_of(part)
    elif condition is not None:
        yield condition.value


def has_events(condition: Condition) -> bool:
    """Whether it needs to know of the tick before."""
    if isinstance(condition, Group):
        return any(map(has_events, condition.parts))
    return isinstance(condition, Event) or bool(condition.value.counter)


def compiled(condition: Condition, places: dict[Value, int]) -> Test:
    """Return what evaluates a condition; `places` says where each value's reads stand."""
    if isinstance(condition, Group):
        return _group(condition, [compiled(part, places) for part in condition.parts])
    at = places[condition.value]
    if isinstance(condition, Compare):
        holds = condition.holds()
        if condition.value.one:
            return lambda now, before: holds(now[at])
        join = _joined(condition.value.join)
        return lambda now, before: join([holds(item) for item in now[at]])
    happened = condition.happened()
    if condition.value.one:
        return lambda now, before: happened(now[at], before[at])
    join = _joined(condition.value.join)
    return lambda now, before: join(list(map(happened, now[at], before[at])))


def _joined(join: str) -> Callable[[list[bool]], int]:
    joins: dict[str, Callable[[list[bool]], int]] = {"any": any, "all": all, "each": sum}
    return joins[join]


def _group(group: Group, tests: list[Test]) -> Test:
    if group.kind == "not":
        only = tests[0]
        return lambda now, before: not only(now, before)
    if group.kind == "any":
        return lambda now, before: any(test(now, before) for test in tests)
    return lambda now, before: all(test(now, before) for test in tests)


def now_holds(condition: Condition) -> Callable[[Any], bool]:
    """Return what says of memory whether a condition without events holds in it."""
    used = list(dict.fromkeys(values_of(condition)))
    readers = [value.reader() for value in used]
    test = compiled(condition, {value: place for place, value in enumerate(used)})

    def holds(memory: Any) -> bool:  # noqa: ANN401 - a Memory
        now: list[Read] = [read(memory) for read in readers]
        return bool(test(now, now))
    return holds


def described(condition: Condition) -> str:
    """Write a condition in short, for messages."""
    if isinstance(condition, Group):
        inner = ", ".join(map(described, condition.parts))
        return f"{condition.kind} of ({inner})" if condition.kind != "not" else f"not ({inner})"
    value = condition.value
    name = value.counter or f"{value.cells[0].address:#06x}"
    if value.join:
        name = f"{value.join} of {len(value.cells)} from {name}"
    if isinstance(condition, Compare):
        limits = condition.limits if condition.operator in SETS else condition.limits[0]
        return f"{name} {condition.operator} {limits}"
    return f"{name} {condition.kind}" + (f" to {condition.to}" if condition.to else
                                         f" by {condition.by}" if condition.by else "")
