"""Which files are read at all: regular ones, where they may be, as many bytes as there is room for.

A device or a pipe must not even be opened: /dev/zero never ends, a pipe waits for its writer, and
opening a watchdog's device starts it. Every case here would hang if it were.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from policies.tiny_policies import BUTTONS, IMAGE, metadata, model

from realtime_rl import free_memory
from realtime_rl.core.errors import PolicyError
from realtime_rl.core.messages.policy_uri import PolicyUri
from realtime_rl.policies import external_weights
from realtime_rl.policies.compute import Compute
from realtime_rl.policies.onnx_policy import OnnxPolicy
from realtime_rl.policies.policy_files import Limits, PolicyFiles, chunks
from realtime_rl.policies.policy_loader import Loader

EXPECTED = (IMAGE, BUTTONS)
PICK = np.eye(8, 3, k=-4)


def written(folder: Path, name: str = "policy.onnx") -> Path:
    folder.mkdir(exist_ok=True)
    proto = model(IMAGE, 2, PICK)
    for key, value in metadata().to_props().items():
        proto.metadata_props.add(key=key, value=value)
    path = folder / name
    path.write_bytes(proto.SerializeToString())
    return path


def announced(path: Path) -> str:
    return str(PolicyUri(path, external_weights.sha256_of(path)))


def special(folder: Path, kind: str) -> Path:
    path = folder / "special.onnx"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link to a pipe":
        os.mkfifo(folder / "pipe")
        path.symlink_to(folder / "pipe")
    elif kind == "link to a device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        return Path(kind)
    return path


KINDS = ["pipe", "link to a pipe", "link to a device", "folder", "/dev/zero", "/dev/null"]


@pytest.mark.parametrize("kind", KINDS)
def test_only_regular_files_are_read(tmp_path: Path, kind: str) -> None:
    path = special(tmp_path, kind)
    with pytest.raises(PolicyError, match=f"policy {str(path)!r} is not a regular file"):
        OnnxPolicy.load(path, EXPECTED)


@pytest.mark.parametrize("kind", KINDS[:4])
def test_so_are_only_regular_weights(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "policy.onnx"
    onnx.save_model(model(IMAGE, 1, PICK[4:]), str(path), save_as_external_data=True,
                    size_threshold=0, location="special.onnx")
    (tmp_path / "special.onnx").unlink()
    special(tmp_path, kind)
    with pytest.raises(PolicyError, match=r"special\.onnx' is not a regular file"):
        OnnxPolicy.load(path, EXPECTED)


def test_one_that_becomes_a_pipe_meanwhile_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the opening somebody may put another file there."""
    path = written(tmp_path)
    status = path.lstat()
    path.unlink()
    os.mkfifo(path)
    monkeypatch.setattr(Path, "lstat", lambda self: status)
    with pytest.raises(PolicyError, match="is not a regular file"):
        PolicyFiles(path, Limits()).open(path)


def test_what_anybody_announces_is_taken_from_one_folder(tmp_path: Path) -> None:
    load = Loader(EXPECTED, limits=Limits(tmp_path / "root"), own="")
    inside, outside = written(tmp_path / "root"), written(tmp_path / "elsewhere")
    assert load(announced(inside)).version == 17
    with pytest.raises(PolicyError, match="from where policies are taken: put it there, or "
                                          "set policy_root"):
        load(announced(outside))
    with pytest.raises(PolicyError, match="from where policies are taken"):
        load(announced(tmp_path / "root" / ".." / "elsewhere" / "policy.onnx"))
    beside = written(tmp_path / "root-too")  # its name begins alike
    with pytest.raises(PolicyError, match="from where policies are taken"):
        load(announced(beside))


def test_a_link_out_of_the_folder_is_refused_and_one_within_followed(tmp_path: Path) -> None:
    load = Loader(EXPECTED, limits=Limits(tmp_path / "link to root"), own="")
    inside, outside = written(tmp_path / "root"), written(tmp_path / "elsewhere")
    (tmp_path / "link to root").symlink_to(tmp_path / "root")
    (tmp_path / "root" / "newest.onnx").symlink_to("policy.onnx")
    (tmp_path / "root" / "out.onnx").symlink_to(outside)
    (tmp_path / "root" / "folder").symlink_to(tmp_path / "elsewhere")
    assert load(announced(inside)).version == 17
    assert load(announced(tmp_path / "root" / "newest.onnx")).version == 17
    for name in ("out.onnx", "folder/policy.onnx"):
        with pytest.raises(PolicyError, match="from where policies are taken"):
            load(announced(tmp_path / "root" / name))


def test_weights_may_not_be_linked_out_of_the_folder_either(tmp_path: Path) -> None:
    path = tmp_path / "root" / "policy.onnx"
    path.parent.mkdir()
    onnx.save_model(model(IMAGE, 1, PICK[4:]), str(path), save_as_external_data=True,
                    size_threshold=0, location="w.data")
    (path.parent / "w.data").rename(tmp_path / "w.data")
    (path.parent / "w.data").symlink_to(tmp_path / "w.data")
    uri = announced(path)
    assert Loader(EXPECTED)(uri).version == 0  # a person's own may be anywhere
    with pytest.raises(PolicyError, match=r"w\.data' is not in .*from where policies are taken"):
        Loader(EXPECTED, limits=Limits(path.parent), own="")(uri)


def test_what_anybody_announces_needs_its_hash_and_ones_own_does_not(tmp_path: Path) -> None:
    own, other = written(tmp_path / "mine"), written(tmp_path / "root")
    load = Loader(EXPECTED, limits=Limits(tmp_path / "root"), own=own.as_uri())
    assert load(own.as_uri()).version == 17
    with pytest.raises(PolicyError, match=r"has no hash; announce it with '#sha256=…'"):
        load(other.as_uri())
    assert load(announced(other)).version == 17


def test_without_a_folder_nothing_that_is_announced_is_taken(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="no policies are taken, as there is no policy_root"):
        Loader(EXPECTED, own="")(announced(written(tmp_path)))


def test_more_bytes_than_allowed_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "policy.onnx"
    onnx.save_model(model(IMAGE, 1, PICK[4:]), str(path), save_as_external_data=True,
                    size_threshold=0, location="w.data")
    size = path.stat().st_size + (path.parent / "w.data").stat().st_size
    external_weights.read(path, "", Limits(size_bytes=size)).close()
    with pytest.raises(PolicyError, match=f"has {size:,} bytes, more than {size - 1:,}: "
                                          "raise policy_size_limit"):
        external_weights.read(path, "", Limits(size_bytes=size - 1))


@pytest.mark.parametrize(("sessions", "needed"), [(1, 2.25), (3, 4.75)])
def test_one_that_does_not_fit_the_memory_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sessions: int, needed: float
) -> None:
    path = written(tmp_path)
    with path.open("r+b") as file:
        file.truncate(10**9)  # a file with a hole, which takes nothing of the disk
    monkeypatch.setattr(free_memory, "available_bytes", lambda: 10**9)
    with pytest.raises(PolicyError, match=rf"does not fit: loading it into {sessions} session\(s\) "
                                          rf"takes {needed:.2f} GB, 1.00 GB are free"):
        OnnxPolicy.load(path, EXPECTED, compute=Compute(sessions=sessions))


def test_where_the_system_does_not_tell_what_is_free_nothing_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(free_memory, "available_bytes", lambda: None)
    assert OnnxPolicy.load(written(tmp_path), EXPECTED).version == 17


def test_a_file_that_grows_while_it_is_read_has_the_size_it_had(tmp_path: Path) -> None:
    path = written(tmp_path)
    size = path.stat().st_size
    file, found = PolicyFiles(path, Limits()).open(path)
    with file, path.open("ab") as more:
        more.write(b"x" * 100)
        more.flush()
        assert found == size
        assert sum(map(len, chunks(file, size))) == size
