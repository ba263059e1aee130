"""What this machine itself does to a tick: a thread that only sleeps until each, and nothing more.

The thread has the priority of the nodes that tick, and its memory is locked. A tick that it begins
over a period late is one that no graph could have met here.

    python benchmarks/bare_ticks.py
    python benchmarks/bare_ticks.py --rate 500 --seconds 60 --runs 3
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from dataclasses import dataclass

from realtime_rl.ros.priorities import Priority, lock_memory, take_priority


@dataclass(frozen=True)
class Lateness:
    """Of one run's ticks."""

    ticks: int
    missed: int
    """Began more than a period late."""
    longest_ms: float


def tick(rate_hz: float, seconds: float) -> Lateness:
    """Sleep until each tick of a grid, as a plant does that has nothing to do."""
    period_ns = round(1e9 / rate_hz)
    due_ns, missed, longest_ns = time.monotonic_ns(), 0, 0
    ticks = round(seconds * rate_hz)
    for _ in range(ticks):
        due_ns += period_ns
        time.sleep(max(due_ns - time.monotonic_ns(), 0) / 1e9)
        late_ns = time.monotonic_ns() - due_ns
        missed += late_ns > period_ns
        longest_ns = max(longest_ns, late_ns)
    return Lateness(ticks, missed, longest_ns / 1e6)


def main() -> int:
    """Print a line a run."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=500.0, metavar="HZ")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--runs", type=int, default=1)
    args = parser.parse_args()
    lock_memory()
    take_priority(Priority.REALTIME)
    gc.disable()
    for _ in range(args.runs):
        late = tick(args.rate, args.seconds)
        print(f"{args.rate:g} Hz: {late.ticks} ticks, {late.missed} missed, "
              f"the latest by {late.longest_ms:.1f} ms", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
