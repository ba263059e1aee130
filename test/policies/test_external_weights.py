"""Policies whose weights are in other files, ours and those of strangers."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from policies.tiny_policies import BUTTONS, IMAGE, metadata, model

from realtime_rl.core.errors import PolicyError
from realtime_rl.policies import external_weights
from realtime_rl.policies.compute import Compute
from realtime_rl.policies.hot_swap import HotSwap
from realtime_rl.policies.onnx_policy import OnnxPolicy
from realtime_rl.policies.policy_loader import Loader

PICK = np.eye(8, 3, k=-4)
NEWEST = np.array([[[9, 9], [9, 9]], [[1, 3], [2, 0]]], np.uint8)
EXPECTED = (IMAGE, BUTTONS)


def split(folder: Path, name: str = "policy", weights: np.ndarray = PICK,
          location: str = "") -> Path:
    """Write a policy as two files, with onnx itself."""
    proto = model(IMAGE, 2, weights)
    for key, value in metadata().to_props().items():
        proto.metadata_props.add(key=key, value=value)
    path = folder / f"{name}.onnx"
    onnx.save_model(proto, str(path), save_as_external_data=True, size_threshold=0,
                    location=location or f"{name}.onnx.data")
    return path


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes() + data_of(path).read_bytes()).hexdigest()


def data_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.data")


@pytest.mark.parametrize("sessions", [1, 2])
def test_two_files_are_one_policy(tmp_path: Path, sessions: int) -> None:
    path = split(tmp_path)
    policy = OnnxPolicy.load(path, EXPECTED, Compute(sessions=sessions), hash_of(path))
    assert policy.version == 17
    assert [policy.infer(NEWEST, worker=each).tolist() for each in (0, 1)] == [[1.0, 3.0, 2.0]] * 2
    assert external_weights.sha256_of(path) == hash_of(path)


def test_one_file_is_hashed_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "one.onnx"
    path.write_bytes(model(IMAGE, 2, PICK).SerializeToString())
    read = external_weights.read(path, "")
    assert read.weights == {}
    assert read.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert isinstance(read.source, str)
    assert Path(read.source).read_bytes() == path.read_bytes()
    read.close()
    assert not Path(read.source).exists()


@pytest.mark.parametrize("which", ["graph", "weights"])
def test_one_hash_covers_both_files(tmp_path: Path, which: str) -> None:
    path = split(tmp_path)
    announced = hash_of(path)
    altered = path if which == "graph" else data_of(path)
    content = bytearray(altered.read_bytes())
    content[-1] ^= 1
    altered.write_bytes(content)
    with pytest.raises(PolicyError, match="not the announced") as caught:
        OnnxPolicy.load(path, EXPECTED, sha256=announced)
    assert "\n" not in str(caught.value)


def test_a_policy_that_is_in_use_does_not_follow_its_files(tmp_path: Path) -> None:
    path = split(tmp_path)
    policy = OnnxPolicy.load(path, EXPECTED)
    data_of(path).write_bytes(b"\xff" * 96)
    assert policy.infer(NEWEST).tolist() == [1.0, 3.0, 2.0]
    os.truncate(data_of(path), 0)
    assert policy.infer(NEWEST).tolist() == [1.0, 3.0, 2.0]


@pytest.mark.parametrize("announced", [True, False])
def test_weights_that_are_cut_off_leave_the_policy_before(tmp_path: Path, announced: bool) -> None:
    good, bad = split(tmp_path, "good"), split(tmp_path, "bad", 2 * PICK)
    sha256 = f"#sha256={hash_of(bad)}" if announced else ""
    os.truncate(data_of(bad), 50)
    failures: list[str] = []
    swap = HotSwap(Loader(EXPECTED), lambda: 0,
                   on_failure=lambda uri, error: failures.append(error))
    try:
        for uri in (good.as_uri(), bad.as_uri() + sha256):
            swap.request(uri, 0)
            assert swap.wait_idle(30)
        assert swap.current is not None
        assert swap.current.uri == good.as_uri()
    finally:
        swap.close()
    assert len(failures) == 1
    assert "its weights are cut off: 'w' ends at byte 96 of a file of 50" in failures[0]
    assert "\n" not in failures[0]


def test_an_older_version_comes_back_when_it_is_announced_again(tmp_path: Path) -> None:
    uris = [split(tmp_path, str(scale), scale * PICK).as_uri() for scale in (1, 2)]
    swap = HotSwap(Loader(EXPECTED), lambda: 0)
    found = []
    try:
        for uri in (*uris, uris[0]):
            swap.request(uri, 0)
            assert swap.wait_idle(30)
            assert swap.current is not None
            found.append(swap.current.policy.infer(NEWEST)[0])
    finally:
        swap.close()
    assert found == [1.0, 2.0, 1.0]


def test_a_host_without_the_weights_says_which(tmp_path: Path) -> None:
    path = split(tmp_path)
    data_of(path).unlink()
    with pytest.raises(PolicyError, match=r"policy\.onnx\.data': this host cannot read it"):
        OnnxPolicy.load(path, EXPECTED)


@pytest.mark.parametrize("location", ["../x.data", "/x.data", "a/../../x.data"])
def test_weights_elsewhere_are_refused(tmp_path: Path, location: str) -> None:
    path = split(tmp_path)
    proto = onnx.load(str(path), load_external_data=False)
    proto.graph.initializer[0].external_data[0].value = location
    path.write_bytes(proto.SerializeToString())
    with pytest.raises(PolicyError, match="outside its folder; put them beside it"):
        OnnxPolicy.load(path, EXPECTED)


def test_a_kind_of_weight_that_cannot_be_handed_over_is_refused(tmp_path: Path) -> None:
    path = split(tmp_path)
    proto = onnx.load(str(path), load_external_data=False)
    proto.graph.initializer[0].data_type = onnx.TensorProto.BFLOAT16
    path.write_bytes(proto.SerializeToString())
    with pytest.raises(PolicyError, match="bfloat16"):  # by us, or by ONNX Runtime
        OnnxPolicy.load(path, EXPECTED)


def test_what_was_hashed_is_what_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is exchanged after it was hashed, before ONNX Runtime would have opened it."""
    path, other = tmp_path / "one.onnx", tmp_path / "other.onnx"
    for scale, each in ((1, path), (2, other)):
        proto = model(IMAGE, 2, scale * PICK)
        for key, value in metadata().to_props().items():
            proto.metadata_props.add(key=key, value=value)
        each.write_bytes(proto.SerializeToString())
    read = external_weights.read

    def exchange(*arguments: object) -> external_weights.Model:
        found = read(*arguments)
        path.write_bytes(other.read_bytes())
        return found

    monkeypatch.setattr(external_weights, "read", exchange)
    wanted = hashlib.sha256(path.read_bytes()).hexdigest()
    assert OnnxPolicy.load(path, EXPECTED, sha256=wanted).infer(NEWEST).tolist() == [1.0, 3.0, 2.0]


W = numpy_helper.from_array(PICK.astype(np.float32), "w")


def branching() -> onnx.ModelProto:
    """Weights in both branches of an If."""
    def branch(name: str) -> onnx.GraphProto:
        return helper.make_graph(
            [helper.make_node("MatMul", ["v", f"w_{name}"], [f"y_{name}"])], name, [],
            [helper.make_tensor_value_info(f"y_{name}", TensorProto.FLOAT, [1, 3])],
            [numpy_helper.from_array(PICK.astype(np.float32), f"w_{name}")])

    return whole([helper.make_node("ReduceMax", ["v"], ["m"], keepdims=0),
                  helper.make_node("Greater", ["m", "zero"], ["is"]),
                  helper.make_node("If", ["is"], ["y"], then_branch=branch("then"),
                                   else_branch=branch("else"))],
                 [numpy_helper.from_array(np.float32(0), "zero")])


def constant() -> onnx.ModelProto:
    """Weights in a Constant node."""
    return whole([helper.make_node("Constant", [], ["w"], value=W),
                  helper.make_node("MatMul", ["v", "w"], ["y"])])


def looping() -> onnx.ModelProto:
    """Weights in the body of a Loop that runs once."""
    body = helper.make_graph(
        [helper.make_node("MatMul", ["v", "w"], ["out"]),
         helper.make_node("Identity", ["go"], ["on"])], "body",
        [helper.make_tensor_value_info("i", TensorProto.INT64, []),
         helper.make_tensor_value_info("go", TensorProto.BOOL, []),
         helper.make_tensor_value_info("in", TensorProto.FLOAT, [1, 3])],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, []),
         helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 3])], [W])
    return whole([helper.make_node("Loop", ["one", "yes", "start"], ["y"], body=body)],
                 [numpy_helper.from_array(np.int64(1), "one"),
                  numpy_helper.from_array(np.array(True), "yes"),
                  numpy_helper.from_array(np.zeros((1, 3), np.float32), "start")])


def in_a_function() -> onnx.ModelProto:
    """Weights in a function of the model."""
    proto = whole([helper.make_node("Layer", ["v"], ["y"], domain="ours")])
    proto.opset_import.append(helper.make_opsetid("ours", 1))
    proto.functions.append(helper.make_function(
        "ours", "Layer", ["a"], ["b"],
        [helper.make_node("Constant", [], ["w"], value=W),
         helper.make_node("MatMul", ["a", "w"], ["b"])], [helper.make_opsetid("", 17)]))
    return proto


def whole(nodes: list[onnx.NodeProto], held: list[TensorProto] | None = None) -> onnx.ModelProto:
    proto = model(IMAGE, 2, PICK)
    proto.graph.node.pop()  # its MatMul
    proto.graph.node.extend(nodes)
    del proto.graph.initializer[:]
    proto.graph.initializer.extend(held or [])
    return proto


def put_outside(proto: onnx.ModelProto, path: Path, order: tuple[str, ...]) -> None:
    """Write every weight of `proto` to a file beside it, wherever in the model it is."""
    data = bytearray(b"....")
    for tensor, _ in external_weights._below(proto, "TensorProto", ()):
        if len(tensor.raw_data) < 8:
            continue
        said = {"location": data_of(path).name, "offset": str(len(data)),
                "length": str(len(tensor.raw_data))}
        data += tensor.raw_data + b"...."
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key in order:
            tensor.external_data.add(key=key, value=said[key])
    for key, value in metadata().to_props().items():
        proto.metadata_props.add(key=key, value=value)
    path.write_bytes(proto.SerializeToString())
    data_of(path).write_bytes(data)


@pytest.mark.parametrize("order", [("location", "offset", "length"), ("length", "offset",
                                                                      "location")])
@pytest.mark.parametrize("make", [branching, constant, looping, in_a_function])
def test_weights_are_found_wherever_a_model_has_them(
    tmp_path: Path, make: Callable[[], onnx.ModelProto], order: tuple[str, ...]
) -> None:
    path = tmp_path / "policy.onnx"
    put_outside(make(), path, order)
    policy = OnnxPolicy.load(path, EXPECTED, sha256=hash_of(path))
    assert policy.infer(NEWEST).tolist() == [1.0, 3.0, 2.0]
    content = bytearray(data_of(path).read_bytes())
    content[-1] ^= 1
    data_of(path).write_bytes(content)
    with pytest.raises(PolicyError, match="not the announced"):
        OnnxPolicy.load(path, EXPECTED, sha256=hashlib.sha256(
            path.read_bytes() + bytes(content[:-1]) + b".").hexdigest())


def test_a_reference_that_hides_its_key_is_found(tmp_path: Path) -> None:
    """`value` before `key`: the same to protobuf."""
    path = split(tmp_path)
    content = path.read_bytes()
    name = data_of(path).name.encode()
    key, value = b"\x0a\x08location", b"\x12" + bytes([len(name)]) + name
    assert key + value in content
    path.write_bytes(content.replace(key + value, value + key))
    assert onnx.load(str(path)).graph.initializer[0].name == "w"  # it is legal
    policy = OnnxPolicy.load(path, EXPECTED, sha256=hash_of(path))
    assert policy.infer(NEWEST).tolist() == [1.0, 3.0, 2.0]


@pytest.mark.parametrize(("key", "value", "message"), [
    ("offset", "-4", "weight 'w' of shape [8, 3] cannot be '96' bytes from byte '-4' on"),
    ("offset", "x", "weight 'w' of shape [8, 3] cannot be '96' bytes from byte 'x' on"),
    ("offset", "9" * 30, "cannot be '96' bytes from byte '999"),
    ("offset", "1" + "0" * 18, "its weights are cut off: 'w' ends at byte 1,000,000,000,000,000,0"),
    ("length", "-1", "weight 'w' of shape [8, 3] cannot be '-1' bytes from byte '0' on"),
    ("length", "95", "weight 'w' of shape [8, 3] cannot be '95' bytes from byte '0' on"),
    ("location", "", "keeps weights in '', outside its folder"),
    ("location", "a\0b", "keeps weights in 'a\\x00b', outside its folder")])
def test_a_place_that_cannot_be_is_one_line(
    tmp_path: Path, key: str, value: str, message: str
) -> None:
    path = split(tmp_path)
    proto = onnx.load(str(path), load_external_data=False)
    weight = proto.graph.initializer[0]
    said = {"offset": "0", **{each.key: each.value for each in weight.external_data}, key: value}
    del weight.external_data[:]
    for each, text in said.items():
        weight.external_data.add(key=each, value=text)
    path.write_bytes(proto.SerializeToString())
    with pytest.raises(PolicyError) as caught:
        OnnxPolicy.load(path, EXPECTED)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dims", [[-8, 3], [8, -3], [-8, -3], [2**62, 2**62]])
def test_a_shape_that_cannot_be_is_one_line(tmp_path: Path, dims: list[int]) -> None:
    path = split(tmp_path)
    proto = onnx.load(str(path), load_external_data=False)
    proto.graph.initializer[0].ClearField("dims")
    proto.graph.initializer[0].dims.extend(dims)
    path.write_bytes(proto.SerializeToString())
    with pytest.raises(PolicyError, match=r"weight 'w' of shape \[.*\] cannot be '96' bytes"):
        OnnxPolicy.load(path, EXPECTED)


@pytest.mark.parametrize("used", [False, True])
@pytest.mark.parametrize("dims", [[0, 3], [2, 3]])
def test_a_weight_without_values_or_use_is_legal(tmp_path: Path, dims: list[int], used: bool
                                                 ) -> None:
    path = split(tmp_path)
    proto = onnx.load(str(path), load_external_data=False)
    other = proto.graph.initializer.add(name="other", data_type=TensorProto.FLOAT, dims=dims)
    other.data_location = TensorProto.EXTERNAL
    other.external_data.add(key="location", value=data_of(path).name)
    other.external_data.add(key="offset", value="72" if dims[0] else "96")
    if used:
        proto.graph.node.append(helper.make_node("Identity", ["other"], ["unseen"]))
    path.write_bytes(proto.SerializeToString())
    assert OnnxPolicy.load(path, EXPECTED).infer(NEWEST).tolist() == [1.0, 3.0, 2.0]


def test_a_type_that_nobody_knows_is_one_line(tmp_path: Path) -> None:
    path = split(tmp_path)
    proto = onnx.load(str(path), load_external_data=False)
    proto.graph.initializer[0].data_type = 99
    path.write_bytes(proto.SerializeToString())
    with pytest.raises(PolicyError, match="cannot be") as caught:
        OnnxPolicy.load(path, EXPECTED)
    assert "\n" not in str(caught.value)
