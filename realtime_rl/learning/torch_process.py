"""How torch runs in a process that learns."""

from __future__ import annotations

import ctypes

import torch

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_KEPT_BYTES = 1 << 30
_LARGEST_BYTES = 1 << 25
"""The most that glibc takes from what it keeps; beyond, memory comes from the system each time."""


def prepare(threads: int) -> None:
    """Bound the threads of one gradient update, and let the process keep the memory that it frees.

    More threads than one are rarely worth it beside a plant. Every operation of an update takes
    and frees some hundreds of kilobytes; as it is, glibc hands them back to the system and gets
    them again page by page: thousands of page faults, a quarter of the time of an update of
    `small`. What is kept is never more than was in use at once.
    """
    torch.set_num_threads(threads)
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):  # other C libraries have no such thing
        library.mallopt(_M_MMAP_THRESHOLD, _LARGEST_BYTES)
        library.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
