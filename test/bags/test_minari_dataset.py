"""Recorded runs as Minari datasets, loaded by Minari itself, and back again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bags.played import play, record
from simulate.parts_plant import Parted
from simulate.tiny_plant import Echo

from realtime_rl.bags import minari_dataset, run_record
from realtime_rl.bags.reader import read_run
from realtime_rl.bags.recorded_episodes import RecordedEpisode, whole_episodes
from realtime_rl.bags.run_record import Origin
from realtime_rl.cli.main import main
from realtime_rl.core.errors import BagError
from realtime_rl.core.observations import split
from realtime_rl.core.peers.deaths import Deaths
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.core.types import ActionSpace, Cause, PlantSpec
from realtime_rl.plants import registry
from realtime_rl.plants.base import Plant
from realtime_rl.simulate import demonstrations
from realtime_rl.simulate.loop import Delay

minari = pytest.importorskip("minari")
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:minari")


def counter() -> Plant:
    return registry.make("counter", {"observation": "image", "episode_ticks": 20}, 3)


def bag(folder: Path, plant: Plant, ticks: int, **left_out: range) -> Path:
    return record(folder, play(plant, ticks), plant.spec.observation, **left_out)


def dataset(folder: Path, recorded: Path, spec: PlantSpec) -> Path:
    minari_dataset.write(folder, spec, whole_episodes(read_run(recorded), spec), "a test")
    return folder


def equal(one: RecordedEpisode, other: RecordedEpisode) -> None:
    assert one.steps == other.steps
    for seen, again in zip(one.observations, other.observations, strict=True):
        for part, same in zip(split(seen), split(again), strict=True):
            assert part.dtype == same.dtype
            np.testing.assert_array_equal(part, same)


@pytest.mark.parametrize("make", [counter, lambda: Echo(3), lambda: Parted(3)],
                         ids=["pictures", "vector", "parts"])
def test_what_is_read_back_is_what_was_recorded(make: Any, tmp_path: Path) -> None:
    plant = make()
    recorded = bag(tmp_path / "bag", plant, 130)
    folder = dataset(tmp_path / "some-v0", recorded, plant.spec)
    episodes = list(whole_episodes(read_run(recorded), plant.spec))
    assert len(episodes) >= 2
    again = list(minari_dataset.read(folder, plant.spec))
    assert len(again) == len(episodes)
    for one, other in zip(episodes, again, strict=True):
        equal(one, other)


def test_minari_itself_loads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant = counter()
    recorded = bag(tmp_path / "bag", plant, 64)
    dataset(tmp_path / "counter-v0", recorded, plant.spec)
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    loaded = minari.load_dataset("counter-v0")
    episodes = list(whole_episodes(read_run(recorded), plant.spec))
    assert loaded.total_episodes == len(episodes) == 3
    for episode, recording in zip(loaded.iterate_episodes(), episodes, strict=True):
        acted = recording.steps[1:]
        assert episode.actions.tolist() == [int(step.action[0]) for step in acted]
        assert episode.rewards.tolist() == [step.reward for step in acted]
        assert episode.terminations.tolist() == [False] * 19 + [True]
        assert not episode.truncations.any()
        assert episode.observations.shape == (21, 1, 8, 8)
        np.testing.assert_array_equal(episode.observations, np.stack(recording.observations))
        assert episode.infos["cause"].tolist() == [int(Cause.OPERATOR)] * 21


def test_a_minari_that_has_no_jpeg_to_leave_out_is_asked_for_none(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of Python 3.10."""
    make = minari.create_dataset_from_buffers

    def older(dataset_id: str, buffer: Any, *, data_format: str, observation_space: Any,
              action_space: Any, description: str, author: str, algorithm_name: str) -> Any:
        return make(dataset_id, buffer, data_format=data_format, description=description,
                    observation_space=observation_space, action_space=action_space, author=author,
                    algorithm_name=algorithm_name)

    monkeypatch.setattr(minari, "create_dataset_from_buffers", older)
    plant = counter()
    recorded = bag(tmp_path / "bag", plant, 42)
    folder = dataset(tmp_path / "counter-v0", recorded, plant.spec)
    kept = whole_episodes(read_run(recorded), plant.spec)
    for one, other in zip(kept, minari_dataset.read(folder, plant.spec), strict=True):
        equal(one, other)


def test_learning_from_it_is_learning_from_the_bag(tmp_path: Path) -> None:
    plant, delay, config = counter(), Delay(3), DqnConfig(stack=2, action_history=2)
    recorded = bag(tmp_path / "bag", plant, 84)
    folder = dataset(tmp_path / "counter-v0", recorded, plant.spec)

    def learned(path: Path) -> list[str]:
        read = demonstrations.read([path], 1, delay)
        return [repr(each) for each in read.transitions(plant.spec, config, delay)]

    assert learned(folder) == learned(recorded) != []
    counts = demonstrations.read([folder], 1, delay).figures()
    assert counts == {"bags": 1, "ticks": 84, "operator_ticks": 84, "missing_ticks": 0,
                      "updates": 1}


def test_the_plants_counters_are_kept(tmp_path: Path) -> None:
    plant = registry.make("pyboy", {"rom": "catch", "observe": "memory"}, 3)
    names = ("caught", "missed")
    spec = replace(plant.spec, counters=names)
    steps = tuple(replace(step, plant=spec.name, counted=",".join(names),
                          counters=(float(place), 2.0 * place))
                  for place, (step, _) in enumerate(play(counter(), 21)))
    seen = tuple(np.full(spec.observation.parts[0].shape, place / 32, np.float32)
                 for place in range(21))
    steps = tuple(replace(step, period_ns=spec.period_ns) for step in steps)
    minari_dataset.write(tmp_path / "c-v0", spec, [RecordedEpisode(steps, seen)], "a test")
    (again,) = minari_dataset.read(tmp_path / "c-v0", spec)
    equal(again, RecordedEpisode(steps, seen))
    plant.close()


def test_an_episode_with_a_gap_is_left_out(tmp_path: Path) -> None:
    plant = counter()
    recorded = bag(tmp_path / "bag", plant, 84, unseen=range(25, 26), lost=range(50, 51))
    kept = list(whole_episodes(read_run(recorded), plant.spec))
    assert [episode.steps[0].tick for episode in kept] == [0, 63]
    assert all(len(episode.steps) == len(episode.observations) == 21 for episode in kept)


def test_a_dataset_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    plant = counter()
    short = bag(tmp_path / "bag", plant, 15)
    with pytest.raises(BagError, match="holds a whole episode"):
        dataset(tmp_path / "short-v0", short, plant.spec)
    assert [path.name for path in tmp_path.iterdir()] == ["bag"]
    folder = dataset(tmp_path / "one-v0", bag(tmp_path / "long", counter(), 42), plant.spec)
    for name, message in (("one-v0", "exists already"), ("one", "name it like 'catch-v0'")):
        with pytest.raises(BagError, match=message):
            dataset(tmp_path / name, tmp_path / "long", plant.spec)
    other = replace(plant.spec, actions=ActionSpace(("A", "B"), (0.0,)))
    with pytest.raises(BagError, match=r"its actions are Discrete\(3\), those of 'counter'"):
        list(minari_dataset.read(folder, other))


def test_the_verb_needs_nothing_but_bags(tmp_path: Path,
                                         capsys: pytest.CaptureFixture[str]) -> None:
    bags = [bag(tmp_path / name, counter(), 42) for name in ("one", "two")]
    options = ("observation=image", "episode_ticks=20")
    run_record.write(bags[0], Deaths(), "", origin=Origin("counter", options, 3, ""))
    words = ["dataset", *map(str, bags), "--out", str(tmp_path / "sets" / "both-v1")]
    assert main(words) == 0
    assert "both-v1: 4 episodes, 84 ticks of counter" in capsys.readouterr().out
    assert main(words) == 2
    assert "exists already" in capsys.readouterr().err
    run_record.write(bags[0], Deaths(), "", origin=Origin("", (), 0, ""))
    assert main(["dataset", str(bags[0]), "--out", str(tmp_path / "r-v0")]) == 2
    assert "is a robot's" in capsys.readouterr().err
