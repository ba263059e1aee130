"""Learning from observations of several parts: networks, exports, the replays, a bad batch."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from learning.tiny_transitions import BUTTONS, TINY, transition
from safetensors.numpy import load_file

from realtime_rl.core.observations import Observation, observed, parse, split, stacked
from realtime_rl.learning import checkpoint
from realtime_rl.learning.dqn import DqnLearner
from realtime_rl.learning.errors import LearningError, NonFiniteLossError
from realtime_rl.learning.networks import build
from realtime_rl.learning.onnx_export import export, initial_policy
from realtime_rl.learning.onnx_import import load_weights
from realtime_rl.learning.replay import Replay
from realtime_rl.learning.shared_arrays import SharedArrays
from realtime_rl.learning.shared_replay import SharedReplay, layout
from realtime_rl.policies.onnx_policy import OnnxPolicy

SPEC = parse("front=uint8[3,40,40] 0:255; arm=float32[2] -1:1")
CONFIG = replace(TINY, network="auto", stack=2)


def seen(value: int) -> Observation:
    picture = np.random.default_rng(value).integers(0, 256, (3, 40, 40))
    return observed(SPEC, {"front": picture, "arm": np.full(2, value / 10)})


def batch_of(network: torch.nn.Module, observation: Observation) -> list[float]:
    with torch.no_grad():
        found = network(*map(torch.from_numpy, split(observation[None])))
    return found[0].tolist()


@pytest.mark.parametrize("name", ["auto", "mlp", "small", "keypoints", "impala:1/4"])
@pytest.mark.parametrize("history", [0, 2])
def test_each_part_has_an_input_of_its_name(name: str, history: int, tmp_path: Path) -> None:
    network = build(name, SPEC, 2, BUTTONS, 0, history=history).eval()
    path = tmp_path / "policy.onnx"
    initial_policy(path, network=name, observation=SPEC, stack=2, actions=BUTTONS, seed=0,
                   history=history)
    policy = OnnxPolicy.load(path, (SPEC, BUTTONS))
    assert [each.name for each in policy.fitted.inputs] == ["front", "arm"]
    assert policy.action_history == history
    shown = stacked([seen(3), seen(7)])
    if not history:
        assert np.allclose(policy.infer(shown), batch_of(network, shown), atol=1e-5)
    one = policy.infer(shown, ((0.0,),) * history)
    for part in ("front", "arm"):
        other = shown.copy()
        other[part] = stacked([seen(8), seen(9)])[part]
        assert not np.array_equal(one, policy.infer(other, ((0.0,),) * history))


def test_pictures_alone_get_the_network_of_pictures() -> None:
    kinds = [[type(layer).__name__ for layer in body]
             for body in build("impala:1/4", SPEC, 1, BUTTONS, 0).body[0].parts]
    assert "Conv2d" in kinds[0] and kinds[1] == ["Flatten", "Linear", "ReLU", "Flatten"]
    small = parse("a=uint8[1,8,8] 0:255; b=float32[2] 0:1")
    build("auto", small, 1, BUTTONS, 0)
    with pytest.raises(LearningError, match=r"takes images, not .*; set learner.network=mlp"):
        build("small", parse("a=float32[1] 0:1; b=float32[2] 0:1"), 1, BUTTONS, 0)


def test_weights_come_back_from_a_file(tmp_path: Path) -> None:
    learner = DqnLearner(CONFIG, SPEC, BUTTONS)
    export(learner.network, learner.metadata(1), tmp_path / "policy.onnx")
    other = DqnLearner(replace(CONFIG, seed=1), SPEC, BUTTONS)
    load_weights(other.network, tmp_path / "policy.onnx", other.metadata(0))
    shown = stacked([seen(1), seen(2)])
    assert batch_of(other.network, shown) == batch_of(learner.network, shown)


def test_both_replays_give_the_stacks_that_they_were_given() -> None:
    arrays = layout(CONFIG, SPEC)
    shared = SharedArrays(arrays)
    writer = SharedReplay(CONFIG, shared, 0)
    reader = SharedReplay(CONFIG, SharedArrays(arrays, os.dup(shared.fd)), 1)
    replay = Replay(CONFIG.replay_size, 0)
    frames = [seen(value) for value in range(12)]
    for tick in range(10):
        each = replace(transition(frames[0], 1.0, float(tick)),
                       observation=tuple(frames[tick:tick + 2]),
                       next_observation=tuple(frames[tick + 1:tick + 3]))
        writer.keep(each)
        writer.add(each)
        replay.add(each)
    for batch in (reader.sample(20), replay.sample(20)):
        for row, tick in enumerate(batch.reward.astype(int).tolist()):
            assert np.array_equal(batch.observation[row], stacked(frames[tick:tick + 2]))
            assert np.array_equal(batch.next_observation[row], stacked(frames[tick + 1:tick + 3]))


def test_a_batch_that_spoils_a_loss_is_written_part_by_part(tmp_path: Path) -> None:
    learner = DqnLearner(replace(CONFIG, learn_start=1), SPEC, BUTTONS)
    learner.add(replace(transition(seen(1), 1.0, float("nan")),
                        observation=(seen(1),) * 2, next_observation=(seen(2),) * 2))
    with pytest.raises(NonFiniteLossError) as caught:
        learner.update()
    checkpoint.inspected(caught.value, tmp_path)
    written = load_file(tmp_path / checkpoint.BAD_BATCH)
    assert written["observation.front"].shape[1:] == (6, 40, 40)
    assert written["next_observation.arm"].shape[1:] == (4,)
