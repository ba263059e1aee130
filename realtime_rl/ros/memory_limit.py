"""How much a node may hold: it ends rather than take the machine's memory."""

from __future__ import annotations

import os
import resource
from collections.abc import Mapping

from realtime_rl.core.errors import ConfigError
from realtime_rl.ros.graph import MEMORY_VARIABLE

_MIB = 1 << 20
_LEAST_MIB, _LIMIT_MIB, _ROOMY_MIB = 256, 1024, 2048
_SHARES = {"plant": 0.25, "robot": 0.25, "inference": 0.5, "learner": 0.75, "recorder": 0.125,
           "path": 0.625, "observers": 0.125}
"""Of the machine's memory, for those whose need depends on what they hold; 2 GiB at least."""
_ON_A_GPU = ("inference", "learner", "path")
_GPUS = ("/dev/nvidiactl", "/dev/nvhost-ctrl-gpu", "/dev/kfd")
"""Where there is one, its driver may map as written to more than is ever held: no limit."""
_STARVED = ("bad_alloc", "out of memory")
"""What a node says last to whom Fast DDS or another library in C++ could give no more."""


def limit(name: str) -> None:
    """Let the process end rather than take the machine's memory; `ConfigError` for a bad limit.

    One malformed packet is enough to make Fast DDS 2.14 take a gigabyte in two seconds. Only
    what is written to counts: an address space is reserved as largely as CUDA likes.
    """
    most = limit_mib(name) * _MIB
    if most:
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        size = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (size, hard))


def limit_mib(name: str, environment: Mapping[str, str] = os.environ) -> int:
    """Return how much a node may hold [MiB]: as the environment says, or its default; 0: all."""
    text = environment.get(MEMORY_VARIABLE, "")
    if text:
        if not (text.isascii() and text.isdigit()) or 0 < int(text) < _LEAST_MIB:
            raise ConfigError(f"{MEMORY_VARIABLE}: {text!r} is not a number of MiB from "
                              f"{_LEAST_MIB} on; 0: no limit")
        return int(text)
    if name not in _SHARES:
        return _LIMIT_MIB
    if name in _ON_A_GPU and any(map(os.path.exists, _GPUS)):
        return 0
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(_ROOMY_MIB, round(_SHARES[name] * machine / _MIB))


def explained(name: str, last_words: str) -> str:
    """Add to a dead node's last words what they mean where it could have no more memory."""
    starved = any(mark in last_words for mark in _STARVED) and MEMORY_VARIABLE not in last_words
    return f"{last_words}: {exceeded(name)}" if starved else last_words


def exceeded(name: str) -> str:
    """Say in one line why a node ended that could have no more."""
    return (f"it may hold {limit_mib(name)} MiB and needed more; {MEMORY_VARIABLE} "
            "sets another limit (0: none)")
