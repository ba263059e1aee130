"""Exported policies: the same values in ONNX Runtime as in torch."""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from learning.tiny_transitions import BUTTONS, IMAGE, TINY, VECTOR, WHEELS, presses
from safetensors.torch import load_file

from realtime_rl.core.errors import PolicyError
from realtime_rl.core.experience.action_history import encode
from realtime_rl.core.messages.policy_metadata import PolicyMetadata
from realtime_rl.core.observations import ObservationSpec
from realtime_rl.core.types import ActionSpace
from realtime_rl.files import sha256_of
from realtime_rl.learning import networks, onnx_export
from realtime_rl.learning.dqn import DqnLearner
from realtime_rl.learning.heads import Head, draw_noise
from realtime_rl.learning.onnx_import import load_weights
from realtime_rl.policies.compute import Compute
from realtime_rl.policies.feeding import Seen
from realtime_rl.policies.policy_loader import Loader


def about(observation: ObservationSpec, actions: ActionSpace, stack: int = 2) -> PolicyMetadata:
    return PolicyMetadata(
        input_name="observation", observation=observation, stack=stack, actions=actions,
        version=1, training_step=7, epsilon=0.5, producer="test",
        outputs="q_values" if actions.discrete else "action")


def random_input(metadata: PolicyMetadata) -> np.ndarray:
    rng = np.random.default_rng(0)
    (part,) = metadata.inputs.values()
    shape = part.stacked_shape(metadata.stack)
    if part.dtype == "uint8":
        return rng.integers(0, 256, shape, dtype=np.uint8)
    return rng.normal(size=shape).astype(np.float32)


def torch_outputs(network: torch.nn.Module, observation: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return network(torch.from_numpy(observation[None]))[0].numpy()


def refreshed(network: networks.PolicyNetwork, tmp_path: Path, metadata: PolicyMetadata,
              inline_bytes: int) -> None:
    """Export before and after all weights changed; ONNX Runtime agrees with torch both times.

    A run of it may answer several observations.
    """
    exporter = onnx_export.PolicyExporter(network, tmp_path, inline_bytes=inline_bytes)
    load = Loader((metadata.observation, metadata.actions), Compute(batch=3))
    given = random_input(metadata)
    for version in (1, 2):
        metadata = replace(metadata, version=version)
        policy = load(str(exporter.export(metadata)))
        assert policy.metadata == metadata
        assert policy.warnings == ()
        network.eval()
        expected = pytest.approx(torch_outputs(network, given), abs=1e-5)
        assert policy.infer(given) == expected
        assert policy.infer_batch([Seen(given)] * 3) == [expected] * 3
        network.train()
        with torch.no_grad():
            for weights in network.parameters():
                weights.mul_(0.9)


ONE_FILE, TWO_FILES = 1 << 40, 0


@pytest.mark.parametrize("inline_bytes", [ONE_FILE, TWO_FILES])
@pytest.mark.parametrize("head", [
    Head(dueling=True), Head(noisy=True), Head(atoms=51, low=-10, high=10),
    Head(True, True, 51, -10, 10)])
@pytest.mark.parametrize(("name", "observation"), [("mlp", VECTOR), ("impala:1/8", IMAGE)])
def test_every_head_is_exported_as_its_mean(
    tmp_path: Path, name: str, observation: ObservationSpec, head: Head, inline_bytes: int
) -> None:
    network = networks.build(name, observation, 2, BUTTONS, seed=0, head=head)
    draw_noise(network, torch.Generator().manual_seed(0))
    refreshed(network, tmp_path, about(observation, BUTTONS), inline_bytes)


def test_a_rainbow_learners_weights_come_back(tmp_path: Path) -> None:
    config = replace(TINY, algorithm="rainbow")
    learner, other = (DqnLearner(replace(config, seed=seed), VECTOR, BUTTONS) for seed in (0, 1))
    uri = onnx_export.export(learner.network, learner.metadata(1), tmp_path / "policy.onnx")
    assert load_weights(other.network, uri.path, other.metadata(7)) == learner.metadata(1)
    seen = torch.eye(3)
    assert torch.equal(other.network(seen), learner.network(seen))
    with pytest.raises(PolicyError, match=r"is of another network: .body\.1\.weight. does not fit"):
        load_weights(DqnLearner(TINY, VECTOR, BUTTONS).network, uri.path, learner.metadata(1))


@pytest.mark.parametrize(("unlike", "message"), [
    ({"stack": 2}, r"its stack is '1', not '2'"),
    ({"action_history": 3}, r"its action_history is '0', not '3'"),
    ({"actions": WHEELS, "outputs": "action"}, r"its actions is .*, not "),
])
def test_a_policy_of_another_plant_leaves_a_network_as_it_is(
    tmp_path: Path, unlike: dict[str, Any], message: str
) -> None:
    learner, other = (DqnLearner(replace(TINY, seed=seed), VECTOR, BUTTONS) for seed in (0, 1))
    uri = onnx_export.export(learner.network, learner.metadata(1), tmp_path / "policy.onnx")
    before = [weight.clone() for weight in other.network.parameters()]
    with pytest.raises(PolicyError, match=f"is of another plant or network: {message}"):
        load_weights(other.network, uri.path, replace(other.metadata(0), **unlike))
    assert all(torch.equal(weight, then) for weight, then in zip(
        other.network.parameters(), before, strict=True))


@pytest.mark.parametrize("inline_bytes", [ONE_FILE, TWO_FILES])
@pytest.mark.parametrize(("name", "observation", "actions"), [
    ("small", IMAGE, BUTTONS), ("keypoints", IMAGE, BUTTONS), ("nature:1/2", IMAGE, BUTTONS),
    ("impala:1/4", IMAGE, BUTTONS), ("impala_deep:1/8", IMAGE, BUTTONS),
    ("mlp", VECTOR, BUTTONS), ("mlp", VECTOR, WHEELS)])
def test_onnx_gives_what_torch_gives_before_and_after_a_refresh(
    tmp_path: Path, name: str, observation: ObservationSpec, actions: ActionSpace,
    inline_bytes: int
) -> None:
    network = networks.build(name, observation, 2, actions, seed=0)
    refreshed(network, tmp_path, about(observation, actions), inline_bytes)


def test_a_refresh_replaces_weights_only_and_every_one(tmp_path: Path) -> None:
    network = networks.build("small", IMAGE, 1, BUTTONS, seed=0)
    exporter = onnx_export.PolicyExporter(network, tmp_path)
    exporter.export(about(IMAGE, BUTTONS, stack=1))
    network.load_state_dict(networks.build("small", IMAGE, 1, BUTTONS, seed=1).state_dict())
    path = exporter.export(replace(about(IMAGE, BUTTONS, stack=1), version=2)).path
    fresh = onnx_export.export(network, about(IMAGE, BUTTONS, stack=1), tmp_path / "fresh.onnx")
    assert onnx.load(path).graph == onnx.load(fresh.path).graph


def test_only_the_first_of_many_exports_traces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = networks.build("mlp", VECTOR, 2, BUTTONS, seed=0)
    exporter = onnx_export.PolicyExporter(network, tmp_path, inline_bytes=TWO_FILES)
    exporter.export(about(VECTOR, BUTTONS))
    monkeypatch.delattr(torch.onnx, "export")
    exporter.export(replace(about(VECTOR, BUTTONS), version=2))


def test_large_weights_are_in_a_file_that_safetensors_and_onnx_read(tmp_path: Path) -> None:
    network = networks.build("mlp", VECTOR, 2, BUTTONS, seed=0)
    exporter = onnx_export.PolicyExporter(network, tmp_path, inline_bytes=TWO_FILES)
    path = exporter.export(about(VECTOR, BUTTONS)).path
    beside = tmp_path / "policy-000001.safetensors"
    kept, wanted = load_file(beside), network.state_dict()
    assert {name for name, _ in network.named_parameters()} <= kept.keys()
    assert all(torch.equal(value, wanted[name]) for name, value in kept.items())
    assert beside.stat().st_size > 5 * path.stat().st_size
    onnx.checker.check_model(str(path), full_check=True)
    other = networks.build("mlp", VECTOR, 2, BUTTONS, seed=1)
    load_weights(other, path, about(VECTOR, BUTTONS))
    assert all(torch.equal(a, b) for a, b in zip(
        other.parameters(), network.parameters(), strict=True))


@pytest.mark.parametrize("size", [1, 3])
def test_the_hash_is_that_of_graph_and_weights_one_after_the_other(
    tmp_path: Path, size: int
) -> None:
    network = networks.build("mlp", VECTOR, size, BUTTONS, seed=0)
    exporter = onnx_export.PolicyExporter(network, tmp_path, inline_bytes=TWO_FILES)
    uri = exporter.export(about(VECTOR, BUTTONS, stack=size))
    both = uri.path.read_bytes() + uri.path.with_suffix(".safetensors").read_bytes()
    assert uri.sha256 == hashlib.sha256(both).hexdigest()


def test_weights_beyond_an_onnx_file_are_put_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = networks.build("mlp", VECTOR, 2, BUTTONS, seed=0)
    onnx_export.export(network, about(VECTOR, BUTTONS), tmp_path / "one.onnx")
    monkeypatch.setattr(onnx_export, "INLINE_BYTES", 1000)
    uri = onnx_export.export(network, about(VECTOR, BUTTONS), tmp_path / "two.onnx")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "one.onnx", "two.onnx", "two.safetensors"]
    given = random_input(about(VECTOR, BUTTONS))
    outputs = [Loader((VECTOR, BUTTONS))(each).infer(given).tolist()
               for each in (str(uri), (tmp_path / "one.onnx").as_uri())]
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize("failing", [1, 2])
def test_a_disk_that_fills_up_leaves_every_version_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    network = networks.build("mlp", VECTOR, 2, BUTTONS, seed=0)
    exporter = onnx_export.PolicyExporter(network, tmp_path, keep=1, inline_bytes=TWO_FILES)
    uri = exporter.export(about(VECTOR, BUTTONS))
    calls = itertools.count(1)

    def full(handle: int, sync: Callable[[int], None] = os.fsync) -> None:
        if next(calls) == failing:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(handle)

    # the first is of the weights, then their folder, then of the graph
    failing = {1: 1, 2: 3}[failing]
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PolicyError, match=r"policy-000002\.onnx' cannot be written: No space"):
        exporter.export(replace(about(VECTOR, BUTTONS), version=2))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "policy-000001.onnx", "policy-000001.safetensors"]
    assert Loader((VECTOR, BUTTONS))(str(uri)).version == 1
    exporter.export(replace(about(VECTOR, BUTTONS), version=2))
    assert not uri.path.exists()


def test_the_uri_has_the_files_place_and_hash(tmp_path: Path) -> None:
    network = networks.build("mlp", VECTOR, 2, BUTTONS, seed=0)
    uri = onnx_export.PolicyExporter(network, tmp_path / "." / "old" / ".." / "new").export(
        about(VECTOR, BUTTONS))
    assert uri.path == tmp_path / "new" / "policy-000001.onnx"
    assert uri.sha256 == sha256_of(uri.path)


def test_only_the_newest_versions_stay(tmp_path: Path) -> None:
    stranger = tmp_path / "policy-000099.onnx"
    stranger.write_bytes(b"of an earlier run")
    network = networks.build("mlp", VECTOR, 2, BUTTONS, seed=0)
    exporter = onnx_export.PolicyExporter(network, tmp_path, keep=2)
    for version in range(1, 6):
        exporter.export(replace(about(VECTOR, BUTTONS), version=version))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "policy-000004.onnx", "policy-000005.onnx", "policy-000099.onnx"]


def test_keeping_none_in_particular_keeps_all(tmp_path: Path) -> None:
    network = networks.build("mlp", VECTOR, 2, BUTTONS, seed=0)
    exporter = onnx_export.PolicyExporter(network, tmp_path, keep=0)
    for version in range(1, 8):
        exporter.export(replace(about(VECTOR, BUTTONS), version=version))
    assert len(list(tmp_path.iterdir())) == 7


def test_versions_of_a_learner_that_died_count_and_weights_go_with_their_graph(
    tmp_path: Path
) -> None:
    network = networks.build("mlp", VECTOR, 2, BUTTONS, seed=0)
    for version in range(3):
        onnx_export.PolicyExporter(network, tmp_path, inline_bytes=TWO_FILES).export(
            replace(about(VECTOR, BUTTONS), version=version))
    exporter = onnx_export.PolicyExporter(network, tmp_path, keep=2, earlier=[2, 1],
                                          inline_bytes=TWO_FILES)
    exporter.export(replace(about(VECTOR, BUTTONS), version=3))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"policy-00000{version}.{suffix}" for version in (0, 2, 3)
        for suffix in ("onnx", "safetensors")]


def test_a_folder_that_cannot_be_written_to_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    network = networks.build("mlp", VECTOR, 2, BUTTONS, seed=0)
    with pytest.raises(PolicyError, match="cannot be written"):
        onnx_export.PolicyExporter(network, tmp_path / "file").export(about(VECTOR, BUTTONS))


def test_the_initial_policy_is_what_the_learner_starts_from(tmp_path: Path) -> None:
    uri = onnx_export.initial_policy(
        tmp_path / "first.onnx", network="mlp", observation=VECTOR, stack=1, actions=BUTTONS,
        seed=3)
    policy = Loader((VECTOR, BUTTONS))(str(uri))
    learner = DqnLearner(replace(TINY, seed=3), VECTOR, BUTTONS)
    given = np.ones(3, np.float32)
    assert policy.infer(given) == pytest.approx(torch_outputs(learner.network, given), abs=1e-6)
    assert (policy.version, policy.epsilon) == (0, 1.0)


def test_a_run_goes_on_from_the_weights_and_the_exploration_of_a_policy(tmp_path: Path) -> None:
    learner = DqnLearner(TINY, VECTOR, BUTTONS)
    trained = onnx_export.export(
        learner.network, replace(learner.metadata(9), epsilon=0.25, training_step=700),
        tmp_path / "trained.onnx")
    first = Loader((VECTOR, BUTTONS))(str(onnx_export.initial_policy(
        tmp_path / "first.onnx", network="mlp", observation=VECTOR, stack=1, actions=BUTTONS,
        seed=3, weights=trained.path)))
    given = np.ones(3, np.float32)
    assert first.infer(given) == pytest.approx(torch_outputs(learner.network, given), abs=1e-6)
    assert (first.version, first.epsilon) == (0, 0.25)
    assert first.metadata is not None
    assert first.metadata.training_step == 700


def test_a_learners_export_follows_its_updates(tmp_path: Path) -> None:
    learner = DqnLearner(TINY, VECTOR, BUTTONS)
    exporter = onnx_export.PolicyExporter(learner.network, tmp_path)
    load = Loader((VECTOR, BUTTONS))
    given = np.ones(3, np.float32)
    before = load(str(exporter.export(learner.metadata(1)))).infer(given)
    for each in presses(50):
        learner.add(each)
    for _ in range(5):
        learner.update()
    after = load(str(exporter.export(learner.metadata(2))))
    assert after.infer(given) == pytest.approx(torch_outputs(learner.network, given), abs=1e-5)
    assert not np.allclose(before, after.infer(given))
    assert after.metadata is not None
    assert after.metadata.training_step == 5


@pytest.mark.parametrize("head", [Head(), Head(True, True, 51, -10, 10)])
def test_a_history_is_a_second_input_that_counts(tmp_path: Path, head: Head) -> None:
    network = networks.build("mlp", VECTOR, 2, BUTTONS, seed=0, head=head, history=4).eval()
    metadata = replace(about(VECTOR, BUTTONS), action_history=4)
    policy = Loader((VECTOR, BUTTONS))(
        str(onnx_export.PolicyExporter(network, tmp_path).export(metadata)))
    assert policy.action_history == 4
    given = random_input(metadata)
    outputs = []
    for history in (((None,) * 4), ((0.0,), (1.0,), (2.0,), None), ((2.0,),) * 4):
        with torch.no_grad():
            wanted = network(torch.from_numpy(given[None]),
                             torch.from_numpy(encode([history], BUTTONS)))[0].numpy()
        outputs.append(policy.infer(given, history))
        assert outputs[-1] == pytest.approx(wanted, abs=1e-5)
    assert not np.allclose(outputs[0], outputs[1])
    assert not np.allclose(outputs[1], outputs[2])
    with pytest.raises(PolicyError, match="takes the last 4 applied actions beside"):
        policy.infer(given)


def test_a_first_policy_with_a_history_is_what_its_learner_starts_from(tmp_path: Path) -> None:
    config = replace(TINY, action_history=2, seed=3)
    uri = onnx_export.initial_policy(
        tmp_path / "first.onnx", network="mlp", observation=VECTOR, stack=1, actions=BUTTONS,
        seed=3, history=2)
    learner = DqnLearner(config, VECTOR, BUTTONS)
    assert learner.metadata(0).action_history == 2
    policy = Loader((VECTOR, BUTTONS))(str(uri))
    for button in range(3):
        history = (None, (float(button),))
        seen = np.ones(3, np.float32)
        assert policy.act(policy.infer(seen, history)) == learner.greedy(seen, history)
