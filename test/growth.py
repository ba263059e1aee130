"""What an object holds, so that a test can see whether it grows."""

from __future__ import annotations

import enum
import types
from array import array
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

_CONTAINERS = (list, set, frozenset, deque, dict, array, bytes, bytearray, str, np.ndarray)
_CODE = (types.FunctionType, types.BuiltinFunctionType, types.ModuleType, type,
         np.random.Generator, np.dtype, enum.Enum)


def sizes(root: object) -> dict[str, int]:
    """Return, by attribute path, how many items all containers there have together.

    Items of a container share its path: a list of lists that grow is seen as well. What a method
    is bound to and a closure's cells are followed, code is not.
    """
    found: Counter[str] = Counter()
    seen: set[int] = set()
    waiting: list[tuple[str, Any]] = [("", root)]
    while waiting:
        path, value = waiting.pop()
        if id(value) in seen or value is None or isinstance(value, int | float | complex):
            continue
        seen.add(id(value))
        if isinstance(value, _CONTAINERS):
            found[path] += value.size if isinstance(value, np.ndarray) else len(value)
        waiting += _parts(path, value)
    return dict(found)


def _parts(path: str, value: Any) -> Iterable[tuple[str, Any]]:
    parts: list[tuple[str, Any]] = []
    if isinstance(value, Mapping):
        parts = [(f"{path}[]", part) for pair in value.items() for part in pair]
    elif isinstance(value, list | set | frozenset | deque | tuple):
        parts = [(f"{path}[]", part) for part in value]
    elif isinstance(value, types.MethodType):
        parts = [(path, value.__self__)]
    elif isinstance(value, types.FunctionType):
        parts = [(f"{path}()", cell.cell_contents) for cell in value.__closure__ or ()]
    elif not isinstance(value, (*_CONTAINERS, *_CODE)):
        names = {*getattr(value, "__dict__", ()),
                 *(name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ()))}
        parts = [(f"{path}.{name}", getattr(value, name)) for name in sorted(names)
                 if hasattr(value, name)]
    return parts


def check_bounded(root: object, step: Callable[[int], object], steps: int, *, looks: int = 20,
                  bounds: Mapping[str, int] = types.MappingProxyType({})) -> None:
    """Step `steps` times; fail for a container that ever has more items than in the first fifth.

    Args:
        root: what is looked at.
        step: is given the numbers from 0 on.
        steps: a leak of one item in a hundred of them is found.
        looks: how often it is looked at; sizes that go up and down need more.
        bounds: what fills slowly, by path, and how much it may have at most.
    """
    early: dict[str, int] = {}
    most: dict[str, int] = {}
    for number in range(steps):
        step(number)
        if (number + 1) % (steps // looks) == 0:
            sized = early if number < steps // 5 else most
            for path, size in sizes(root).items():
                sized[path] = max(size, sized.get(path, 0))
    slack = steps // 200
    grown = {path: (early.get(path, 0), size) for path, size in most.items()
             if size > bounds.get(path, early.get(path, 0) + slack)}
    assert not grown, f"items in the first fifth of {steps} steps, and at most after it: {grown}"
