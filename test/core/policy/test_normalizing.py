"""Scale, mean and deviation, as they are written and as they are applied."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.errors import PolicyError
from realtime_rl.core.policy.normalizing import Normalization, parse

numbers = st.floats(-100, 100, width=32)
deviations = st.floats(0.125, 100, width=32)
three = st.tuples(numbers, numbers, numbers)


@given(st.builds(Normalization, st.tuples(deviations), three,
                 st.tuples(deviations, deviations, deviations)), three)
def test_an_action_that_is_normalised_comes_back(norm: Normalization, action: tuple[float, ...]
                                                 ) -> None:
    rows = np.array([action, action], np.float32)
    assert np.allclose(norm.undo(norm.redo(rows)), rows, rtol=1e-3, atol=0.05)


@given(st.builds(Normalization, st.tuples(deviations), three,
                 st.tuples(deviations, deviations, deviations)))
def test_what_is_written_is_read(norm: Normalization) -> None:
    words = (f"{name}={','.join(map(repr, getattr(norm, name)))}"
             for name in ("scale", "mean", "std"))
    assert parse(f"front {' '.join(words)}") == ("front", norm)


def test_channels_of_a_stack_are_normalised_each_with_its_own() -> None:
    norm = Normalization((1 / 255,), (0.0, 0.5), (1.0, 2.0))
    stacked = np.full((4, 1, 2), 255, np.uint8)
    assert norm.apply(stacked, 2)[:, 0, 0].tolist() == [1.0, 0.25, 1.0, 0.25]


def test_an_action_is_scaled_and_offset() -> None:
    name, norm = parse("action scale=0.5,2 offset=1")
    assert name == "action"
    assert norm.undo(np.array([2.0, 2.0], np.float32)).tolist() == [2.0, 5.0]
    assert parse("action scale=1/4")[1].undo(np.array([2.0], np.float32)).tolist() == [0.5]
    assert parse("action mean=1 std=2")[1].undo(np.array([3.0], np.float32)).tolist() == [7.0]


@pytest.mark.parametrize(("words", "message"), [
    ("-0.1", r"has no name: .* as for --set, the commas within one are written \\,$"),
    ("front", "declared as normalised without statistics"),
    ("front mean=x", "'x' is no number"),
    ("front mean=1/0", "'1/0' is no number"),
    ("front men=1", "'men=1' is not understood"),
    ("front mean=1 mean=2", "'mean=2' is not understood"),
    ("front std=0", "std .* must be above 0"),
    ("front std=nan", "must be finite"),
    ("front scale=0", "scale .* not be 0"),
    ("front scale=1 offset=2", "'offset' goes with 'scale', and is of the action"),
    ("action mean=1 offset=2", "'offset' goes with 'scale'")])
def test_bad_words_are_refused(words: str, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        parse(words)
