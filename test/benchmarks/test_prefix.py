"""The benchmark of prefixes: what a seam is, and what its networks continue."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("mujoco", reason="MuJoCo is not installed")

import torch

from benchmarks.prefix import JOINTS, MOST, ROWS, SEEN, Network, seams
from benchmarks.prefix_env import hand
from realtime_rl.core.control.chunk_merging import Chunk
from realtime_rl.core.types import Cause
from realtime_rl.simulate.loop import VirtualTick


def tick(number: int, seen: int, action: float) -> VirtualTick:
    return VirtualTick(number, Cause.POLICY if seen >= 0 else Cause.DEFAULT, (action, 0.0),
                       np.zeros(1), 0.0, 1.0, False, False, seen, number - seen - 1)


def test_a_seam_is_between_two_rows_for_one_tick() -> None:
    rising = {seen: Chunk(tuple((10.0 * seen + row, 0.0) for row in range(6))) for seen in (0, 2)}
    ticks = [tick(0, -1, 0.0), tick(1, 0, 0.0), tick(2, 0, 1.0), tick(3, 0, 2.0),
             tick(4, 2, 21.0), tick(5, 2, 22.0)]
    assert list(seams(ticks, rising)) == [(21.0 - 3.0, 21.0 - 2.0)]


def test_a_chunk_that_has_ended_has_no_seam() -> None:
    short = {0: Chunk(((0.0, 0.0),)), 2: Chunk(((0.0, 0.0),) * 4)}
    assert list(seams([tick(1, 0, 0.0), tick(3, 2, 0.0)], short)) == []


@pytest.mark.parametrize("given", [0, 1, MOST])
def test_rows_continue_the_last_that_is_given(given: int) -> None:
    torch.manual_seed(0)
    seen, rows = torch.randn(1, SEEN), torch.randn(1, ROWS, JOINTS)
    for told in (True, False):
        network = Network(told)
        network.body[-1].weight.data.zero_()
        network.body[-1].bias.data.zero_()
        found = network(seen, rows, torch.tensor([given]))
        start = rows[:, given - 1] if told and given else seen[:, :JOINTS]
        assert torch.allclose(found, start.expand(ROWS, JOINTS)[None], atol=1e-6)


def test_the_hand_creeps_to_its_goal_and_stays() -> None:
    way = hand(np.zeros(2), np.array([0.05, -1.0]), 40)
    assert np.allclose(way[:3], [[0.03, -0.03], [0.05, -0.06], [0.05, -0.09]])
    assert np.allclose(way[-1], [0.05, -1.0])
