"""Whether one run can answer several observations, by what a graph leaves open."""

from __future__ import annotations

from typing import Any

import pytest

from realtime_rl.core.policy.batching import Batchable, of
from realtime_rl.core.policy.states import State
from realtime_rl.core.policy.tensors import Tensor


def batchable(x: Any, y: Any, output: Any, *, constants: tuple[str, ...] = (),
              states: tuple[State, ...] = ()) -> Batchable:
    return of([Tensor("x", "tensor(float)", x), Tensor("y", "tensor(float)", y)],
              Tensor("action", "tensor(float)", output), constants, states)


def test_an_open_first_axis_is_enough_and_constants_need_none() -> None:
    assert batchable(("n", 4), (None, 2), ("n", 2)) == Batchable("", frozenset())
    assert batchable(("n", 4), (7,), ("n", 2), constants=("y",)) == Batchable("", frozenset({"y"}))
    assert batchable(("n", 4), ("n", 7), ("n", 2), constants=("y",)).shared == frozenset()


@pytest.mark.parametrize(("x", "y", "output", "name"), [
    ((1, 4), ("n", 2), ("n", 2), "'x'"),
    (("n", 4), (), ("n", 2), "'y'"),
    (("n", 4), ("n", 2), (1, 2), "'action'"),
])
def test_a_closed_one_is_named(x: Any, y: Any, output: Any, name: str) -> None:
    assert f"{name}, 'tensor(float)'" in batchable(x, y, output).why_not


def test_a_recurrent_one_has_one_at_a_time() -> None:
    import numpy as np

    state = State("h_in", "h_out", (1, 2), np.dtype(np.float32))
    assert "recurrent" in batchable(("n", 4), ("n", 2), ("n", 2), states=(state,)).why_not
