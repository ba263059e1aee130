"""What a person who watches a training without a terminal reads."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from realtime_rl.cli.train_view import TrainView


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
    assert lines[0] == "96/3200 ticks: return –, ε 0.25, loss 0.5, 1 ticks/s"


def test_nothing_is_told_when_silent(capsys: pytest.CaptureFixture[str]) -> None:
    view = TrainView(64, silent=True, now=lambda: 1e9)
    view(SimpleNamespace(tick=64))  # type: ignore[arg-type]
    assert capsys.readouterr() == ("", "")
