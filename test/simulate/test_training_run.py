"""A training in a folder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from simulate.test_train_in_virtual_time import CONFIG
from simulate.tiny_plant import Echo, Endless

from realtime_rl.core.errors import ConfigError, PlantError, PolicyError
from realtime_rl.core.types import Action, Transition
from realtime_rl.learning import checkpoint
from realtime_rl.learning.errors import CheckpointError, LearningError
from realtime_rl.learning.training_state import weights_sha256
from realtime_rl.policies.onnx_policy import OnnxPolicy
from realtime_rl.simulate import evaluation, training_run
from realtime_rl.simulate.evaluation import evaluate
from realtime_rl.simulate.loop import Delay
from realtime_rl.simulate.training_run import (
    EPISODES,
    POLICY,
    Plan,
    Settings,
    run,
)

SETTINGS = Settings("echo", {}, Delay(2), CONFIG)


class Poisoned(Echo):
    """Pays NaN once, at tick 210."""

    def step(self, action: Action) -> Transition:
        transition = super().step(action)
        return replace(transition, reward=float("nan")) if self._tick == 210 else transition


def test_a_folder_holds_policy_returns_and_checkpoint(tmp_path: Path) -> None:
    training = run(SETTINGS, Plan(260), Echo(), tmp_path)
    policy = OnnxPolicy.load(tmp_path / POLICY, (Echo().spec.observation, Echo().spec.actions))
    assert policy.stack == 1
    lines = (tmp_path / EPISODES).read_text().splitlines()
    assert lines[0] == "episode,end_tick,return"
    assert [line.split(",")[1] for line in lines[1:]] == ["49", "99", "149", "199", "249"]
    assert float(lines[1].split(",")[2]) == training.figures.returns[0]
    assert json.loads((tmp_path / checkpoint.INDEX).read_text())["tick"] == 260


def test_stopped_and_resumed_it_ends_the_same(tmp_path: Path) -> None:
    whole = run(SETTINGS, Plan(300, 70), Echo(), tmp_path / "whole")
    asked = iter([False] * 131)
    plan = Plan(300, 70, keep_replay=True, stop=lambda: next(asked, True))
    assert run(SETTINGS, plan, Echo(), tmp_path / "parts").tick == 131
    resumed = run(SETTINGS, Plan(300, keep_replay=True, resume=True), Echo(), tmp_path / "parts")
    assert weights_sha256(resumed.learner.network) == weights_sha256(whole.learner.network)
    assert ((tmp_path / "whole" / EPISODES).read_text()
            == (tmp_path / "parts" / EPISODES).read_text())


def test_a_finished_training_can_be_made_longer(tmp_path: Path) -> None:
    whole = run(SETTINGS, Plan(200), Echo(), tmp_path / "whole")
    for ticks in (120, 120, 200):
        longer = run(SETTINGS, Plan(ticks, keep_replay=True, resume=True), Echo(),
                     tmp_path / "parts")
        assert longer.tick == ticks
    assert weights_sha256(longer.learner.network) == weights_sha256(whole.learner.network)


def test_a_longer_training_is_not_made_shorter(tmp_path: Path) -> None:
    run(SETTINGS, Plan(120), Echo(), tmp_path)
    before = sorted((path.name, path.read_bytes()) for path in tmp_path.iterdir())
    with pytest.raises(ConfigError, match="is at tick 120 already, past the 100 asked for"):
        run(SETTINGS, Plan(100, resume=True), Echo(), tmp_path)
    assert sorted((path.name, path.read_bytes()) for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize("all_of_it", [True, False])
def test_a_disk_that_takes_no_checkpoint_may_take_the_policy(
    all_of_it: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*unused: object) -> None:
        raise CheckpointError("the checkpoint of tick 70 cannot be written")

    def full_too(*unused: object) -> None:
        raise PolicyError("no room for it either")

    monkeypatch.setattr(checkpoint, "save", full)
    if all_of_it:
        monkeypatch.setattr(training_run, "export", full_too)
    with pytest.raises(CheckpointError) as refused:
        run(SETTINGS, Plan(300, 70), Echo(), tmp_path)
    said = str(refused.value)
    assert said.startswith("the checkpoint of tick 70 cannot be written")
    assert ("; the policy of that tick is in " in said) is not all_of_it
    assert (tmp_path / POLICY).exists() is not all_of_it


def test_a_plant_that_cannot_be_saved_costs_no_policy(tmp_path: Path) -> None:
    class Endless(Echo):
        def save_state(self) -> bytes:
            raise PlantError("an episode of 70 ticks is too long to be saved")

    with pytest.raises(CheckpointError, match="too long to be saved; the policy of that tick is"):
        run(SETTINGS, Plan(300, 70), Endless(), tmp_path)
    assert (tmp_path / POLICY).exists()


def test_a_loss_that_is_not_finite_can_be_looked_into(tmp_path: Path) -> None:
    with pytest.raises(LearningError, match=r"tick 2\d\d, update \d+: loss nan .*policy before"):
        run(SETTINGS, Plan(400, 50), Poisoned(), tmp_path)
    batch = load_file(tmp_path / checkpoint.BAD_BATCH)
    assert set(batch) >= {"observation", "action", "reward", "discount", "next_observation"}
    assert np.isnan(batch["reward"]).any()
    OnnxPolicy.load(tmp_path / POLICY, (Echo().spec.observation, Echo().spec.actions))
    assert checkpoint.exists(tmp_path)


def test_a_training_is_not_overwritten_nor_mixed_with_another(tmp_path: Path) -> None:
    run(SETTINGS, Plan(20), Echo(), tmp_path)
    with pytest.raises(ConfigError, match=r"has a training already; go on with it \(--resume\)"):
        run(SETTINGS, Plan(20), Echo(), tmp_path)
    other = replace(SETTINGS, delay=Delay(3))
    with pytest.raises(checkpoint.CheckpointError, match="has another delay: 2, not 3"):
        run(other, Plan(20, resume=True), Echo(), tmp_path)


def test_two_trainings_do_not_share_a_folder(tmp_path: Path) -> None:
    def intrude(training: object) -> None:
        run(SETTINGS, Plan(20, resume=True), Echo(), tmp_path)

    with pytest.raises(ConfigError, match="in use by another training"):
        run(SETTINGS, Plan(20, progress=intrude), Echo(), tmp_path)


def test_evaluation_is_greedy_and_learns_nothing(tmp_path: Path) -> None:
    training = run(replace(SETTINGS, delay=Delay(1)), Plan(900), Echo(), tmp_path)
    before = weights_sha256(training.learner.network)
    figures = evaluate(training.learner, Echo(7), Delay(1), stack=1, episodes=3)
    assert len(figures.returns) == 3
    assert figures.interval().mean > 45
    assert weights_sha256(training.learner.network) == before


def test_evaluation_of_play_that_does_not_end_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "LONGEST", 60)
    training = run(SETTINGS, Plan(5), Echo(), tmp_path)
    seen: list[int] = []
    endless = evaluate(training.learner, Endless(), Delay(1), stack=1, episodes=3,
                       progress=lambda figures: seen.append(figures.ticks))
    assert (endless.returns, endless.ticks, seen) == ([], 60, list(range(1, 61)))
    assert 0.0 <= endless.reward_per_tick <= 1.0
    assert evaluate(training.learner, Echo(7), Delay(1), stack=1, episodes=3).ticks == 150


def test_a_network_that_nobody_chose_is_the_one_of_its_checkpoint(tmp_path: Path) -> None:
    unsaid = replace(SETTINGS, learner=replace(SETTINGS.learner, network="auto"))
    assert unsaid.identity(Echo().spec) == SETTINGS.identity(Echo().spec)
    run(SETTINGS, Plan(10), Echo(), tmp_path)
    assert run(unsaid, Plan(20, resume=True), Echo(), tmp_path).network == "mlp"


@pytest.mark.parametrize(("ticks", "every", "message"), [
    (0, 1, "ticks 0 must be 1 or more"), (1, -1, "checkpoint_every -1 must be 0 or more")])
def test_what_cannot_be_is_refused(ticks: int, every: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Plan(ticks, every)
