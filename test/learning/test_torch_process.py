"""Memory that torch frees stays with the process that learns."""

from __future__ import annotations

import subprocess
import sys

FAULTS = """
import resource
import torch
from realtime_rl.core.types import ActionSpace, ObservationSpec
from realtime_rl.learning import networks, torch_process
{prepare}
network = networks.build("small", ObservationSpec.parse("uint8[1,84,84] 0:255"), 2,
                         ActionSpace.parse("A B = A"), 0)
seen = torch.zeros(32, 2, 84, 84, dtype=torch.uint8)
def update():
    network.zero_grad()
    network(seen).sum().backward()
for _ in range(5):
    update()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    update()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before, torch.get_num_threads())
"""


def faults(prepare: str) -> tuple[int, int]:
    out = subprocess.run([sys.executable, "-c", FAULTS.format(prepare=prepare)],
                         capture_output=True, text=True, check=True).stdout.split()
    return int(out[0]), int(out[1])


def test_an_update_does_not_ask_the_system_for_its_memory_again() -> None:
    kept, threads = faults("torch_process.prepare(1)")
    assert threads == 1
    given_back, _ = faults("")
    assert 10 * kept < given_back
