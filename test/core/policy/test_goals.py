"""An input that takes the goal: what it is fed with, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.errors import PolicyError
from realtime_rl.core.messages.policy_metadata import PREFIX
from realtime_rl.core.observations import parse
from realtime_rl.core.policy import said
from realtime_rl.core.policy.fitting import Fitted, fit
from realtime_rl.core.policy.goals import Goal
from realtime_rl.core.policy.said import merge, of_words
from realtime_rl.core.policy.tensors import Graph, Tensor
from realtime_rl.core.types import ActionSpace

WHEELS = ActionSpace.parse("vx:-1:1 wz:-2:2 = 0 0")
SEEN = parse("float32[4] -1:1")
FLOAT, LONG = "tensor(float)", "tensor(int64)"


def fitted(goal: str, shape: Any = (1, 2), kind: str = FLOAT, props: dict[str, str] | None = None,
           **more: Any) -> Fitted:
    graph = Graph((Tensor("obs", FLOAT, (1, 4)), Tensor("aim", kind, tuple(shape))),
                  (Tensor("action", FLOAT, (1, 2)),),
                  {PREFIX + key: value for key, value in (props or {}).items()})
    return fit(graph, (SEEN, WHEELS), merge([said.from_props(graph.props),
                                             of_words(said.PARAMETERS, goal=goal, **more)]))


def goal_of(*arguments: Any, **more: Any) -> Goal:
    found = fitted(*arguments, **more)
    assert [each.name for each in found.inputs] == ["obs"]
    assert found.goal is not None
    return found.goal


def test_it_begins_with_what_is_given_or_not_at_all() -> None:
    assert goal_of("aim").start is None
    start = goal_of("aim=0.5,-1").start
    assert start is not None
    assert start.tolist() == [[0.5, -1.0]]
    assert start.dtype == np.float32


def test_the_file_may_say_it_itself() -> None:
    start = goal_of("", props={"goal": "aim=1,2"}).start
    assert start is not None
    assert start.tolist() == [[1.0, 2.0]]


@given(st.lists(st.integers(-9, 9), min_size=6, max_size=6))
def test_values_are_fed_in_the_inputs_shape(values: list[int]) -> None:
    for kind in (FLOAT, LONG):
        goal = goal_of("aim", (1, 2, 3), kind)
        found = goal.cast(np.asarray(values, np.float64))
        assert found.shape == goal.example().shape == (1, 2, 3)
        assert found.dtype == goal.example().dtype == goal.input.dtype
        assert found.ravel().tolist() == values


@pytest.mark.parametrize(("values", "kind", "message"), [
    ([1.0], FLOAT, r"a goal of 1 value\(s\): its input 'aim', .* takes 2"),
    ([1.0, 2.0, 3.0], FLOAT, r"a goal of 3 value\(s\)"),
    ([1.0, float("nan")], FLOAT, "goal of 'aim' is not finite"),
    ([1.0, 0.5], LONG, "int64 cannot hold"),
])
def test_a_goal_that_does_not_fit_is_refused(values: list[float], kind: str, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        goal_of("aim", kind=kind).cast(np.asarray(values))


@pytest.mark.parametrize(("goal", "more", "message"), [
    ("x", {}, "the parameters.*: goal name 'x', but its inputs are 'obs', 'aim'"),
    ("aim=1", {}, r"a goal of 1 value\(s\)"),
    ("aim=", {}, "goal 'aim=' must be like 'goal'"),
    ("=1", {}, "must be like"),
    ("aim=one,2", {}, "goal 'aim': 'one' is no number"),
    ("aim", {"constants": ["aim=1,2"]}, "'aim' is to take the goal and is fed with a constant"),
    ("aim", {"inputs": ["aim=observation"]}, "is fed with inputs, too"),
    ("aim=1,2", {"props": {"goal": "aim=3,4"}}, r"its metadata say goals of 'aim' is .*3.*4.*, the "
                                                r"parameters say .*1.*2.*: leave one of them out"),
    ("aim", {"props": {"goal": "obs"}}, "'obs', 'aim' are to take the goal, which one input can"),
])
def test_what_is_said_wrongly_is_refused(goal: str, more: dict[str, Any], message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        fitted(goal, **more)


def test_one_with_another_goal_cannot_take_its_place() -> None:
    assert fitted("aim").difference(fitted("aim=1,2")) == ""
    assert "its goal" in fitted("aim").difference(fitted("aim", (1, 3)))
    assert "its goal: none" in fitted("aim").difference(fitted("", constants=["aim=1,2"]))
