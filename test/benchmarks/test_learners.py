"""The comparison of learning processes: its clock, its cycle, its figures."""

from __future__ import annotations

import json
import sys

import pytest

from benchmarks.learners import Result, Setting, compare, main
from benchmarks.wall_clock import Cycle
from realtime_rl.core.settings.dqn_config import DqnConfig

COUNTER = Setting(
    "counter", {"observation": "vector", "episode_ticks": "20"},
    DqnConfig(network="mlp", stack=1, learn_start=10, batch_size=4, n_step=1), learners=2,
    delay_ticks=2, seconds=0.5, speed=1.0, games=2)


class Clock:
    """Says which tick it is."""

    present = 0


def test_a_cycle_infers_acts_and_learns_before_it_begins_again() -> None:
    clock = Clock()
    cycle = Cycle(3, clock)
    begun = []
    for tick in range(20):
        clock.present = max(clock.present, tick)
        if cycle.starts(tick):
            begun.append(tick)
        if begun and tick == begun[-1] + 3 and len(begun) == 2:
            clock.present += 6  # an update that took six ticks: they are caught up with, not seen
    assert begun == [0, 4, 13, 17]


def test_learning_in_the_cycle_costs_actions(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Result] = []
    results = compare(COUNTER, ["in_cycle"], [0, 1], told.append)
    assert told == results
    assert [result.seed for result in results] == [0, 1]
    for result in results:
        assert result.ticks > 0
        assert result.greedy_low <= result.greedy_return <= result.greedy_high
        assert result.samples_per_s == pytest.approx(4 * result.updates_per_s)
        assert result.inaction_fraction >= 0.5  # one tick in three is acted on, at the best


@pytest.mark.parametrize("arguments", [
    ["--seconds", "0"], ["--learners", "0"], ["--set", "learner.brain=1"], ["--plant", "none"],
    ["--set", "learner.action_history=3"], ["--set", "learner.algorithm=rainbow"]])
def test_bad_input_is_one_line(arguments: list[str], monkeypatch: pytest.MonkeyPatch,
                               capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["learners.py", *arguments])
    assert main() == 1
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1 and captured.out == ""


def test_figures_are_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
                          ) -> None:
    monkeypatch.setattr(sys, "argv", [
        "learners.py", "--plant", "counter", "--option", "observation=vector", "--set",
        "learner.network=mlp", "--variants", "in_cycle", "--seconds", "0.2", "--games", "0",
        "--seeds", "3", "--json", "-"])
    assert main() == 0
    document = json.loads(capsys.readouterr().out)
    assert [each["variant"] for each in document["results"]] == ["in_cycle"]
    assert document["results"][0]["greedy_return"] is None
    assert document["setting"]["learners"] == 2
