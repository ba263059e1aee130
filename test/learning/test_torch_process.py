"""Memory that torch frees stays with the process that learns."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

FAULTS = """
import resource
import statistics
import torch
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.learning import torch_process
from realtime_rl.plants import registry
from realtime_rl.simulate.loop import Delay
from realtime_rl.simulate.train import Training
{prepare}
training = Training(registry.make("pyboy", {{"rom": "catch"}}, 0),
                    DqnConfig(network="small", stack=2, learn_start=200),
                    Delay(1, "asynchronous"), updates_per_tick=0.0)
for _ in range(250):
    training.step()
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    training.learner.update()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(statistics.median([faults() for _ in range(15)]), torch.get_num_threads())
"""


def faults(prepare: str) -> tuple[int, int]:
    """Return the page faults of an update, and torch's threads.

    glibc begins with its thresholds as they are documented, and does not move them by itself: as
    they move, one process in eight happens to keep all.
    """
    fixed = {"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}
    out = subprocess.run([sys.executable, "-c", FAULTS.format(prepare=prepare)],
                         capture_output=True, text=True, check=True,
                         env={**os.environ, **fixed}).stdout.split()
    return int(out[0]), int(out[1])


def test_an_update_does_not_ask_the_system_for_its_memory_again() -> None:
    with ThreadPoolExecutor(2) as pool:
        (kept, threads), (given_back, _) = pool.map(faults, ("torch_process.prepare(1)", ""))
    assert threads == 1
    assert 10 * kept < given_back
