"""The bare torch loop that the learner is measured against does the same work."""

from __future__ import annotations

import copy

import pytest
import torch

pytest.importorskip("pyboy")

from benchmarks import rates
from realtime_rl.core.settings.dqn_config import DqnConfig


def test_both_loops_learn_the_same_from_the_same_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "TRANSITIONS", 40)
    config = DqnConfig(network="small", replay_size=40, learn_start=1, batch_size=8)
    learner = rates.filled(config)
    network = copy.deepcopy(learner.network)
    batch = learner._replay.sample(config.batch_size)
    monkeypatch.setattr(learner._replay, "sample", lambda size, correction: batch)
    update = rates.bare(config, network, batch)
    for _ in range(3):
        learner.update()
        update()
    ours, theirs = learner.network.state_dict(), network.state_dict()
    assert all(torch.allclose(ours[name], theirs[name], atol=1e-6) for name in ours)
    before = rates.filled(config).network.state_dict()
    assert not all(torch.equal(theirs[name], before[name]) for name in theirs)


def test_the_replay_joins_steps_as_in_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "TRANSITIONS", 40)
    learner = rates.filled(DqnConfig(network="small", replay_size=40, learn_start=1, n_step=3))
    assert {each.steps for each in learner._replay._kept} == {3}


@pytest.mark.parametrize("observe", ["memory", "picture"])
def test_virtual_time_takes_turns_with_the_bare_emulator(
        monkeypatch: pytest.MonkeyPatch, observe: str) -> None:
    monkeypatch.setattr(rates, "TURN_S", 1e-3)
    speed = rates.play("catch", observe, 1e-9)
    assert (speed.plant, speed.observe, speed.turns) == ("catch", observe, 1)
    assert speed.ratio == pytest.approx(speed.ticks_per_s / speed.bare_per_s)
