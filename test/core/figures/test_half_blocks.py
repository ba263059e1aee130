"""Pictures in a terminal: as large as fits, each pixel where it belongs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.figures.half_blocks import cells


def drawn(picture: np.ndarray, columns: int, rows: int) -> np.ndarray:
    """Pixels `(height, width, 3)` as they are shown."""
    lines = list(cells(picture, columns, rows))
    return np.array([[cell[half] for cell in line] for line in lines for half in (0, 1)])


def test_what_fits_is_shown_pixel_by_pixel() -> None:
    colours = np.arange(3 * 4 * 6).reshape(3, 4, 6).astype(np.uint8)
    np.testing.assert_array_equal(drawn(colours, 6, 2), np.moveaxis(colours, 0, -1))
    np.testing.assert_array_equal(drawn(colours, 80, 40), np.moveaxis(colours, 0, -1))
    grey = colours[:1]
    np.testing.assert_array_equal(drawn(grey, 6, 2), np.repeat(grey[0, ..., None], 3, -1))


@pytest.mark.parametrize(("columns", "rows", "shape"), [
    (42, 40, (42, 42)), (90, 21, (42, 42)), (10, 40, (10, 10)), (90, 1, (2, 2))])
def test_a_square_stays_one(columns: int, rows: int, shape: tuple[int, int]) -> None:
    picture = np.zeros((1, 84, 84), np.uint8)
    picture[:, 42:, :42] = 200
    found = drawn(picture, columns, rows)
    assert found.shape == (*shape, 3)
    half = shape[0] // 2
    assert (found[half:, :half] == 200).all() and (found[:half] == 0).all()
    assert (found[:, half:] == 0).all()


@given(height=st.integers(1, 50), width=st.integers(1, 50), columns=st.integers(1, 60),
       rows=st.integers(1, 30), level=st.integers(0, 255))
def test_it_never_takes_more_room_and_keeps_what_is_even(
        height: int, width: int, columns: int, rows: int, level: int) -> None:
    found = drawn(np.full((1, height, width), level, np.uint8), columns, rows)
    assert found.shape[0] <= 2 * rows and found.shape[1] <= columns
    assert (found == level).all()
