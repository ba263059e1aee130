"""Policies whose weights are in other files, ours and those of strangers."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from policies.tiny_policies import BUTTONS, IMAGE, metadata, model

from realtime_rl.core.errors import PolicyError
from realtime_rl.policies import external_weights
from realtime_rl.policies.hot_swap import HotSwap
from realtime_rl.policies.onnx_policy import Loader, OnnxPolicy

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
    policy = OnnxPolicy.load(path, EXPECTED, sha256=hash_of(path), sessions=sessions)
    assert policy.version == 17
    assert [policy.infer(NEWEST, lane=lane).tolist() for lane in (0, 1)] == [[1.0, 3.0, 2.0]] * 2
    assert external_weights.read(path, "").sha256 == hash_of(path)


def test_one_file_is_hashed_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "one.onnx"
    path.write_bytes(model(IMAGE, 2, PICK).SerializeToString())
    read = external_weights.read(path, "")
    assert (read.source, read.weights) == (str(path), {})
    assert read.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


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
    with pytest.raises(PolicyError, match="'w' is 'bfloat16', which cannot be in another file"):
        OnnxPolicy.load(path, EXPECTED)


@given(st.integers(0, 40), st.integers(0, 40))
def test_a_reference_is_seen_wherever_it_stands(
    tmp_path_factory: pytest.TempPathFactory, before: int, after: int
) -> None:
    path = tmp_path_factory.mktemp("scan") / "file"
    path.write_bytes(b"\x0a" * ((1 << 20) - 20 + before) + external_weights._MARK + b"x" * after)
    assert external_weights._scan(path)[1]
    path.write_bytes(path.read_bytes().replace(b"location", b"locution"))
    assert not external_weights._scan(path)[1]
