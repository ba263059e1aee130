"""The plant's side of a command."""

from __future__ import annotations

import math

import pytest

from realtime_rl.core.latch import CommandLatch
from realtime_rl.core.records import Command
from realtime_rl.core.types import ActionSpace, Cause

SPACE = ActionSpace(("A", "B", "NOOP"), (2.0,))


def command(action: float, worker: int = 0) -> Command:
    return Command(9, Cause.POLICY, (action,), worker, 3, 4)


def test_the_newest_command_is_latched_once() -> None:
    latch = CommandLatch(SPACE)
    assert latch.offer(command(0.0, worker=1))
    assert latch.offer(command(1.0, worker=2))
    assert latch.latch() == command(1.0, worker=2)
    assert latch.latch() == Command(0, Cause.NONE, (2.0,))


def test_silence_means_the_safe_command() -> None:
    assert CommandLatch(SPACE).latch() == Command(0, Cause.NONE, (2.0,), -1, -1, -1)
    assert CommandLatch(SPACE, safe=(1.0,)).latch() == Command(0, Cause.NONE, (1.0,))


@pytest.mark.parametrize("action", [3.0, -1.0, 0.5, math.nan, math.inf])
def test_a_command_outside_the_space_changes_nothing(action: float) -> None:
    latch = CommandLatch(SPACE)
    latch.offer(command(1.0))
    assert not latch.offer(command(action))
    assert latch.refused == 1
    assert latch.latch() == command(1.0)
