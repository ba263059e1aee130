"""What computes a policy: other weights in the same session, lanes, and what a GPU is asked for."""

from __future__ import annotations

import contextlib
import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper
from policies.tiny_policies import BUTTONS, IMAGE, VECTOR, metadata, model

from realtime_rl.core.errors import ConfigError, PolicyError
from realtime_rl.policies import external_weights, onnx_backend, providers, refitting
from realtime_rl.policies.compute import Compute
from realtime_rl.policies.lanes import DeviceLane, HostLane
from realtime_rl.policies.onnx_policy import OnnxPolicy
from realtime_rl.policies.policy_loader import Loader
from realtime_rl.policies.recorded_runs import Turns

Write = Callable[..., Path]
EXPECTED = (IMAGE, BUTTONS)
PICK = np.eye(8, 3, k=-4)
NEWEST = np.array([[[9, 9], [9, 9]], [[1, 3], [2, 0]]], np.uint8)
REFIT = Compute(refit=True)


def external(path: Path, weights: np.ndarray[Any, Any], version: int) -> Path:
    """Write a policy whose weights are in a file of their own."""
    proto = model(IMAGE, 2, weights)
    for key, value in metadata(version=version).to_props().items():
        proto.metadata_props.add(key=key, value=value)
    onnx.save_model(proto, str(path), save_as_external_data=True, size_threshold=0,
                    location=f"{path.name}.data")
    return path


def sessions_of(policy: OnnxPolicy) -> list[Any]:
    return policy.backend._sessions  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize("sessions", [1, 2])
@pytest.mark.parametrize("beside", [False, True])
def test_a_version_with_the_same_graph_takes_over_the_sessions(
    write: Write, tmp_path: Path, beside: bool, sessions: int
) -> None:
    def version(number: int) -> Path:
        return (external(tmp_path / f"{number}.onnx", number * PICK, number) if beside else write(
            model(IMAGE, 2, number * PICK), metadata(version=number), f"{number}.onnx"))

    compute = Compute(refit=True, sessions=sessions)
    one = OnnxPolicy.load(version(1), EXPECTED, compute)
    three = OnnxPolicy.load(version(3), EXPECTED, compute, before=one)
    assert sessions_of(three) == sessions_of(one)
    assert len(sessions_of(one)) == sessions
    assert (one.version, three.version) == (1, 3)
    for worker in (0, 1, 0):  # the one before may have inferences in flight
        assert one.infer(NEWEST, worker=worker).tolist() == [1.0, 3.0, 2.0]
        assert three.infer(NEWEST, worker=worker).tolist() == [3.0, 9.0, 6.0]
    anew = OnnxPolicy.load(version(3), EXPECTED)
    assert anew.infer(NEWEST).tolist() == three.infer(NEWEST).tolist()
    assert OnnxPolicy.load(version(3), EXPECTED, before=one).infer(NEWEST)[0] == 3.0


def test_weights_that_are_not_finite_are_refused_all_the_same(write: Write) -> None:
    one = OnnxPolicy.load(write(model(IMAGE, 2, PICK), metadata()), EXPECTED, REFIT)
    bad = PICK.copy()
    bad[5, 1] = np.nan
    with pytest.raises(PolicyError, match="non-finite"):
        OnnxPolicy.load(write(model(IMAGE, 2, bad), metadata(), "bad.onnx"), EXPECTED, REFIT,
                        before=one)
    assert one.infer(NEWEST).tolist() == [1.0, 3.0, 2.0]


@pytest.mark.parametrize("change", ["node", "scalar", "shape"])
def test_another_graph_is_built_anew(write: Write, change: str) -> None:
    def policy(scale: float, *, other: bool) -> onnx.ModelProto:
        proto = model(IMAGE, 2, PICK)
        proto.graph.node[-1].output[0] = "m"
        proto.graph.node.append(helper.make_node("Mul", ["m", "scale"], ["y"]))
        proto.graph.initializer.append(onnx.numpy_helper.from_array(np.float32(scale), "scale"))
        if other:
            proto.graph.node.append(helper.make_node("Identity", ["y"], ["unused"]))
        return proto

    first = write(policy(1.0, other=False), metadata())
    other = write(policy(2.0 if change == "scalar" else 1.0, other=change == "node"), metadata(),
                  "other.onnx")
    if change == "shape":
        other = write(model(IMAGE, 2, PICK), metadata(), "other.onnx")
    one = OnnxPolicy.load(first, EXPECTED, REFIT)
    two = OnnxPolicy.load(other, EXPECTED, REFIT, before=one)
    assert sessions_of(two) != sessions_of(one)
    assert two.infer(NEWEST)[0] == (2.0 if change == "scalar" else 1.0)


def test_an_operator_that_has_to_know_its_weights_is_told(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = onnxruntime.InferenceSession

    def knowing(source: Any, *arguments: Any, **more: Any) -> Any:
        if isinstance(source, bytes):
            raise RuntimeError("'w' must be a constant initializer")
        return made(source, *arguments, **more)

    monkeypatch.setattr(onnxruntime, "InferenceSession", knowing)
    one = OnnxPolicy.load(write(model(IMAGE, 2, PICK), metadata()), EXPECTED, REFIT)
    assert one.fallback.startswith("a new version is built anew, as this graph does not take ")
    assert "'w' must be a constant initializer" in one.fallback
    assert sessions_of(OnnxPolicy.load(write(model(IMAGE, 2, PICK), metadata()), EXPECTED, REFIT,
                                       before=one)) != sessions_of(one)


def test_the_loader_hands_the_policy_in_use_on(write: Write) -> None:
    used: list[OnnxPolicy] = []
    load = Loader(EXPECTED, REFIT, in_use=lambda: used[-1] if used else None)
    for number in (1, 2):
        used.append(load(write(model(IMAGE, 2, number * PICK), metadata(version=number),
                               f"{number}.onnx").as_uri()))
    assert sessions_of(used[0]) == sessions_of(used[1])
    assert used[1].infer(NEWEST)[0] == 2.0


def test_only_the_weights_values_and_the_metadata_do_not_count(write: Write) -> None:
    def lifted(number: float, version: int) -> refitting.Lifted:
        path = write(model(IMAGE, 2, number * PICK), metadata(version=version))
        read = external_weights.read(path, "")
        try:
            return refitting.lift(read)
        finally:
            read.close()

    one, other = lifted(1.0, 1), lifted(2.0, 2)
    assert one.digest == other.digest
    assert one.props != other.props
    assert one.weights["w"].tolist() != other.weights["w"].tolist()
    assert one.model.sha256 != other.model.sha256


def lanes_of(path: Path, *, fixed: bool) -> tuple[HostLane, DeviceLane]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return HostLane(session, {}), DeviceLane(session, "cpu", {}, turns=Turns() if fixed else None)


@pytest.mark.parametrize("fixed", [False, True])
def test_buffers_on_a_device_give_what_the_host_gives(write: Write, fixed: bool) -> None:
    """The device is the host's own memory here: what is tested is who copies what, and where."""
    host, device = lanes_of(write(model(VECTOR, 1, np.eye(3), batch="n")), fixed=fixed)
    before: list[list[float]] = []
    kept = []
    for number in range(4):
        feed = {"x": np.full((1, 3), number, np.float32)}
        found = device.run(["y"], feed, None)[0]
        kept.append(found)
        before.append(host.run(["y"], feed, None)[0].tolist())
        assert [each.tolist() for each in kept] == before  # earlier answers stay what they were
    if not fixed:
        for size in (3, 1, 2, 3):
            feed = {"x": np.arange(3 * size, dtype=np.float32).reshape(size, 3)}
            assert np.array_equal(device.run(["y"], feed, None)[0],
                                  host.run(["y"], feed, None)[0])


def test_weights_on_a_device_are_bound_once(write: Write) -> None:
    read = external_weights.read(write(model(VECTOR, 1, 2 * np.eye(3))), "")
    lifted = refitting.lift(read)
    read.close()
    session = onnxruntime.InferenceSession(lifted.model.source,
                                           providers=["CPUExecutionProvider"])
    there = {name: onnxruntime.OrtValue.ortvalue_from_numpy(value)
             for name, value in lifted.weights.items()}
    lane = DeviceLane(session, "cpu", there)
    for number in (1, 2):
        feed = {"x": np.full((1, 3), number, np.float32)}
        assert lane.run(["y"], feed, None)[0].tolist() == [[2.0 * number] * 3]


class Watched(Turns):
    """Says who had which turn."""

    def __init__(self) -> None:
        super().__init__()
        self.had: list[str] = []

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        with super().together():
            self.had.append(f"{threading.current_thread().name} together")
            yield

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        with super().alone():
            self.had.append(f"{threading.current_thread().name} alone")
            yield


def test_each_threads_first_run_is_recorded_with_nobody_beside(write: Write) -> None:
    session = onnxruntime.InferenceSession(str(write(model(VECTOR, 1, np.eye(3)))),
                                           providers=["CPUExecutionProvider"])
    turns = Watched()
    lane = DeviceLane(session, "cpu", {}, turns=turns)

    def run_twice() -> None:
        for _ in range(2):
            lane.run(["y"], {"x": np.zeros((1, 3), np.float32)}, None)

    for name in ("loads", "computes"):
        thread = threading.Thread(target=run_twice, name=name)
        thread.start()
        thread.join()
    assert turns.had == ["loads alone", "loads together", "computes alone", "computes together"]


def test_sessions_of_recorded_runs_begin_and_end_while_nothing_is_recorded(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns, ended = Watched(), list[str]()
    monkeypatch.setattr(onnx_backend, "TURNS", turns)
    path = write(model(IMAGE, 2, PICK), metadata())
    graph = Compute("cuda", cuda_graph=True)  # that is not there: the CPU computes, in turns
    policy = OnnxPolicy.load(path, EXPECTED, graph)
    weakref.finalize(sessions_of(policy)[0], lambda: ended.append(turns.had[-1]))
    turns.had.clear()
    del policy
    gc.collect()
    assert not ended
    OnnxPolicy.load(path, EXPECTED, graph)
    assert ended == [f"{threading.current_thread().name} together"]


def test_a_gpu_is_asked_for_what_is_set() -> None:
    cuda, tensorrt, cpu = (providers._NAMES[name] for name in ("cuda", "tensorrt", "cpu"))
    graph = Compute("cuda", cuda_graph=True)
    assert providers.options(cuda, graph, "k") == {"enable_cuda_graph": "1"}
    assert providers.options(cpu, graph, "k") == {}
    asked = Compute("tensorrt", tensorrt_cache="/cache", tensorrt_fp16=True, cuda_graph=True)
    assert providers.options(tensorrt, asked, "abc") == {
        "trt_cuda_graph_enable": "1", "trt_fp16_enable": "1", "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": "/cache/abc", "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": "/cache"}
    assert providers.options(tensorrt, Compute("tensorrt"), "abc") == {}


def test_what_tensorrt_compiled_is_never_taken_for_other_weights(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys: list[str] = []
    monkeypatch.setattr(providers, "options", lambda long, compute, key: keys.append(key) or {})
    for number in (1, 2):
        for compute in (Compute(), REFIT):
            OnnxPolicy.load(write(model(IMAGE, 2, number * PICK), metadata()), EXPECTED, compute)
    assert keys[0] != keys[2]
    assert keys[1] == keys[3]  # where weights are inputs, what was compiled is for all


@pytest.mark.parametrize(("asked", "message"), [
    ({"provider": "cuda", "tensorrt_fp16": True}, "tensorrt_fp16: True is TensorRT's"),
    ({"tensorrt_cache": "/x"}, "tensorrt_cache: '/x' is TensorRT's"),
    ({"cuda_graph": True}, "cuda_graph: provider 'auto' may have none"),
    ({"provider": "cuda", "cuda_graph": True, "refit": True}, "does not go with refit=True"),
    ({"provider": "cuda", "cuda_graph": True, "batch": 2}, "does not go with batch=2"),
])
def test_what_does_not_go_together_is_refused(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Compute(**asked)
