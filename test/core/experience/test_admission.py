"""What a learner takes, and what it refuses before anything is made of it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from core.experience.test_assembler import step
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.experience.admission import Admission
from realtime_rl.core.experience.assembler import Assembler, SemiMdpTransition
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.observations import Observation, ObservationSpec
from realtime_rl.core.types import Action, ActionSpace, Cause

PAD = ActionSpace(("A", "B", "NOOP"), (2.0,))
VECTOR = ObservationSpec((2,), "float32", -math.inf, math.inf)
PICTURE = ObservationSpec((1, 2, 3), "uint8", 0, 255)
NOT_FINITE = (math.nan, math.inf, -math.inf)


@pytest.mark.parametrize(("action", "why"), [
    ((), "malformed"), ((0.0, 1.0), "malformed"), ((3.0,), "out_of_range"),
    ((-1.0,), "out_of_range"), ((0.5,), "malformed"), ((math.nan,), "non_finite")])
def test_an_action_that_the_plant_does_not_know_is_refused(action: Action, why: str) -> None:
    admission = Admission(VECTOR, PAD)
    assert admission.step(replace(step(3), action=action)) == (
        f"action {action!r} is {why}: the space is 'A B NOOP = NOOP'")
    assert admission.refused == 1


@pytest.mark.parametrize("reward", [*NOT_FINITE, 1e300, -1e30])
def test_a_reward_that_would_spoil_the_weights_is_refused(reward: float) -> None:
    assert Admission(VECTOR, PAD).step(step(3, reward=reward)) == (
        f"reward {reward!r} is not a number to learn from")


@pytest.mark.parametrize("discount", [*NOT_FINITE, -0.1, 1.1])
def test_a_discount_outside_its_range_is_refused(discount: float) -> None:
    assert Admission(VECTOR, PAD).step(step(3, discount=discount)) == (
        f"discount {discount!r} is outside 0 … 1")


@pytest.mark.parametrize("value", NOT_FINITE)
@pytest.mark.parametrize("place", [0, 1])
def test_an_observation_with_no_number_in_it_is_refused(value: float, place: int) -> None:
    seen = np.zeros(2, np.float32)
    seen[place] = value
    problem = Admission(VECTOR, PAD).observation(seen)
    assert problem is not None and "is not a number to learn from" in problem


@pytest.mark.parametrize(("spec", "seen", "problem"), [
    (VECTOR, np.zeros(3, np.float32), "float32[3] where the plant has float32[2] -inf:inf"),
    (VECTOR, np.zeros(2, np.float64), "float64[2] where the plant has float32[2] -inf:inf"),
    (PICTURE, np.zeros((2, 3), np.uint8), "uint8[2, 3] where the plant has uint8[1,2,3] 0:255")])
def test_an_observation_of_another_kind_is_refused(
    spec: ObservationSpec, seen: Observation, problem: str
) -> None:
    assert Admission(spec, PAD).observation(seen) == problem


def test_what_fits_is_taken_and_not_counted() -> None:
    admission = Admission(PICTURE, PAD)
    assert admission.step(step(3, reward=-1e29, discount=0.0)) is None
    assert admission.observation(np.zeros((1, 2, 3), np.uint8)) is None
    assert Admission(VECTOR, PAD).observation(np.array([-1e29, 0], np.float32)) is None
    assert admission.refused == 0


_VALUES = st.floats(width=32)
_STEPS = st.builds(
    lambda reward, discount, action, cause, answers, first, last: Timestep(
        0, 0, 1, 0.0, False, 0, reward, discount, first, last, cause, 0, 0, answers,
        tuple(action)),
    _VALUES, st.one_of(_VALUES, st.sampled_from([0.0, 1.0])),
    st.one_of(st.lists(_VALUES, max_size=2), st.just([1.0])), st.sampled_from(Cause),
    st.integers(-2**60, 2**60), st.booleans(), st.booleans())


@given(st.lists(st.tuples(_STEPS, st.lists(_VALUES, min_size=2, max_size=2)), max_size=40))
def test_of_whatever_is_said_only_what_can_be_learned_from_comes_out(
    said: list[tuple[Timestep, list[float]]]
) -> None:
    admission, assembler = Admission(VECTOR, PAD), Assembler(stack=2, gamma=0.99, history=1)
    found: list[SemiMdpTransition] = []
    for tick, (record, values) in enumerate(said):
        seen, at = np.array(values, np.float32), replace(
            record, tick=tick, observation_tick=min(record.observation_tick, tick + 1))
        if admission.observation(seen) is None:
            found += assembler.observe(tick, seen, at.first)
        if admission.step(at) is None:
            found += assembler.step(at)
    for each in found:
        assert math.isfinite(np.float32(each.reward)) and 0.0 <= each.discount <= 1.0
        assert each.action in ((0.0,), (1.0,), (2.0,))
        assert all(np.isfinite(frame).all() for frame in
                   (*each.observation, *each.next_observation))
