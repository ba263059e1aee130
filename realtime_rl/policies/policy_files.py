"""Opens the files of a policy: regular ones, where they may be, no more than there is room for."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from realtime_rl import free_memory
from realtime_rl.core.errors import PolicyError

CHUNK = 1 << 20
_SIZE_LIMIT = 8_000_000_000
_READ, _SESSION = 1.0, 1.25
"""What a policy's bytes take in memory while it is loaded, as multiples of its files: what was
read, and each ONNX Runtime session (measured with 1.31: 1.2)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is read at all."""

    root: Path | None = None
    """Only files under this folder, links followed; `None`: anywhere."""
    size_bytes: int = _SIZE_LIMIT
    """The files of one policy, together."""
    sessions: int = 1
    """So many will hold the weights."""


class PolicyFiles:
    """The files of one policy, one after another."""

    def __init__(self, policy: Path, limits: Limits) -> None:
        """Read those of the ONNX file `policy`."""
        self._policy = policy
        self._limits = limits
        self._free_bytes = free_memory.available_bytes()
        self._bytes = 0

    def open(self, path: Path) -> tuple[FileIO, int]:
        """Open a file of the policy; return it and its size [bytes].

        A device or a pipe is never opened: that alone may block, or do something.

        Raises:
            PolicyError: it is not a regular file, not where it may be, or there is no room for it.
            OSError: it cannot be opened.
        """
        try:
            real = Path(os.path.realpath(path, strict=True))
        except OSError as error:
            error.filename = str(path)  # Python 3.13 has the whole path there
            raise
        root = self._limits.root
        if root is not None and not real.is_relative_to(os.path.realpath(root)):
            raise PolicyError(f"policy {str(path)!r} is not in {str(root)!r}, from where policies "
                              "are taken: put it there, or set policy_root")
        self._check_kind(path, real.lstat())
        handle = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        file = FileIO(handle)
        try:
            status = os.fstat(handle)
            self._check_kind(path, status)
            self._check_room(status.st_size)
        except PolicyError:
            file.close()
            raise
        return file, status.st_size

    def _check_kind(self, path: Path, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise PolicyError(f"policy {str(path)!r} is not a regular file")

    def _check_room(self, size: int) -> None:
        self._bytes += size
        limits = self._limits
        if self._bytes > limits.size_bytes:
            raise PolicyError(
                f"policy {str(self._policy)!r} has {self._bytes:,} bytes, more than "
                f"{limits.size_bytes:,}: raise policy_size_limit")
        needed = self._bytes * (_READ + _SESSION * limits.sessions)
        if self._free_bytes is not None and needed > self._free_bytes:
            raise PolicyError(
                f"policy {str(self._policy)!r} does not fit: loading it into {limits.sessions} "
                f"session(s) takes {needed / 1e9:.2f} GB, {self._free_bytes / 1e9:.2f} GB are "
                "free; take a smaller network or fewer sessions")


def chunks(file: FileIO, size: int) -> Iterator[bytes]:
    """Read the first `size` bytes, part by part: a file that grows meanwhile has no end."""
    while size > 0 and (chunk := file.read(min(CHUNK, size))):
        size -= len(chunk)
        yield chunk
