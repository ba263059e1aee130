"""What a person who watches a training without a terminal reads."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from realtime_rl.cli.train_view import EvaluationView, TrainView, duration
from realtime_rl.simulate.tally import Tally


def test_a_line_comes_every_tenth_and_at_least_every_minute(
    capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([0.0, 30.0, 61.0, 100.0, 122.0, 123.0, 124.0, 125.0])
    view = TrainView(3200, now=lambda: next(clock))
    training = SimpleNamespace(figures=SimpleNamespace(returns=[]), loss=0.5,
                               learner=SimpleNamespace(epsilon=0.25))
    for tick in (32, 64, 96, 128, 160, 320, 352, 640):
        training.tick = tick
        view(training)  # type: ignore[arg-type]
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition("/")[0] for line in lines] == ["96", "160", "320", "640"]
    assert lines[0] == "96/3200 ticks: return –, ε 0.25, loss 0.5, 1 ticks/s, 50 min left"
    assert lines[-1].endswith(" ticks/s, 9 min left")


def test_before_the_first_update_there_is_no_loss(capsys: pytest.CaptureFixture[str]) -> None:
    training = SimpleNamespace(figures=SimpleNamespace(returns=[]), loss=float("nan"),
                               learner=SimpleNamespace(epsilon=1.0))
    view = TrainView(64, now=lambda: 0.0)
    for training.tick in (32, 64):
        view(training)  # type: ignore[arg-type]
    assert "ε 1.00, loss –, " in capsys.readouterr().err


@pytest.mark.parametrize(("seconds", "text"), [
    (0.2, "1 s"), (89, "89 s"), (90, "2 min"), (3599, "1 h 0 min"), (3660, "1 h 1 min"),
    (90_000, "25 h 0 min")])
def test_times_are_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_an_evaluation_shows_that_it_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    clock = iter([0.0, 4.0, 10.0, 12.0])
    view, figures = EvaluationView(3, now=lambda: next(clock)), Tally()
    for ticks in range(1, 101):
        figures.ticks, figures.reward = ticks, 0.5 * ticks
        view(figures)
    assert capsys.readouterr().err.splitlines() == [
        "evaluation: 0/3 episodes, 1 ticks, reward 0.5000 a tick",
        "evaluation: 0/3 episodes, 65 ticks, reward 0.5000 a tick"]


def test_nothing_is_told_when_silent(capsys: pytest.CaptureFixture[str]) -> None:
    view = TrainView(64, silent=True, now=lambda: 1e9)
    view(SimpleNamespace(tick=64))  # type: ignore[arg-type]
    assert capsys.readouterr() == ("", "")
