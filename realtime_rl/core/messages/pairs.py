"""Rows of two whole numbers, found in other rows, and those that come again."""

from __future__ import annotations

from typing import Any

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
    sought, possible = _keys(firsts, seconds, wanted)
    rows = last_equal(keys, sought)
    rows[~possible] = -1
    return rows


def last_equal(known: NDArray[np.signedinteger[Any]], wanted: NDArray[np.signedinteger[Any]]
               ) -> NDArray[np.intp]:
    """Return for each wanted number the last row of `known` that is the same; -1: none is."""
    if known.size == 0:
        return np.full(wanted.size, -1)
    order = np.argsort(known, kind="stable")
    sorted_ = known[order]
    places = np.searchsorted(sorted_, wanted, side="right")
    places -= 1
    absent = sorted_[places] != wanted
    np.take(order, places, out=places)
    places[absent] = -1
    return places


def again(pairs: Pairs) -> NDArray[np.bool_]:
    """Whether the same pair came before, in an earlier row."""
    keys, _ = _keys(np.unique(pairs[0]), np.unique(pairs[1]), pairs)
    order = np.argsort(keys, kind="stable")
    found = np.zeros(keys.size, np.bool_)
    found[order[1:]] = np.diff(keys[order]) == 0
    return found


def _keys(firsts: Ints, seconds: Ints, pairs: Pairs
          ) -> tuple[NDArray[np.signedinteger[Any]], NDArray[np.bool_]]:
    """Number pairs of known parts; false where a part is not known."""
    keys, possible = _places(firsts, pairs[0])
    second, also = _places(seconds, pairs[1])
    possible &= also
    keys *= seconds.size
    keys += second
    # half the memory, where that suffices
    narrow = firsts.size * seconds.size < 2**31
    return keys.astype(np.int32 if narrow else np.int64, copy=False), possible


def _places(known: Ints, values: Ints) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    places = np.searchsorted(known, values)
    np.minimum(places, known.size - 1, out=places)
    return places, known[places] == values
