"""How long runs of a policy take that answer several observations each."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping, Sequence

from realtime_rl.bench.text import number
from realtime_rl.core.errors import ConfigError, PolicyError
from realtime_rl.policies.feeding import Seen
from realtime_rl.policies.onnx_policy import OnnxPolicy

_MOST = 1024
_LONGEST_S = 10.0
"""Each size is timed for so long at most, but five runs of it."""


def check(sizes: Sequence[int], *, with_plant: bool) -> None:
    """`ConfigError` for sizes that there are none of, and where nothing would be run."""
    if sizes and not with_plant:
        raise ConfigError("--batches: needs a scenario or a plant to run the policy for; name it "
                          "with --config or --plant")
    for size in sizes:
        if not 1 <= size <= _MOST:
            raise ConfigError(f"--batches: {size!r} is outside 1 … {_MOST}")


def timed(policy: OnnxPolicy, seen: Seen, sizes: Sequence[int], runs: int) -> dict[int, int]:
    """Return what a run takes in the median [ns], by size; load the policy for the largest."""
    return {size: _timed(policy, [seen] * size, runs) for size in sorted(set(sizes))}


def _timed(policy: OnnxPolicy, seen: Sequence[Seen], runs: int) -> int:
    found = list[int]()
    end_ns = time.monotonic_ns() + round(_LONGEST_S * 1e9)
    for run in range(runs + 1):  # the first allocates
        begin_ns = time.monotonic_ns()
        for answer in policy.infer_batch(seen):
            if isinstance(answer, PolicyError):
                raise answer
        found.append(time.monotonic_ns() - begin_ns)
        if run >= 5 and time.monotonic_ns() > end_ns:
            break
    return round(statistics.median(found[1:]))


def text(batches: Mapping[int, int]) -> Iterator[str]:
    """Write them, as the planner takes them."""
    if batches:
        profile = ",".join(f"{size}={number(took / 1e6, 3)}ms" for size, took in batches.items())
        yield (f"runs that answer several observations, in the median: {profile}; compare with "
               f"`realtime-rl plan --batch {profile}`")
