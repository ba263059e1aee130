"""The benchmark of swaps: which ticks are a swap's."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
pytest.importorskip("rclpy", reason="rclpy is not installed")

from handmade import inference, stamp, step

from benchmarks import swap
from realtime_rl.core.figures.accounting import RunRecords
from realtime_rl.core.types import Cause


def test_ticks_of_a_swap_are_from_its_announcement_to_a_second_after_the_first_inference() -> None:
    """A hundred ticks a second; version 1 is announced at tick 200 and infers from 250 on."""
    missing = {100, 180, 199, 200, 260, 349, 350, 500}
    records = RunRecords(
        timesteps=[step(tick, Cause.DEFAULT if tick in missing else Cause.POLICY)
                   for tick in range(600)],
        inferences=[inference(tick, version=int(tick >= 250)) for tick in range(600)])
    assert swap.counts(records, [stamp(200)], 500_000_000) == {
        "announced": 1, "taken_up": 1, "first_inference_after_s": [0.5],
        "ticks_of_swaps": 150, "missing_of_swaps": 3, "other_ticks": 300, "other_missing": 4}


def test_a_version_that_never_acts_is_told() -> None:
    records = RunRecords(timesteps=[step(tick) for tick in range(10)],
                         inferences=[inference(tick, version=0) for tick in range(10)])
    found = swap.counts(records, [stamp(5)], 0)
    assert (found["announced"], found["taken_up"], found["ticks_of_swaps"]) == (1, 0, 0)
