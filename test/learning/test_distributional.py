"""The projection of C51 against its definition, atom by atom."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.learning.distributional import cross_entropy, project

SUPPORT = torch.linspace(-2, 2, 5)


def projected(reward: float, discount: float, probabilities: list[float]) -> list[float]:
    return project(torch.tensor([reward]), torch.tensor([discount]),
                   torch.tensor([probabilities]), SUPPORT)[0].tolist()


def by_definition(reward: float, discount: float, probabilities: list[float]) -> list[float]:
    """Equation 7 of Bellemare et al., written out."""
    step = 1.0
    return [sum(p * max(0.0, 1.0 - abs(min(2.0, max(-2.0, reward + discount * z)) - at) / step)
                for p, z in zip(probabilities, SUPPORT.tolist(), strict=True))
            for at in SUPPORT.tolist()]


@given(st.floats(-5, 5, width=32), st.floats(0, 1, width=32),
       st.lists(st.integers(0, 9), min_size=5, max_size=5).filter(any))
def test_it_is_the_definition(reward: float, discount: float, weights: list[int]) -> None:
    probabilities = [weight / sum(weights) for weight in weights]
    found = projected(reward, discount, probabilities)
    assert found == pytest.approx(by_definition(reward, discount, probabilities), abs=1e-5)
    assert sum(found) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(("reward", "wanted"), [
    (1.0, [0, 0, 0, 1, 0]), (0.25, [0, 0, 0.75, 0.25, 0]), (7.0, [0, 0, 0, 0, 1]),
    (-7.0, [1, 0, 0, 0, 0])])
def test_an_end_is_worth_its_reward(reward: float, wanted: list[float]) -> None:
    assert projected(reward, 0.0, [0.2] * 5) == pytest.approx(wanted)


@pytest.mark.parametrize("reward", [math.nan, math.inf])
def test_what_is_not_finite_does_not_crash(reward: float) -> None:
    found = projected(reward, 0.5, [0.2] * 5)
    assert len(found) == 5
    assert not math.isnan(reward) or any(math.isnan(value) for value in found)


def test_cross_entropy_is_least_where_both_agree() -> None:
    wanted = torch.tensor([[0.1, 0.2, 0.7]])
    same, other = torch.log(wanted), torch.log(torch.tensor([[0.3, 0.3, 0.4]]))
    entropy = -(wanted * torch.log(wanted)).sum()
    assert float(cross_entropy(wanted, same)) == pytest.approx(float(entropy))
    assert float(cross_entropy(wanted, other)) > float(entropy)
