"""What a node may hold, and how it ends that wants more."""

from __future__ import annotations

import subprocess
import sys

import pytest

from realtime_rl.ros import memory_limit as memory

VARIABLE = "REALTIME_RL_MEMORY_MB"
GREEDY = """
from realtime_rl.ros import memory_limit
memory_limit.limit("actuator")
reserved = __import__("mmap").mmap(-1, 1 << 40, flags=0x4002, prot=0)  # as CUDA does: not held
held = []
try:
    while len(held) < 4000:
        held.append(bytes(1 << 20))
except MemoryError:
    print(len(held), memory_limit.exceeded("actuator"))
"""


def test_limits_are_those_of_the_environment_or_what_the_node_needs(
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert memory.limit_mib("actuator") == memory.limit_mib("monitor") == 1024
    monkeypatch.setattr(memory.os.path, "exists", lambda path: False)
    monkeypatch.setattr(memory.os, "sysconf", {"SC_PHYS_PAGES": 1 << 23,
                                               "SC_PAGE_SIZE": 4096}.get)  # 32 GiB
    assert [memory.limit_mib(name) for name in ("plant", "inference", "learner", "recorder")] == [
        8192, 16384, 24576, 4096]
    monkeypatch.setattr(memory.os, "sysconf", {"SC_PHYS_PAGES": 1 << 18, "SC_PAGE_SIZE": 4096}.get)
    assert memory.limit_mib("learner") == 2048
    monkeypatch.setattr(memory.os.path, "exists", lambda path: path == "/dev/nvidiactl")
    assert [memory.limit_mib(name) for name in ("plant", "inference", "learner")] == [2048, 0, 0]
    monkeypatch.setenv(VARIABLE, "5000")
    assert memory.limit_mib("actuator") == memory.limit_mib("learner") == 5000
    monkeypatch.setenv(VARIABLE, "0")
    assert memory.limit_mib("actuator") == 0


def test_who_wants_more_ends_soon_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "400")
    done = subprocess.run([sys.executable, "-c", GREEDY], text=True, capture_output=True,
                          check=True, timeout=60)
    held, _, told = done.stdout.partition(" ")
    assert 100 < int(held) <= 400
    assert told == ("it may hold 400 MiB and needed more; REALTIME_RL_MEMORY_MB sets another "
                    "limit (0: none)\n")


def test_where_there_is_no_limit_none_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "0")
    monkeypatch.setattr(memory.resource, "setrlimit", lambda *_: pytest.fail("a limit was set"))
    memory.limit("actuator")
