"""Recorded runs as LeRobot datasets: what is in the files, and what LeRobot itself reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bags.played import play, record
from hypothesis import given
from hypothesis import strategies as st
from simulate.parts_plant import Parted
from simulate.tiny_plant import Echo

from realtime_rl.bags import lerobot_dataset, lerobot_statistics, run_record
from realtime_rl.bags.lerobot_columns import observation_keys
from realtime_rl.bags.reader import read_run
from realtime_rl.bags.recorded_episodes import SAID, RecordedEpisode, whole_episodes
from realtime_rl.bags.run_record import Origin
from realtime_rl.cli.main import main
from realtime_rl.core.errors import BagError
from realtime_rl.core.experience.assembler import Assembler, SemiMdpTransition
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.observations import Observation, join, names_of
from realtime_rl.core.peers.deaths import Deaths
from realtime_rl.core.types import Cause, PlantSpec
from realtime_rl.plants import registry
from realtime_rl.plants.base import Plant

cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed")
parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")

DELAY = 3
Row = dict[str, Any]


def counter() -> Plant:
    return registry.make("counter", {"observation": "image", "episode_ticks": 20}, 3)


MAKERS: dict[str, Callable[[], Plant]] = {
    "pictures": counter, "vector": lambda: Echo(3), "parts": lambda: Parted(3)}
made = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def late(plant: Plant, ticks: int) -> list[tuple[Timestep, Observation]]:
    """A run in which a policy acts, but for every seventh tick."""
    return [(replace(step, cause=Cause.POLICY, observation_tick=step.tick - DELAY, worker=1,
                     version=step.tick // 30) if step.tick % 7 and step.tick >= DELAY
             else replace(step, cause=Cause.DEFAULT), seen)
            for step, seen in play(plant, ticks)]


def bag(folder: Path, plant: Plant, ticks: int = 130) -> Path:
    return record(folder, late(plant, ticks), plant.spec.observation)


def episodes_in(recorded: Path, spec: PlantSpec) -> list[RecordedEpisode]:
    return list(whole_episodes(read_run(recorded), spec))


def table(folder: Path, kind: str) -> list[Row]:
    rows: list[Row] = []
    for path in sorted((folder / kind).glob("*/*.parquet")):
        rows += parquet.read_table(path).to_pylist()
    return rows


def picture(png: bytes) -> Observation:
    rows = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    return np.moveaxis(np.asarray(rows)[..., ::-1], -1, 0)


def value(found: Any, shape: tuple[int, ...], dtype: str) -> Observation:
    """Of a frame: what a part of the observation was; of a picture its first channels."""
    if isinstance(found, dict | bytes):
        found = picture(found["bytes"] if isinstance(found, dict) else found)
        assert all(np.array_equal(found[0], found[channel]) for channel in range(1, 3)
                   if shape[0] == 1)
        found = found[:shape[0]]
    return np.asarray(found, dtype).reshape(shape)


def again(spec: PlantSpec, rows: Iterable[Row], told: Row) -> RecordedEpisode:
    """What was recorded, from the frames of an episode and what is told beside them."""
    def seen(of: Callable[[str], Any]) -> Observation:
        return join([value(of(key), part.shape, part.dtype)
                     for key, part in observation_keys(spec).items()], names_of(spec.observation))

    def step(of: Callable[[str], Any], **values: Any) -> Timestep:
        said = {name: of(name) for name in SAID}
        return Timestep(**{**said, "cause": Cause(int(said["cause"])), "plant": spec.name,
                           **values})

    rows = list(rows)
    steps = [step(lambda name: told[f"first/{name}"], reward=0.0, discount=1.0, first=True,
                  last=False, action=tuple(told["first/applied"]))]
    for row in rows:
        applied = row["action"] if spec.actions.discrete else row["next.applied"]
        steps.append(step(lambda name, row=row: row[f"next.{name}"], reward=row["next.reward"],
                          discount=float(not row["next.done"] or row["next.truncated"]),
                          first=False, last=row["next.done"],
                          action=tuple(np.atleast_1d(applied).tolist())))
    observations = [seen(row.__getitem__) for row in rows]
    return RecordedEpisode(tuple(steps), (*observations, seen(lambda key: told[f"last/{key}"])))


def transitions(episodes: Iterable[RecordedEpisode]) -> list[SemiMdpTransition]:
    assembler = Assembler(stack=2, gamma=0.9, history=2)
    found = []
    for episode in episodes:
        for step, seen in zip(episode.steps, episode.observations, strict=True):
            found += assembler.observe(step.tick, seen, step.first)
            found += assembler.step(step)
    return found


def same(one: list[RecordedEpisode], other: list[RecordedEpisode]) -> None:
    assert [each.steps for each in one] == [each.steps for each in other]
    assert [repr(each) for each in transitions(one)] == [repr(each) for each in transitions(other)]
    assert len(transitions(one)) > 10


@made
def test_nothing_that_was_recorded_is_lost(make: Callable[[], Plant], tmp_path: Path) -> None:
    plant = make()
    recorded, spec = bag(tmp_path / "bag", plant), plant.spec
    episodes = episodes_in(recorded, spec)
    assert lerobot_dataset.write(tmp_path / "set", spec, episodes, "a test") == len(episodes) >= 2
    rows, told = table(tmp_path / "set", "data"), table(tmp_path / "set", "meta/episodes")
    assert [row["index"] for row in rows] == list(range(len(rows)))
    same([again(spec, rows[each["dataset_from_index"]:each["dataset_to_index"]], each)
          for each in told], episodes)
    assert {row["next.delay_ticks"] for row in rows} == {-1, DELAY}
    assert [row["frame_index"] for row in rows if row["episode_index"] == 1] == list(
        range(told[1]["length"]))


def test_files_are_followed_by_others(tmp_path: Path) -> None:
    plant = counter()
    episodes = episodes_in(bag(tmp_path / "bag", plant), plant.spec)
    lerobot_dataset.write(tmp_path / "set", plant.spec, episodes, "a test", megabytes=0.0)
    files = sorted((tmp_path / "set" / "data").glob("*/*.parquet"))
    assert [path.name for path in files] == [f"file-{place:03d}.parquet" for place in range(6)]
    assert [each["data/file_index"] for each in table(tmp_path / "set", "meta/episodes")] == list(
        range(6))


def test_a_dataset_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    plant = counter()
    recorded = bag(tmp_path / "bag", plant, 15)
    with pytest.raises(BagError, match="holds a whole episode"):
        lerobot_dataset.write(tmp_path / "set", plant.spec, episodes_in(recorded, plant.spec), "")

    def broken() -> Iterable[RecordedEpisode]:
        yield from episodes_in(bag(tmp_path / "long", counter()), plant.spec)
        raise BagError("the bag ends")

    with pytest.raises(BagError, match="the bag ends"):
        lerobot_dataset.write(tmp_path / "set", plant.spec, broken(), "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bag", "long"]


def test_the_verb(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded = bag(tmp_path / "bag", counter(), 42)
    run_record.write(recorded, Deaths(), "", origin=Origin(
        "counter", ("observation=image", "episode_ticks=20"), 3, ""))
    words = ["dataset", str(recorded), "--to", "lerobot", "--out", str(tmp_path / "sets" / "any")]
    assert main(words) == 0
    assert "any: 2 episodes, 42 ticks of counter" in capsys.readouterr().out
    info = json.loads((tmp_path / "sets" / "any" / "meta" / "info.json").read_text())
    assert (info["codebase_version"], info["total_episodes"], info["total_frames"]) == (
        "v3.0", 2, 40)
    assert info["features"]["observation.image"] == {
        "dtype": "image", "shape": [8, 8, 3], "names": ["height", "width", "channels"]}
    assert main(words) == 2
    assert "exists already" in capsys.readouterr().err


@given(sizes=st.lists(st.integers(1, 5), min_size=2, max_size=4), seed=st.integers(0, 99))
def test_statistics_of_parts_make_those_of_the_whole(sizes: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts = [rng.integers(0, 256, (size, 3, 4, 5)).astype(np.uint8) for size in sizes]
    values, whole = np.concatenate(parts), np.concatenate(parts) / 255.0
    found = lerobot_statistics.of_pictures(parts[0])
    flat = lerobot_statistics.of_values(parts[0].reshape(sizes[0], -1))
    for part in parts[1:]:
        found = lerobot_statistics.merged(found, lerobot_statistics.of_pictures(part))
        flat = lerobot_statistics.merged(
            flat, lerobot_statistics.of_values(part.reshape(len(part), -1)))
    for name, take in (("mean", np.mean), ("std", np.std), ("min", np.min), ("max", np.max)):
        np.testing.assert_allclose(found[name], take(whole, axis=(0, 2, 3))[:, None, None])
        np.testing.assert_allclose(flat[name], take(values, axis=0).reshape(-1).astype(float),
                                   atol=1e-9)
    assert found["count"] == flat["count"] == sum(sizes)
    one = lerobot_statistics.of_pictures(values)
    assert one["min"] <= one["q01"] if one["min"].size == 1 else (one["q01"] <= one["q99"]).all()


@made
def test_lerobot_itself_loads_it(make: Callable[[], Plant], tmp_path: Path,
                                 monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    real = pytest.importorskip("lerobot.datasets.lerobot_dataset",
                                reason="lerobot needs a venv of its own")
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    plant = make()
    spec = plant.spec
    episodes = episodes_in(bag(tmp_path / "bag", plant), spec)
    lerobot_dataset.write(tmp_path / "set", spec, episodes, "a test", megabytes=0.005)
    loaded = real.LeRobotDataset("local/set", root=tmp_path / "set")
    assert loaded.num_episodes == len(episodes)
    assert loaded.num_frames == sum(len(each.steps) - 1 for each in episodes)
    pictures = {key: part.shape for key, part in observation_keys(spec).items() if part.is_image}

    def row(place: int) -> Row:
        item = loaded[place]
        assert item["task"] == spec.name
        return {key: ((found.numpy() * 255).round().astype(np.uint8)[:pictures[key][0]]
                      if key in pictures else found if isinstance(found, str) else found.tolist())
                for key, found in item.items()}

    told = [loaded.meta.episodes[place] for place in range(loaded.num_episodes)]
    same([again(spec, map(row, range(each["dataset_from_index"], each["dataset_to_index"])), each)
          for each in told], episodes)
    ahead = real.LeRobotDataset("local/set", root=tmp_path / "set", episodes=[1],
                                delta_timestamps={"action": [0, 1 / loaded.fps]})
    acted = [step.action for step in episodes[1].steps[1:]]
    np.testing.assert_array_equal(np.asarray(ahead[0]["action"]).reshape(2, -1),
                                  np.float32(acted[:2]))
    for key, statistics in loaded.meta.stats.items():
        wanted = (3, 1, 1) if key in pictures else loaded.meta.shapes[key]
        assert statistics["mean"].shape == statistics["q50"].shape == wanted, key
