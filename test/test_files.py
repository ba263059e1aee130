from __future__ import annotations

import fcntl
import hashlib
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from realtime_rl.files import (
    make_parents,
    remove_stale,
    reserve,
    sha256_of,
    user_path,
    write_atomically,
    write_out,
)


def test_writes_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "weights.onnx"
    write_atomically(path, b"one")
    write_atomically(path, b"two, longer")
    assert path.read_bytes() == b"two, longer"
    assert os.listdir(tmp_path) == ["weights.onnx"]


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    write_atomically(tmp_path / "ours", b"x")
    (tmp_path / "plain").write_bytes(b"x")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("ours", "plain")]
    assert modes[0] == modes[1]


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file_and_nothing_else(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    path = tmp_path / "weights.onnx"
    write_atomically(path, b"old")

    def fail(*unused: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((os, "fsync", fail) if failing == "fsync" else (Path, "replace", fail)))
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["weights.onnx"]


def test_an_absent_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "absent" / "file", b"x")


def test_a_relative_path_goes_to_the_working_directory(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_atomically(Path("file"), b"x")
    assert (tmp_path / "file").read_bytes() == b"x"


def leftover(folder: Path, *, age_s: float = 0.0) -> Path:
    path = folder / ".0123456789abcdef.tmp"
    path.write_bytes(b"half")
    then = time.time() - age_s
    os.utime(path, (then, then))
    return path


def test_what_a_dead_writer_left_is_removed_by_the_next(tmp_path: Path) -> None:
    left, fresh = leftover(tmp_path, age_s=3600.0), tmp_path / ".fedcba9876543210.tmp"
    fresh.write_bytes(b"somebody without locks is at it")
    (tmp_path / ".mine.tmp").write_bytes(b"not ours")
    write_atomically(tmp_path / "file", b"x")
    assert not left.exists()
    assert sorted(os.listdir(tmp_path)) == [fresh.name, ".mine.tmp", "file"]
    remove_stale(tmp_path, older_s=0.0)
    assert sorted(os.listdir(tmp_path)) == [".mine.tmp", "file"]


def test_what_a_living_writer_holds_stays(tmp_path: Path) -> None:
    left = leftover(tmp_path, age_s=3600.0)
    with left.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        remove_stale(tmp_path, older_s=0.0)
    assert left.exists()
    remove_stale(tmp_path, older_s=0.0)
    assert not left.exists()


def test_a_write_under_way_is_not_stale_to_others(tmp_path: Path,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    fsync = os.fsync

    def clean_meanwhile(handle: int) -> None:
        remove_stale(tmp_path, older_s=0.0)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", clean_meanwhile)
    write_atomically(tmp_path / "file", b"x")
    assert (tmp_path / "file").read_bytes() == b"x"


def test_a_killed_writer_leaves_something_that_is_removed(tmp_path: Path) -> None:
    code = ("import os, pathlib, realtime_rl.files as files\n"
            "os.fsync = lambda handle: os.kill(os.getpid(), 9)\n"
            f"files.write_atomically(pathlib.Path({str(tmp_path / 'file')!r}), b'x')")
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert len(os.listdir(tmp_path)) == 1
    remove_stale(tmp_path, older_s=0.0)
    assert os.listdir(tmp_path) == []


def test_links_and_pipes_are_not_ours(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_bytes(b"content")
    (tmp_path / ".0000000000000000.tmp").symlink_to(target)
    os.mkfifo(tmp_path / ".0000000000000001.tmp")
    remove_stale(tmp_path, older_s=0.0)
    assert len(os.listdir(tmp_path)) == 3
    assert target.read_bytes() == b"content"


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    with reserve(path), pytest.raises(BlockingIOError), reserve(path):
        pass
    with reserve(path):
        pass


def test_a_lock_keeps_what_is_in_the_file_and_follows_no_link(tmp_path: Path) -> None:
    path, target = tmp_path / ".lock", tmp_path / "precious"
    for each in (path, target):
        each.write_bytes(b"content")
    with reserve(path):
        assert path.read_bytes() == b"content"
    path.unlink()
    path.symlink_to(target)
    with pytest.raises(OSError, match="symbolic links"), reserve(path):
        pass
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(OSError, match="not a regular file"), reserve(path):
        pass
    assert target.read_bytes() == b"content"


def test_sha256(tmp_path: Path) -> None:
    data = os.urandom(3_000_000)
    (tmp_path / "file").write_bytes(data)
    assert sha256_of(tmp_path / "file") == hashlib.sha256(data).hexdigest()
    with pytest.raises(FileNotFoundError):
        sha256_of(tmp_path / "absent")


@pytest.mark.parametrize(("text", "path"), [
    ("~/a/b", "/home/me/a/b"), ("~", "/home/me"), ("a/~b", "a/~b"), ("~no such user/x",
                                                                     "~no such user/x")])
def test_a_tilde_is_the_users_home(text: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert str(user_path(text)) == path


def test_the_folder_of_what_is_to_be_written_is_made(tmp_path: Path) -> None:
    make_parents(tmp_path / "new" / "er" / "file")
    assert os.listdir(tmp_path / "new" / "er") == []
    for path in ("/proc/nowhere/file", str(tmp_path / "file" / "file")):
        (tmp_path / "file").touch()
        with pytest.raises(OSError):
            make_parents(Path(path))


def test_what_is_no_file_is_written_into_and_stays(tmp_path: Path) -> None:
    """As `/dev/stdout`, or the pipe of a shell's `>(…)`."""
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    make_parents(link)
    write_out(link, b"figures")
    assert os.read(reading, 99) == b"figures"
    os.close(reading)
    assert link.is_symlink() and stat.S_ISFIFO(pipe.stat().st_mode)
    write_out(tmp_path / "file", b"one")
    assert (tmp_path / "file").read_bytes() == b"one"
