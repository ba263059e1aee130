"""The scripted player of catch: the yardstick for policies that learn it."""

from __future__ import annotations

import pytest

pytest.importorskip("pyboy")
pytest.importorskip("cv2")

from benchmarks.catch_player import play
from realtime_rl.plants.pyboy_plant import PyBoyOptions


def test_without_delay_it_catches_everything() -> None:
    result = play(3, 1, PyBoyOptions(), 0)
    assert (result.returns, result.caught, result.missed) == ([32.0] * 3, 96, 0)


@pytest.mark.parametrize("settings", ["difficulty=7", "stochasticity=255"])
def test_it_does_nearly_so_whatever_is_set(settings: str) -> None:
    assert play(2, 1, PyBoyOptions(settings=settings), 0).share_caught >= 0.95


def test_delay_costs_it() -> None:
    shares = [play(3, delay, PyBoyOptions(), 1).share_caught for delay in (1, 8, 24)]
    assert shares == sorted(shares, reverse=True) and shares[2] < 0.8


def test_same_seed_same_games() -> None:
    assert play(2, 5, PyBoyOptions(), 4) == play(2, 5, PyBoyOptions(), 4)


def test_returns_are_caught_minus_missed() -> None:
    result = play(2, 16, PyBoyOptions(), 2)
    assert sum(result.returns) == result.caught - result.missed
