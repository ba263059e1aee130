"""Rows found in other rows, where there are none, one or several."""

from __future__ import annotations

import numpy as np

from realtime_rl.core.messages.pairs import again, last_equal, last_rows

NOTHING = np.zeros(0, np.int64)
NUMBERS = np.array([7, 3, 7, 100])


def test_the_last_equal_number_is_found() -> None:
    assert last_equal(NUMBERS, np.array([7, 100, 5, 3])).tolist() == [2, 3, -1, 1]
    assert last_equal(NUMBERS, NOTHING).tolist() == []


def test_among_nothing_nothing_is_found() -> None:
    assert last_equal(NOTHING, NUMBERS).tolist() == [-1] * 4
    assert last_rows((NOTHING, NOTHING), (NUMBERS, NUMBERS)).tolist() == [-1] * 4


def test_the_last_equal_pair_is_found() -> None:
    known = NUMBERS, np.array([1, 1, 1, 2])
    wanted = np.array([7, 7, 3, 100, 9]), np.array([1, 2, 1, 2, 1])
    assert last_rows(known, wanted).tolist() == [2, -1, 1, 3, -1]
    assert again(known).tolist() == [False, False, True, False]
