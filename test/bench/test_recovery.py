"""How one long inference disturbs the actions."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pytest

from realtime_rl.bench.recovery import Recovery, recovery
from realtime_rl.core.enumerations import Miss
from realtime_rl.core.figures.accounting import RunRecords
from realtime_rl.core.messages.records import Inference, Timestep
from realtime_rl.core.types import Cause

PERIOD = 10_000_000


def records(idle: Iterable[int], outlier: int | None = 200, ticks: int = 600) -> RunRecords:
    """An action at every tick but those; inferences of 50 ms, one of 150 ms."""
    lost = set(idle)
    steps = [Timestep(1 + tick * PERIOD, tick, PERIOD, 0.0, False, 0, 0.0, 1.0, False, False,
                      Cause.DEFAULT if tick in lost else Cause.POLICY, 0, 0, tick - 5, (0.0,))
             for tick in range(ticks)]
    done = [Inference(1 + tick * PERIOD, tick, -1, 0, 1, 0, 0.0,
                      0.15 if tick == outlier else 0.05, 0.0, Miss.NONE, False, math.nan)
            for tick in range(0, ticks, 5)]
    return RunRecords(steps, (), done)


@pytest.mark.parametrize(("idle", "ticks"), [
    ([], 0),
    ([206], 1),
    ([206, 210, 221], 16),
    (range(206, 230), 24),
    ([206, 400], 1),          # much later: something else
    ([3, 206], 1),            # once before: forgiven
    (range(206, 600), None),  # never again
    (range(0, 600, 3), None),  # never at all
    ([206, *range(250, 600, 50)], None),
])
def test_ticks_until_one_acts_at_every_tick_again(idle: Iterable[int], ticks: int | None) -> None:
    found = recovery(records(idle))
    assert found == Recovery(200, pytest.approx(150.0), ticks)


def test_where_nothing_stands_out_there_is_nothing_to_recover_from() -> None:
    assert recovery(records([206], outlier=None)) is None
    assert recovery(RunRecords()) is None
