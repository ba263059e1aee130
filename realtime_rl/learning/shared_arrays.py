"""Named arrays that several processes see at once.

The memory has no name in any file system (`memfd_create`): a process is given its file
descriptor, and it is freed with the last process that has it, however that ended. It is not
bound by the size of `/dev/shm`, which containers keep small.
"""

from __future__ import annotations

import contextlib
import fcntl
import math
import mmap
import os
import weakref
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from realtime_rl.core.experience.snapshot import Array

Layout = Mapping[str, tuple[str | np.dtype[Any], tuple[int, ...]]]
"""Numpy dtype and shape of each array, by name; the same in every process."""
_ALIGNMENT = 64


class SharedArrays:
    """Arrays, at first all zeros, that are the same memory in every process."""

    def __init__(self, layout: Layout, fd: int | None = None) -> None:
        """Make the arrays of `layout`, or attach to those behind `fd`; `OSError`.

        Pages take memory from when they are first written to.
        """
        sizes = [math.prod(shape) * np.dtype(dtype).itemsize for dtype, shape in layout.values()]
        rounded = [-(-size // _ALIGNMENT) * _ALIGNMENT for size in sizes]
        if fd is None:
            fd = os.memfd_create("realtime_rl")
            os.ftruncate(fd, max(1, sum(rounded)))
        self.fd = fd
        """The file descriptor to give to another process; closed with this object."""
        weakref.finalize(self, os.close, fd)
        memory = mmap.mmap(fd, max(1, sum(rounded)))
        self._arrays: dict[str, Array] = {}
        start = 0
        for (name, (dtype, shape)), size in zip(layout.items(), rounded, strict=True):
            self._arrays[name] = np.ndarray(shape, np.dtype(dtype), memory, start)
            start += size

    def __getitem__(self, name: str) -> Array:
        """Return an array; writing to it is seen by all."""
        return self._arrays[name]

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Keep the other processes out, for microseconds.

        The lock goes with its process, so that one that is killed holds nobody up. What was
        written before it is released is seen by who takes it next, on every kind of processor.
        It does not tell threads of one process from each other.
        """
        fcntl.lockf(self.fd, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self.fd, fcntl.LOCK_UN)
