"""How soon after the plant's first tick does the policy act? Many starts, every other one loaded.

Each start is `realtime-rl run` of the bundled game with learner and recorder; the bag tells. In
every other one a process on each core computes without end, from before the start to the end.

    python -m benchmarks.starts
    python -m benchmarks.starts --starts 10 --json -
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from benchmarks.running import Running, private_environment
from realtime_rl import strict_json
from realtime_rl.bags.reader import read_run
from realtime_rl.core.errors import BagError
from realtime_rl.core.types import Cause

_LASTS_S = 6.0


@dataclass(frozen=True)
class Start:
    """One start of a run."""

    loaded: bool
    acts_after_s: float | None
    """From the first tick to the first at which the policy acts; `None`: never."""
    inaction: float
    """Share of the ticks from then on at which it does not."""
    status: int | None


def start(loaded: bool) -> Start:
    """Start a run, wait for its end, and read its bag."""
    with tempfile.TemporaryDirectory(prefix="realtime_rl-start-") as folder, _load(loaded), \
            Running(Path(folder), ["recorder.observations=false"],
                    duration_s=_LASTS_S) as running:
        status = running.wait()
        try:
            steps = read_run(running.bag).records.timesteps
        except BagError as error:  # it ended, or was, before there was a bag
            said = running.lines[-1][1] if running.lines else "nothing"
            print(f"{error}; the run said last: {said}", file=sys.stderr)
            steps = []
    acting = [at for at, step in enumerate(steps) if step.cause is Cause.POLICY]
    if not acting:
        return Start(loaded, None, 1.0, status)
    rest = steps[acting[0]:]
    return Start(loaded, (rest[0].stamp_ns - steps[0].stamp_ns) / 1e9,
                 sum(step.missing for step in rest) / len(rest), status)


@contextmanager
def _load(loaded: bool) -> Iterator[None]:
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"])
            for _ in range((os.cpu_count() or 1) if loaded else 0)]
    try:
        yield
    finally:
        for each in busy:
            each.kill()
            each.wait()


def main() -> int:
    """Start so many runs and say how late the policy was; 1 where it was later than a second."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=40, metavar="N", help="(default: 40)")
    parser.add_argument("--json", choices=("-",), help="print JSON")
    args = parser.parse_args()
    private_environment()
    starts = []
    for number in range(args.starts):
        one = start(loaded=number % 2 == 1)
        starts.append(one)
        print(f"{number + 1:3} {'loaded' if one.loaded else 'calm':6} acts after "
              f"{'–' if one.acts_after_s is None else f'{one.acts_after_s:.2f} s'}, inaction then "
              f"{one.inaction:.4f}, status {one.status}", file=sys.stderr, flush=True)
    late = [one for one in starts if one.acts_after_s is None or one.acts_after_s > 1.0]
    if args.json:
        print(strict_json.dumps([asdict(one) for one in starts], indent=1))
    else:
        for loaded in (False, True):
            times = [one.acts_after_s for one in starts
                     if one.loaded is loaded and one.acts_after_s is not None]
            if times:
                print(f"{'loaded' if loaded else 'calm':6} {len(times)} starts: median "
                      f"{median(times):.2f} s, latest {max(times):.2f} s")
        print(f"later than 1 s: {len(late)} of {len(starts)}")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
