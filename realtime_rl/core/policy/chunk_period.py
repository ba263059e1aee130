"""Rows of a chunk, whose own period is not the plant's, at the plant's ticks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ALIKE = 1e-3
"""Periods that differ by so small a part of them are one."""


def alike(one_ns: int, other_ns: int) -> bool:
    """Whether two periods count as one; 0: as the other."""
    return not one_ns or not other_ns or abs(one_ns - other_ns) <= _ALIKE * other_ns


def ticks(horizon: int, chunk_period_ns: int, period_ns: int) -> int:
    """Return for how many of the plant's ticks the rows are, the first of them for the first."""
    if alike(chunk_period_ns, period_ns):
        return horizon
    return (horizon - 1) * chunk_period_ns // period_ns + 1


def at_ticks(rows: NDArray[np.float32], chunk_period_ns: int, period_ns: int
             ) -> NDArray[np.float32]:
    """Return rows `(H, A)` at the plant's ticks, between two of them in proportion."""
    count = ticks(len(rows), chunk_period_ns, period_ns)
    if alike(chunk_period_ns, period_ns):
        return rows
    at = np.arange(count) * (period_ns / chunk_period_ns)
    before = np.minimum(at.astype(np.int64), len(rows) - 1)
    after = np.minimum(before + 1, len(rows) - 1)
    share = (at - before).astype(np.float32)[:, None]
    found: NDArray[np.float32] = rows[before] * (1 - share) + rows[after] * share
    return found
