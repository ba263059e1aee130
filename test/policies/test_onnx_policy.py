"""Loading, checking and running ONNX policies."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from policies.tiny_policies import BUTTONS, IMAGE, VECTOR, WHEELS, metadata, model

from realtime_rl.core.errors import PolicyError
from realtime_rl.core.observations import ObservationSpec
from realtime_rl.core.types import ActionSpace
from realtime_rl.policies.compute import Compute
from realtime_rl.policies.onnx_policy import OnnxPolicy
from realtime_rl.policies.policy_loader import Loader

Write = Callable[..., Path]

PICK = np.eye(8, 3, k=-4)
"""Output i is pixel i of the newest of two images."""
NEWEST = np.array([[[9, 9], [9, 9]], [[1, 3], [2, 0]]], np.uint8)


def test_a_policy_with_metadata_runs(write: Write) -> None:
    policy = OnnxPolicy.load(write(model(IMAGE, 2, PICK), metadata()), (IMAGE, BUTTONS))
    outputs = policy.infer(NEWEST)
    assert outputs.dtype == np.float32
    assert outputs.tolist() == [1.0, 3.0, 2.0]
    assert policy.act(outputs) == (1.0,)
    assert (policy.version, policy.epsilon, policy.stack) == (17, 0.25, 2)
    assert [(each.name, each.shape) for each in policy.fitted.inputs] == [("x", (2, 2, 2))]
    assert (policy.provider, policy.fallback, policy.warnings) == ("cpu", "", ())


def test_several_sessions_answer_alike(write: Write) -> None:
    path = write(model(IMAGE, 2, PICK), metadata())
    policy = OnnxPolicy.load(path, (IMAGE, BUTTONS), compute=Compute(sessions=3))
    assert len({id(session) for session in policy.backend._sessions}) == 3
    given = [policy.infer(NEWEST, worker=worker).tolist() for worker in range(7)]
    assert given == [[1.0, 3.0, 2.0]] * 7


def test_one_without_metadata_is_accepted_with_a_warning(write: Write) -> None:
    policy = OnnxPolicy.load(write(model(IMAGE, 2, PICK, batch="n")), (IMAGE, BUTTONS), stack=2)
    assert policy.metadata is None
    assert (policy.version, policy.epsilon, policy.stack) == (0, 0.0, 2)
    assert policy.warnings == (
        "no metadata: taken as a stack of 2 observations, with actions 'A B NOOP = NOOP'",)


def test_a_float_input_is_fed_unscaled_with_a_warning(write: Write) -> None:
    policy = OnnxPolicy.load(write(model(IMAGE, 2, PICK, TensorProto.FLOAT)), (IMAGE, BUTTONS),
                             stack=2)
    assert policy.infer(NEWEST).tolist() == [1.0, 3.0, 2.0]
    assert "fed unscaled, 0 … 255" in policy.warnings[1]


def test_continuous_actions_are_clipped_to_their_limits(write: Write) -> None:
    weights = np.array([[0.2, 0], [0, -4], [0, 0]])
    policy = OnnxPolicy.load(write(model(VECTOR, 1, weights)), (VECTOR, WHEELS))
    outputs = policy.infer(np.ones(3, np.float32))
    assert policy.act(outputs) == (pytest.approx(0.2), -1.0)


@pytest.mark.parametrize(("about", "expected", "message"), [
    ({"observation": ObservationSpec((1, 4, 1), "uint8", 0, 255)}, (IMAGE, BUTTONS),
     r"takes observations 'uint8\[1,4,1\] 0:255', the plant gives 'uint8\[1,2,2\] 0:255'"),
    ({"actions": ActionSpace(("A", "C", "NOOP"), (2.0,))}, (IMAGE, BUTTONS),
     "gives actions 'A C NOOP = NOOP', the plant takes 'A B NOOP = NOOP'"),
    ({"input_name": "pixels"}, (IMAGE, BUTTONS), "its input is 'x', its metadata say 'pixels'"),
    ({"stack": 3}, (IMAGE, BUTTONS), r"input has shape \[1, 2, 2, 2\].*need \[1, 3, 2, 2\]"),
    (None, (ObservationSpec((1, 4, 4), "uint8", 0, 255), BUTTONS), r"need \[1, 1, 4, 4\]$"),
    (None, (IMAGE, BUTTONS), r"has shape \[1, 2, 2, 2\], the plant's observations need "
     r"\[1, 1, 2, 2\], .* if that is a stack of 2 observations, set inference\.stack=2 "
     r"\(simulate: --stack 2\)"),
    (None, (ObservationSpec((2, 2, 2), "uint8", 0, 255), ActionSpace(("A", "NOOP"), (1.0,))),
     r"its output has shape \[1, 3\], the plant's actions need \[1, 2\]"),
    (None, (VECTOR, BUTTONS), r"'tensor\(uint8\)', the plant gives float32"),
])
def test_what_does_not_fit_the_plant_is_refused(
    write: Write, about: dict[str, Any] | None, expected: Any, message: str
) -> None:
    path = write(model(IMAGE, 2, PICK), metadata(**about) if about else None)
    with pytest.raises(PolicyError, match=message) as caught:
        OnnxPolicy.load(path, expected)
    assert str(path) in str(caught.value)


def test_channels_last_are_told_so(write: Write) -> None:
    wide = ObservationSpec((1, 2, 3), "uint8", 0, 255)
    path = write(model(ObservationSpec((2, 3, 4), "uint8", 0, 255), 1, np.ones((24, 3))))
    with pytest.raises(PolicyError, match=r"shape \[1, 2, 3, 4\], .* need \[1, 1, 2, 3\]: its "
                                          "channels are last; export it with channels first"):
        OnnxPolicy.load(path, (wide, BUTTONS))


def test_a_stack_is_what_metadata_or_a_parameter_say(write: Write) -> None:
    twice = write(model(VECTOR, 2, np.ones((6, 3))))
    with pytest.raises(PolicyError, match=r"\[1, 6\], .* need \[1, 3\], .* inference\.stack=2"):
        OnnxPolicy.load(twice, (VECTOR, BUTTONS))
    assert OnnxPolicy.load(twice, (VECTOR, BUTTONS), stack=2).stack == 2
    told = write(model(IMAGE, 2, PICK), metadata())
    assert OnnxPolicy.load(told, (IMAGE, BUTTONS), stack=2).stack == 2
    with pytest.raises(PolicyError, match="a stack of 2 observations, its metadata say; stack is "
                                          "set to 4: leave that out"):
        OnnxPolicy.load(told, (IMAGE, BUTTONS), stack=4)


def with_open_sizes(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Leave all sizes of inputs and outputs open, as exporters do."""
    for number, info in enumerate((*proto.graph.input, *proto.graph.output)):
        for axis, size in enumerate(info.type.tensor_type.shape.dim):
            size.dim_param = f"n{number}_{axis}"
    return proto


@pytest.mark.parametrize("outputs", [1, 2, 7])
def test_outputs_whose_number_is_left_open_are_counted(write: Write, outputs: int) -> None:
    proto = with_open_sizes(model(IMAGE, 1, np.ones((4, outputs))))
    proto.graph.initializer.append(numpy_helper.from_array(np.ones(outputs, bool), "kept"))
    proto.graph.node[-1].output[0] = "plain"  # whose size is known without running it
    proto.graph.node.append(helper.make_node("Compress", ["plain", "kept"], ["y"], axis=1))
    with pytest.raises(PolicyError, match=rf"gives outputs of shape \[1, {outputs}\], the plant's "
                                          r"actions need \[1, 3\]"):
        OnnxPolicy.load(write(proto), (IMAGE, BUTTONS))


def test_inputs_whose_number_is_left_open_are_tried(write: Write) -> None:
    path = write(with_open_sizes(model(IMAGE, 2, PICK)))
    with pytest.raises(PolicyError, match=r"cannot be run on observations of shape \[1, 1, 2, 2\]: "
                       ) as caught:
        OnnxPolicy.load(path, (IMAGE, BUTTONS))
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)
    assert OnnxPolicy.load(path, (IMAGE, BUTTONS), stack=2).infer(NEWEST).tolist() == [1, 3, 2]


def masked(proto: onnx.ModelProto, values: list[float]) -> onnx.ModelProto:
    """Add `values` to the outputs."""
    proto.graph.initializer.append(numpy_helper.from_array(np.array([values], np.float32), "mask"))
    proto.graph.node[-1].output[0] = "plain"
    proto.graph.node.append(helper.make_node("Add", ["plain", "mask"], ["y"]))
    return proto


def test_masked_choices_are_legal_and_never_taken(write: Write) -> None:
    policy = OnnxPolicy.load(write(masked(
        model(IMAGE, 1, np.zeros((4, 3))), [-np.inf, 1.0, -np.inf])), (IMAGE, BUTTONS))
    assert policy.act(policy.infer(np.zeros((1, 2, 2), np.uint8))) == (1.0,)


@pytest.mark.parametrize("values", [
    [-np.inf] * 3, [-np.inf, np.inf, 0.0], [-np.inf, np.nan, 0.0]])
def test_outputs_of_which_none_can_be_the_largest_are_refused(
    write: Write, values: list[float]
) -> None:
    with pytest.raises(PolicyError, match="gives non-finite outputs"):
        OnnxPolicy.load(write(masked(model(IMAGE, 1, np.zeros((4, 3))), values)), (IMAGE, BUTTONS))


def test_a_continuous_action_is_finite(write: Write) -> None:
    path = write(masked(model(VECTOR, 1, np.zeros((3, 2))), [-np.inf, 0.0]))
    with pytest.raises(PolicyError, match="gives non-finite outputs"):
        OnnxPolicy.load(path, (VECTOR, WHEELS))


def test_an_input_of_another_type_is_refused(write: Write) -> None:
    path = write(model(IMAGE, 2, PICK, TensorProto.INT8))
    with pytest.raises(PolicyError, match=r"'tensor\(int8\)', not one of"):
        OnnxPolicy.load(path, (IMAGE, BUTTONS))


@pytest.mark.parametrize("weight", [np.nan, np.inf, 1e38])
def test_non_finite_outputs_are_refused_on_loading(write: Write, weight: float) -> None:
    path = write(model(IMAGE, 1, np.full((4, 3), weight)))
    with pytest.raises(PolicyError, match="gives non-finite outputs"):
        OnnxPolicy.load(path, (IMAGE, BUTTONS))


def test_an_observation_of_another_shape_is_refused(write: Write) -> None:
    policy = OnnxPolicy.load(write(model(IMAGE, 2, PICK), metadata()), (IMAGE, BUTTONS))
    with pytest.raises(PolicyError, match=r"takes \(2, 2, 2\), not .* shape \(1, 2, 2\)"):
        policy.infer(NEWEST[:1])


def test_the_hash_is_checked(write: Write) -> None:
    path = write(model(IMAGE, 2, PICK), metadata())
    right = hashlib.sha256(path.read_bytes()).hexdigest()
    assert OnnxPolicy.load(path, (IMAGE, BUTTONS), sha256=right).version == 17
    with pytest.raises(PolicyError, match=f"SHA-256 is {right!r}, not the announced"):
        OnnxPolicy.load(path, (IMAGE, BUTTONS), sha256="0" * 64)


@pytest.mark.parametrize("content", [b"", b"not an onnx file at all"])
def test_a_corrupted_file_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(PolicyError, match="cannot be loaded") as caught:
        OnnxPolicy.load(path, (IMAGE, BUTTONS))
    assert "\n" not in str(caught.value)


def test_a_truncated_file_is_refused(write: Write) -> None:
    path = write(model(IMAGE, 2, PICK), metadata())
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(PolicyError):
        OnnxPolicy.load(path, (IMAGE, BUTTONS))


def test_a_host_without_the_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"this host cannot read it \(No such file"):
        Loader((IMAGE, BUTTONS))(f"file://{tmp_path}/policy-000001.onnx")


def test_an_unknown_provider_is_refused(write: Write) -> None:
    with pytest.raises(PolicyError, match="provider 'tpu' is not one of 'auto', 'cpu', 'cuda'"):
        OnnxPolicy.load(write(model(IMAGE, 2, PICK)), (IMAGE, BUTTONS), compute=Compute("tpu"))


@pytest.mark.parametrize("provider", ["cuda", "tensorrt"])
def test_falling_back_is_never_silent(write: Write, provider: str) -> None:
    policy = OnnxPolicy.load(write(model(IMAGE, 2, PICK), metadata()), (IMAGE, BUTTONS),
                             compute=Compute(provider))
    if policy.provider == provider:
        assert policy.fallback == ""
    else:
        assert policy.fallback.startswith(
            f"provider {provider!r} is not available here: {policy.provider!r} computes instead")


@pytest.mark.parametrize(("provider", "found"), [("auto", 1), ("cuda", 1), ("cpu", 0)])
def test_the_libraries_of_cuda_are_found_where_pip_installs_them(
    write: Write, monkeypatch: pytest.MonkeyPatch, provider: str, found: int
) -> None:
    calls: list[int] = []
    monkeypatch.setattr(onnxruntime, "get_available_providers",
                        lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"])
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: calls.append(1), raising=False)
    monkeypatch.setattr(onnxruntime, "InferenceSession", with_cpu(onnxruntime.InferenceSession))
    OnnxPolicy.load(write(model(IMAGE, 2, PICK), metadata()), (IMAGE, BUTTONS), Compute(provider))
    assert len(calls) == found


def with_cpu(session: Any) -> Any:
    """ONNX Runtime's own, for a machine without CUDA."""
    return lambda source, options, providers: session(
        source, options, providers=["CPUExecutionProvider"])


def test_threads_share_a_policy(write: Write) -> None:
    policy = OnnxPolicy.load(write(model(IMAGE, 2, PICK), metadata()), (IMAGE, BUTTONS))
    wrong: list[int] = []

    def work(value: int) -> None:
        image = np.full((2, 2, 2), value, np.uint8)
        for _ in range(200):
            if policy.infer(image).tolist() != [value] * 3:
                wrong.append(value)

    threads = [threading.Thread(target=work, args=(value,)) for value in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
