"""Training that is stopped and gone on with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from simulate.test_train_in_virtual_time import CONFIG
from simulate.tiny_plant import Counter, Echo

from realtime_rl.core.experience.snapshot import Snapshot
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.learning import checkpoint
from realtime_rl.plants import registry
from realtime_rl.plants.base import Plant
from realtime_rl.simulate.loop import Delay
from realtime_rl.simulate.train import Training


def through_disk(training: Training, folder: Path, *, replay: bool = True) -> Snapshot:
    snapshot = Snapshot()
    training.save(snapshot, replay=replay)
    checkpoint.save(folder, {}, training.tick, snapshot)
    return checkpoint.load(folder, {})


def advance(training: Training, ticks: int) -> Training:
    for _ in range(ticks):
        training.step()
    return training


def agree(one: Training, other: Training) -> bool:
    weights, others = (each.learner.network.state_dict() for each in (one, other))
    return (all(torch.equal(weights[key], others[key]) for key in weights)
            and one.figures == other.figures and one.tick == other.tick)


def plants(name: str) -> Plant:
    made: dict[str, Plant] = {"echo": Echo(), "counter": Counter(length=7)}
    if name in made:
        return made[name]
    return registry.make("pyboy", {"rom": "catch", "episode_ticks": "45"}, 3)


@pytest.mark.parametrize("delay", [Delay(1), Delay(5), Delay(5, "sequential")], ids=str)
@pytest.mark.parametrize("config", [
    CONFIG, replace(CONFIG, n_step=4, stack=3, replay_size=64),
    replace(CONFIG, algorithm="rainbow", n_step=3, replay_size=128, action_history=4),
    replace(CONFIG, replay="reservoir", replay_size=64)],
    ids=["one", "stacked", "rainbow", "reservoir"])
@pytest.mark.parametrize("name", ["echo", "counter"])
def test_it_ends_as_if_it_had_never_been_stopped(
    name: str, config: DqnConfig, delay: Delay, tmp_path: Path
) -> None:
    whole = advance(Training(plants(name), config, delay), 331)
    stopped = advance(Training(plants(name), config, delay), 163)
    resumed = Training(plants(name), config, delay)
    resumed.load(through_disk(stopped, tmp_path))
    assert agree(stopped, resumed)
    assert agree(advance(resumed, 168), whole)


def test_what_is_under_way_and_was_counted_goes_on_too(tmp_path: Path) -> None:
    def made() -> Training:
        return Training(Echo(), CONFIG, Delay(2), learners=4)

    whole, stopped, resumed = advance(made(), 331), advance(made(), 163), made()
    resumed.load(through_disk(stopped, tmp_path))
    assert agree(advance(resumed, 168), whole)
    assert resumed.course == whole.course
    assert whole.course.column(0)[-1] > whole.course.column(0)[0]
    alone = advance(Training(Echo(), CONFIG, Delay(2)), 331)
    assert alone.learner.updates == whole.learner.updates + 3
    without = made()
    without.load(through_disk(stopped, tmp_path, replay=False))
    assert without.learner.updates == stopped.learner.updates


def test_a_game_goes_on_in_the_middle_of_an_episode(tmp_path: Path) -> None:
    config = DqnConfig(learn_start=40, batch_size=4, epsilon_transitions=50, replay_size=60)
    whole = advance(Training(plants("pyboy"), config, Delay(3)), 130)
    stopped = advance(Training(plants("pyboy"), config, Delay(3)), 72)
    resumed = Training(plants("pyboy"), config, Delay(3))
    resumed.load(through_disk(stopped, tmp_path))
    assert agree(advance(resumed, 58), whole)
    assert whole.learner.updates > 70


def test_saving_changes_nothing(tmp_path: Path) -> None:
    one, two = (Training(Echo(), CONFIG, Delay(2)) for _ in range(2))
    for _ in range(20):
        advance(one, 10)
        advance(two, 10)
        through_disk(two, tmp_path)
    assert agree(one, two)


def test_without_its_replay_it_fills_one_anew(tmp_path: Path) -> None:
    stopped = advance(Training(Echo(), CONFIG, Delay(1)), 150)
    resumed = Training(Echo(), CONFIG, Delay(1))
    resumed.load(through_disk(stopped, tmp_path, replay=False))
    updates = resumed.learner.updates
    assert updates > 0
    assert advance(resumed, 90).learner.updates == updates
    assert advance(resumed, 30).learner.updates > updates


def test_another_plants_state_is_refused(tmp_path: Path) -> None:
    snapshot = through_disk(advance(Training(Echo(), CONFIG, Delay(1)), 20), tmp_path)
    other = Training(registry.make("counter", {}, 0), replace(CONFIG, network="mlp"), Delay(1))
    with pytest.raises(checkpoint.CheckpointError, match="does not fit"), \
            checkpoint.restoring(tmp_path):
        other.load(snapshot)
