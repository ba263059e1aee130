"""Checkpoints: exact, whole or not at all, refused when they are of something else."""

from __future__ import annotations

import json
import resource
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from learning.tiny_transitions import BUTTONS, TINY, VECTOR, presses, transition

from realtime_rl.core.experience.snapshot import Snapshot
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.learning import checkpoint
from realtime_rl.learning.dqn import DqnLearner
from realtime_rl.learning.errors import CheckpointError

IDENTITY = {"network": "mlp", "plant": "tiny", "actions": str(BUTTONS)}


def trained(config: DqnConfig = TINY, updates: int = 20) -> DqnLearner:
    learner = DqnLearner(config, VECTOR, BUTTONS)
    for each in presses(60):
        learner.add(each)
    for _ in range(updates):
        learner.update()
    return learner


def saved(folder: Path, learner: DqnLearner, *, replay: bool = True, tick: int = 60) -> None:
    snapshot = Snapshot()
    learner.save(snapshot, replay=replay)
    checkpoint.save(folder, IDENTITY, tick, snapshot)


def loaded(folder: Path, config: DqnConfig = TINY) -> DqnLearner:
    learner = DqnLearner(config, VECTOR, BUTTONS)
    with checkpoint.restoring(folder):
        learner.load(checkpoint.load(folder, IDENTITY))
    return learner


def same(one: DqnLearner, other: DqnLearner) -> bool:
    weights, others = one.network.state_dict(), other.network.state_dict()
    return all(torch.equal(weights[key], others[key]) for key in weights)


@pytest.mark.parametrize("config", [TINY, replace(TINY, n_step=3)])
def test_it_goes_on_as_if_nothing_had_been(config: DqnConfig, tmp_path: Path) -> None:
    one = trained(config)
    saved(tmp_path, one)
    other = loaded(tmp_path, config)
    assert same(one, other)
    assert (other.transitions, other.updates) == (60, 20)
    for learner in (one, other):
        for each in presses(20, seed=1):
            learner.add(each)
        for _ in range(30):  # past a copy to the target network
            learner.update()
    assert same(one, other)


def test_joined_transitions_still_follow_each_other(tmp_path: Path) -> None:
    """Whether a transition follows another is told by the same object, across a checkpoint too."""
    config = replace(TINY, n_step=3, learn_start=1)
    frames = [np.full(3, index, np.float32) for index in range(8)]
    one = DqnLearner(config, VECTOR, BUTTONS)
    for index in range(2):
        one.add(transition(frames[index], 0.0, 1.0, next_observation=frames[index + 1]))
    snapshot = Snapshot()
    one.save(snapshot, replay=True)
    place = snapshot.place(frames[2])
    checkpoint.save(tmp_path, IDENTITY, 2, snapshot)
    back = checkpoint.load(tmp_path, IDENTITY)
    other = DqnLearner(config, VECTOR, BUTTONS)
    other.load(back)
    assert not other.ready
    other.add(transition(back.frame(place), 0.0, 1.0, next_observation=frames[3]))
    assert other.ready, "three were joined"


def test_the_random_states_are_taken_over(tmp_path: Path) -> None:
    torch.manual_seed(5)
    np.random.seed(5)
    saved(tmp_path, trained())
    drawn = float(torch.rand(1)), np.random.rand()
    loaded(tmp_path)
    assert (float(torch.rand(1)), np.random.rand()) == drawn


def test_without_the_replay_it_is_small_and_waits_to_learn(tmp_path: Path) -> None:
    saved(tmp_path, trained(), replay=False)
    other = loaded(tmp_path)
    assert not other.ready
    assert other.updates == 20


def test_the_new_one_takes_the_place_of_the_old(tmp_path: Path) -> None:
    saved(tmp_path, trained(updates=1))
    saved(tmp_path, trained(updates=2), tick=61)
    assert len(list(tmp_path.iterdir())) == 2
    assert json.loads((tmp_path / checkpoint.INDEX).read_text())["tick"] == 61
    assert loaded(tmp_path).updates == 2
    assert all(path.stat().st_mode & 0o044 for path in tmp_path.iterdir()), "not private"


def test_a_full_disk_keeps_the_one_before(tmp_path: Path) -> None:
    saved(tmp_path, trained(updates=1))
    before = sorted(path.name for path in tmp_path.iterdir())
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
        with pytest.raises(CheckpointError, match=r"tick 61 cannot be written .* is kept"):
            saved(tmp_path, trained(updates=2), tick=61)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert loaded(tmp_path).updates == 1


def test_a_crash_between_arrays_and_index_keeps_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(tmp_path, trained(updates=1))

    def crash(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "write_atomically", crash)
    with pytest.raises(CheckpointError, match="No space left on device"):
        saved(tmp_path, trained(updates=2), tick=61)
    monkeypatch.undo()
    assert loaded(tmp_path).updates == 1
    saved(tmp_path, trained(updates=3), tick=62)
    assert len(list(tmp_path.iterdir())) == 2, "what the crash left is cleared away"


@pytest.mark.parametrize(("name", "value"), [
    ("network", "small"), ("plant", "other"), ("actions", "A B = A")])
def test_what_is_of_something_else_is_refused(name: str, value: str, tmp_path: Path) -> None:
    saved(tmp_path, trained())
    with pytest.raises(CheckpointError, match=f"has another {name}: .*; give the same again"):
        checkpoint.load(tmp_path, {**IDENTITY, name: value})


def test_of_a_value_with_many_parts_those_that_differ_are_named(tmp_path: Path) -> None:
    parts = {"stack": 1, "choices": (1, 2), "gone": True}
    checkpoint.save(tmp_path, {"learner": parts}, 1, Snapshot())
    checkpoint.load(tmp_path, {"learner": parts})
    for changed, words in (({**parts, "stack": 2}, "learner.stack: 1, not 2"),
                           ({"stack": 1, "choices": (1, 2)}, "learner.gone: True, not None"),
                           ({**parts, "stack": 2, "gone": False},
                            "learner.stack: 1, not 2, another learner.gone: True, not False")):
        with pytest.raises(CheckpointError, match=f"has another {words}; give the same again"):
            checkpoint.load(tmp_path, {"learner": changed})


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    saved(tmp_path, trained())
    with pytest.raises(CheckpointError, match=r"does not fit: weights network\.body\."):
        loaded(tmp_path, replace(TINY, network="mlp:2"))


def altered(index: Path, **changes: Any) -> None:
    index.write_text(json.dumps({**json.loads(index.read_text()), **changes}))


@pytest.mark.parametrize("harm", ["truncated", "flipped", "gone", "index", "values", "elsewhere",
                                  "empty"])
def test_what_is_damaged_is_refused(harm: str, tmp_path: Path) -> None:
    saved(tmp_path, trained())
    index = tmp_path / checkpoint.INDEX
    arrays = next(tmp_path.glob("*.safetensors"))
    data = bytearray(arrays.read_bytes())
    if harm == "truncated":
        arrays.write_bytes(data[:-100])
    elif harm == "flipped":
        data[-1] ^= 1
        arrays.write_bytes(data)
    elif harm == "gone":
        arrays.unlink()
    elif harm == "index":
        index.write_bytes(index.read_bytes()[:-50])
    elif harm == "values":
        altered(index, values={})
    elif harm == "elsewhere":
        altered(index, file="../other")
    else:
        index.write_text("[]")
    with pytest.raises(CheckpointError, match=r"checkpoint '.*json' is damaged: .*; put a copy"):
        loaded(tmp_path)


def test_a_checkpoint_of_another_version_says_so(tmp_path: Path) -> None:
    saved(tmp_path, trained())
    altered(tmp_path / checkpoint.INDEX, schema=99)
    with pytest.raises(CheckpointError, match="schema 99, this version reads 1"):
        loaded(tmp_path)


def test_where_there_is_none_it_says_so(tmp_path: Path) -> None:
    assert not checkpoint.exists(tmp_path)
    with pytest.raises(CheckpointError, match="cannot be read: No such file"):
        loaded(tmp_path)
