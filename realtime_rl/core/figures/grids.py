"""The grids of a plant's ticks: one for each time that it was started, told by each tick."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from realtime_rl.core.figures.statistics import Ints, Sessions
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.messages.table import Table

_SAME_GRID_NS = 1_000_000
_FIRST_LOOK = 64
"""Rows that are looked at together; where nothing is found, twice as many the next time."""


def two_at_once(sessions: Sessions) -> bool:
    """Whether a plant goes on after another one came between: two graphs of one name.

    A plant that ticks on its grid tells by each tick when that grid began.
    """
    past: dict[int, int] = {}
    for present in _grids_ns(sessions.ticks):
        place = present // _SAME_GRID_NS
        if any(abs(present - past[near]) < _SAME_GRID_NS
               for near in (place - 1, place, place + 1) if near in past):
            return True
        past[place] = present
    return False


def on_one_grid_each(sessions: Sessions) -> bool:
    """Whether all ticks of each session are on one grid, as a plant's are."""
    return sum(1 for _ in islice(_grids_ns(sessions.ticks), len(sessions) + 1)) <= len(sessions)


def _grids_ns(ticks: Table[Timestep]) -> Iterator[int]:
    """Yield when the grid of the ticks began, and again each time that it is another.

    Modulo 2**64, as only differences count.
    """
    late_ns = np.rint(ticks.floats("lateness_s") * 1e9).astype(np.int64)
    begun_ns = ticks.ints("stamp_ns") - late_ns - ticks.ints("tick") * ticks.ints("period_ns")
    row = 0
    while row < begun_ns.size:
        yield int(begun_ns[row])
        row = _until_another(begun_ns, row)


def _until_another(begun_ns: Ints, row: int) -> int:
    """Return the next row of another grid than that of `row`, or the end."""
    begin, size = row + 1, _FIRST_LOOK
    while begin < begun_ns.size:
        others = np.abs(begun_ns[begin:begin + size] - begun_ns[row]) >= _SAME_GRID_NS
        if others.any():
            return begin + int(others.argmax())
        begin, size = begin + size, 2 * size
    return begin
