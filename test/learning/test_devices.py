"""Training on a GPU; what needs one is skipped where there is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from learning.tiny_transitions import BUTTONS, IMAGE, TINY, VECTOR, presses, shown, transition

from realtime_rl import free_memory
from realtime_rl.cli.train import _part
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.experience.snapshot import Snapshot
from realtime_rl.core.observations import Observation, ObservationSpec
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.learning import devices
from realtime_rl.learning.dqn import DqnLearner
from realtime_rl.learning.errors import LearningError
from realtime_rl.learning.onnx_export import export
from realtime_rl.learning.onnx_import import load_weights
from realtime_rl.learning.pool import LearningPool
from realtime_rl.simulate.loop import Delay
from realtime_rl.simulate.training_run import Settings

RAINBOW = replace(TINY, algorithm="rainbow", atoms=21, value_min=-1.0, value_max=3.0)
PICTURES = replace(TINY, network="keypoints", batch_size=2)
CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU that torch finds")


def taught(config: DqnConfig, spec: ObservationSpec = VECTOR) -> DqnLearner:
    learner = DqnLearner(config, spec, BUTTONS)
    for each in presses(40):
        learner.add(each if spec is VECTOR else transition(picture(), 1.0, each.reward))
    return learner


def picture() -> Observation:
    return np.random.default_rng(0).integers(0, 255, IMAGE.shape).astype(np.uint8)


@pytest.mark.parametrize(("name", "found", "device"), [
    ("cpu", True, "cpu"), ("cpu", False, "cpu"), ("auto", False, "cpu"), ("auto", True, "cuda"),
    ("cuda", True, "cuda")])
def test_a_gpu_is_taken_where_asked_for_and_found(
    name: str, found: bool, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: found)
    assert devices.choose(name) == torch.device(device)


@pytest.mark.parametrize(("version", "reason"), [
    (None, "is a build for the CPU only"), ("13.0", "finds no GPU")])
def test_a_gpu_that_is_not_there_is_refused(
    version: str | None, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", version)
    with pytest.raises(LearningError, match=f"'cuda': torch .* {reason}; take 'cpu'"):
        taught(replace(TINY, device="cuda"))


def test_a_network_has_to_fit_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1000, 2000))
    monkeypatch.setattr(free_memory, "available_bytes", lambda: 1 << 40)
    with pytest.raises(LearningError, match="network 'mlp' has 4,611 weights"):
        taught(replace(TINY, device="cuda"))


def test_a_full_gpu_is_told_in_one_line() -> None:
    def allocate(batch: object) -> tuple[torch.Tensor, ...]:
        raise torch.cuda.OutOfMemoryError("Tried to allocate 2.00 GiB.\nSee the manual")

    learner = taught(TINY)
    learner._compute = allocate
    with pytest.raises(LearningError, match=r"^update 1: the GPU's memory is full; .*'cpu'$"):
        learner.update()


@pytest.mark.parametrize(("config", "spec"), [
    (TINY, VECTOR), (RAINBOW, VECTOR), (replace(TINY, double=False, huber=False), VECTOR),
    (PICTURES, IMAGE)])
def test_an_update_mixes_no_devices(
    config: DqnConfig, spec: ObservationSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Torch's device for shapes without values: all of an update goes, but reading its loss."""
    monkeypatch.setattr(devices, "choose", lambda name: torch.device("meta"))
    learner = taught(config, spec)
    with pytest.raises(RuntimeError, match=r"item\(\) cannot be called on meta"):
        learner.update()
    assert all(weight.grad is not None for weight in learner.network.parameters())
    with pytest.raises(RuntimeError, match=r"item\(\) cannot be called on meta"):
        learner.greedy(shown(0) if spec is VECTOR else picture())


def test_processes_beside_one_another_are_the_cpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises(LearningError, match="CPU's memory, not on 'cuda'; take device 'cpu'"):
        LearningPool(replace(TINY, device="cuda"), VECTOR, BUTTONS, 2, folder=tmp_path)
    pool = LearningPool(replace(TINY, device="auto"), VECTOR, BUTTONS, 2, folder=tmp_path)
    assert next(pool.network.parameters()).device == torch.device("cpu")


def test_processes_in_step_are_the_cpus() -> None:
    others = SimpleNamespace(rank=1, size=2)
    settings = Settings("counter", {}, Delay(1), replace(TINY, device="auto"))
    assert _part(settings, others).learner.device == "cpu"  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="device=cuda: processes of torchrun learn on the CPU"):
        _part(replace(settings, learner=replace(TINY, device="cuda")),
              others)  # type: ignore[arg-type]


@CUDA
@pytest.mark.parametrize(("config", "spec"), [(TINY, VECTOR), (RAINBOW, VECTOR), (PICTURES, IMAGE)])
def test_a_gpu_learns_what_the_cpu_learns(
    config: DqnConfig, spec: ObservationSpec, tmp_path: Path
) -> None:
    ours = [taught(replace(config, device=device), spec) for device in ("cpu", "cuda")]
    losses = [[learner.update() for _ in range(3)] for learner in ours]
    assert losses[1] == pytest.approx(losses[0], rel=1e-2)
    there = ours[1]
    snapshot = Snapshot()
    there.save(snapshot, replay=True)
    following = there.update()
    for device in ("cpu", "cuda"):
        resumed = DqnLearner(replace(config, device=device), spec, BUTTONS)
        resumed.load(snapshot)
        assert resumed.update() == pytest.approx(following, rel=1e-2)
    export(there.network, there.metadata(1), tmp_path / "policy.onnx")
    fresh = DqnLearner(replace(config, seed=5), spec, BUTTONS)
    load_weights(fresh.network, tmp_path / "policy.onnx", fresh.metadata(0))
    assert torch.equal(next(fresh.network.parameters()), next(there.network.parameters()).cpu())
