"""Rows that meet: weights, what takes no part, and what is refused."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.control.chunk_merging import Chunk, Merge, problem
from realtime_rl.core.enumerations import MergeRule, Reason
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.types import Action, ActionSpace

ARM = ActionSpace(("shoulder", "elbow", "gripper"), (0.0, 0.0, 0.0), (-2.0, -2.0, 0.0),
                  (2.0, 2.0, 1.0))
CHOICES = ActionSpace(("A", "B"), (0.0,))
VALUES = st.tuples(st.floats(-2, 2), st.floats(-2, 2), st.floats(0, 1))
ROWS = st.lists(VALUES, min_size=1, max_size=8)


@given(ROWS, st.integers(0, 60))
def test_the_newest_alone_acts(rows: list[Action], executed: int) -> None:
    assert Merge(MergeRule.NEWEST).merged(rows, executed, ARM) == (rows[0], 1)


@given(ROWS, st.floats(0, 5), st.booleans())
def test_an_ensemble_is_acts_weighted_mean(rows: list[Action], decay: float, oldest: bool) -> None:
    action, merged = Merge(MergeRule.ENSEMBLE, decay, oldest).merged(rows, 0, ARM)
    ordered = rows[::-1] if oldest else rows
    weights = [math.exp(-decay * place) for place in range(len(rows))]
    assert merged == len(rows)
    for dimension, value in enumerate(action):
        wanted = math.fsum(w * row[dimension] for w, row in zip(weights, ordered, strict=True))
        assert value == pytest.approx(wanted / math.fsum(weights), abs=1e-9)
    assert ARM.problem(action) is None


@given(st.lists(VALUES, min_size=2, max_size=5), st.integers(1, 6), st.integers(0, 9))
def test_a_blend_is_linear_over_its_first_rows(rows: list[Action], blend: int, executed: int
                                               ) -> None:
    action, merged = Merge(MergeRule.BLEND, blend_rows=blend).merged(rows, executed, ARM)
    if executed >= blend:
        assert (action, merged) == (rows[0], 1)
        return
    share = (executed + 1) / (blend + 1)
    assert merged == 2
    assert action == pytest.approx(
        [share * new + (1 - share) * old for new, old in zip(rows[0], rows[1], strict=True)])


def test_named_dimensions_are_the_newest_chunks() -> None:
    merge = Merge(MergeRule.ENSEMBLE, 0.0, newest_only=("gripper",))
    assert merge.merged([(0.0, 1.0, 1.0), (1.0, 0.0, 0.0)], 0, ARM) == ((0.5, 0.5, 1.0), 2)


@pytest.mark.parametrize(("merge", "space", "indivisible", "said"), [
    (Merge(MergeRule.ENSEMBLE), CHOICES, (), "choices have no mean"),
    (Merge(MergeRule.BLEND), CHOICES, (), "choices have no mean"),
    (Merge(MergeRule.ENSEMBLE), ARM, ("gripper",), "gripper.*no mean.*chunk_newest_only"),
    (Merge(MergeRule.NEWEST, newest_only=("hand",)), ARM, (), "'hand' is not one of"),
    (Merge(), ARM, ("hand",), "'hand' is not one of"),
])
def test_what_has_no_mean_is_refused(merge: Merge, space: ActionSpace, indivisible: tuple[str, ...],
                                     said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        merge.check(space, indivisible)


def test_what_is_excluded_by_name_is_not_refused() -> None:
    Merge(MergeRule.ENSEMBLE, newest_only=("gripper",)).check(ARM, ("gripper",))
    Merge(MergeRule.NEWEST).check(CHOICES)
    Merge(MergeRule.NEWEST).check(ARM, ("gripper",))


@pytest.mark.parametrize(("rows", "space", "reason"), [
    (((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)), ARM, Reason.NONE),
    (((0.0, 0.0, 0.0), (1.0, math.nan, 1.0)), ARM, Reason.NON_FINITE),
    (((0.0, 0.0, 0.0), (1.0, 2.5, 1.0)), ARM, Reason.OUT_OF_RANGE),
    (((0.0, 0.0, 0.0), (1.0, 2.0 * (1 + 2**-25), 1.0)), ARM, Reason.NONE),
    (((0.0, 0.0, 0.0), (1.0, 1.0)), ARM, Reason.MALFORMED),
    (((0.0, 0.0), (1.0, 1.0)), ARM, Reason.MALFORMED),
    (((0.0,), (1.0,)), CHOICES, Reason.NONE),
    (((0.0,), (0.5,)), CHOICES, Reason.MALFORMED),
    (((0.0,), (2.0,)), CHOICES, Reason.OUT_OF_RANGE),
])
def test_one_bad_row_spoils_the_chunk(rows: tuple[Action, ...], space: ActionSpace,
                                      reason: Reason) -> None:
    assert problem(rows, space) is reason


def test_a_chunk_has_rows() -> None:
    with pytest.raises(ConfigError, match="one row or more"):
        Chunk(())
