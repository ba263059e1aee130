"""Rows of two whole numbers, found in other rows, and those that come again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Pairs = tuple[Ints, Ints]


def last_rows(known: Pairs, wanted: Pairs) -> NDArray[np.intp]:
    """Return for each wanted pair the last row of `known` that is the same; -1: there is none."""
    firsts, seconds = np.unique(known[0]), np.unique(known[1])
    if firsts.size == 0:
        return np.full(wanted[0].size, -1)
    keys, _ = _keys(firsts, seconds, known)
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    sought, possible = _keys(firsts, seconds, wanted)
    places = np.searchsorted(keys, sought, side="right") - 1
    return np.where(possible & (keys[places] == sought), order[places], -1)


def again(pairs: Pairs) -> NDArray[np.bool_]:
    """Whether the same pair came before, in an earlier row."""
    keys, _ = _keys(np.unique(pairs[0]), np.unique(pairs[1]), pairs)
    order = np.argsort(keys, kind="stable")
    found = np.zeros(keys.size, np.bool_)
    found[order[1:]] = np.diff(keys[order]) == 0
    return found


def _keys(firsts: Ints, seconds: Ints, pairs: Pairs) -> tuple[Ints, NDArray[np.bool_]]:
    """Number pairs of known parts; false where a part is not known."""
    first = np.minimum(np.searchsorted(firsts, pairs[0]), firsts.size - 1)
    second = np.minimum(np.searchsorted(seconds, pairs[1]), seconds.size - 1)
    possible = (firsts[first] == pairs[0]) & (seconds[second] == pairs[1])
    return first * seconds.size + second, possible
