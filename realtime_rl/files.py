"""Files that exist whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_BLOCK_BYTES = 1 << 20
_STALE_S = 60.0
_TEMPORARY = re.compile(r"\.[0-9a-f]{16}\.tmp")


def beside(folder: Path, text: str, *, named: bool = False) -> str:
    """Return a path that a file in `folder` names, as seen from anywhere.

    An absolute one stays, a URI, one with `~`, and an empty one; `named`: so does the name of
    something bundled, where no file of `folder` has it.
    """
    path = folder / text
    if not text or "://" in text or text.startswith("~"):
        return text
    is_name = named and "/" not in text and not Path(text).suffix and not path.is_file()
    return text if is_name else str(path)


def user_path(text: str) -> Path:
    """Return a path as a shell has it: `~` is a user's home, `~name` another's.

    That of a user whom nobody knows stays as it is.
    """
    return Path(os.path.expanduser(text))


def make_parents(path: Path) -> None:
    """Make the folder of a file or folder that is to be written; `OSError` where it cannot be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.parent if _is_new(path) else path
    if not os.access(written, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(written))


def write_out(path: Path, data: bytes) -> None:
    """Write a file whole, or into what is no file: a pipe, `/dev/stdout`; `OSError`."""
    if _is_new(path):
        write_atomically(path, data)
    else:
        path.write_bytes(data)


def _is_new(path: Path) -> bool:
    """Whether a file is made, perhaps in place of another, where `path` is written."""
    return not path.exists() or (path.is_file() and not path.is_symlink())


def write_atomically(path: Path, *parts: bytes | memoryview) -> None:
    """Write `parts`, one after another, so that `path` holds its old content or all of the new.

    That holds after a crash, too. What one that was killed left in the folder is removed.

    Raises:
        OSError: nothing was written, and nothing is left behind.
    """
    path = path.absolute()
    remove_stale(path.parent)
    temporary, file = _temporary(path.parent)
    try:
        with file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
            temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _temporary(folder: Path) -> tuple[Path, BinaryIO]:
    """Make a file that is locked as long as its writer lives; `OSError`.

    Beside the target, as a rename is atomic only within one file system; not with `tempfile`,
    whose files are private to their owner and would stay so.
    """
    while True:
        path = folder / f".{secrets.token_hex(8)}.tmp"
        file = path.open("xb")
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return path, file
        file.close()  # removed as stale between its making and its lock


def remove_stale(folder: Path, older_s: float = _STALE_S) -> None:
    """Remove unfinished files whose writers are dead; what cannot be removed stays.

    Args:
        folder: of the files.
        older_s: what was written to since then [s] stays: not every writer can hold a lock.
    """
    with contextlib.suppress(OSError):
        for path in [folder / name for name in os.listdir(folder) if _TEMPORARY.fullmatch(name)]:
            with contextlib.suppress(OSError), _locked(path, os.O_RDONLY | os.O_NONBLOCK):
                if time.time() - path.lstat().st_mtime >= older_s:
                    path.unlink()


@contextlib.contextmanager
def reserve(path: Path) -> Iterator[None]:
    """Hold a lock file, which is made where there is none, as long as the context lasts.

    The lock goes with the process, however it ends. The file is never written to, and a link of
    its name is not followed: what it points to is not ours.

    Raises:
        BlockingIOError: another process holds it.
        OSError: it cannot be made, or is no regular file.
    """
    with _locked(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK):
        yield


@contextlib.contextmanager
def _locked(path: Path, flags: int) -> Iterator[None]:
    handle = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Make what was created, renamed or removed in `folder` survive a power cut; `OSError`."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as 64 lower-case hexadecimal digits; `OSError`."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
