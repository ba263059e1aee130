"""The paper's Algorithm 1 (arXiv 2412.14355) with relative delays, for comparison with ours.

Written from its description, not from its code. N workers, each on its own:

- Worker i waits T·i/N before it begins, T being a guess at the longest inference time.
- It infers on what it sees now. When that took longer than T, by δ, T becomes that time, and every
  other worker waits (its distance from i in the order)·δ/N more before its next inference.
- When it was faster, it sleeps until T has passed. Then its action leaves, and it begins anew.

Inference times are emulated: a worker sleeps for as long as its inference takes. Actions are what
counts: how many ticks go without one, and how even they come. Every worker is a thread here; as
processes they would only differ in memory.

    python benchmarks/paper_algorithm1.py --workers 7 --latency constant:95ms --duration 60
    python benchmarks/paper_algorithm1.py --workers 16 --latency lognormal:215ms,cv=0.05
    python benchmarks/paper_algorithm1.py --workers 16 --latency lognormal:215ms,cv=0.05 --json -
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from dataclasses import dataclass, field

import numpy as np

from realtime_rl import strict_json
from realtime_rl.core.errors import RealtimeRlError
from realtime_rl.core.figures.statistics import distribution
from realtime_rl.policies.latency import Latency
from realtime_rl.policies.latency_text import duration_ns

GAME_BOY_NS = 16_742_706


@dataclass
class Stagger:
    """What the workers share: T, and how much longer each has to wait."""

    workers: int
    longest_s: float
    extra_s: list[float] = field(init=False)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.extra_s = [0.0] * self.workers

    def took(self, worker: int, duration_s: float) -> float:
        """Take in an inference time; return how long its action is to wait."""
        with self.lock:
            over_s = duration_s - self.longest_s
            if over_s <= 0.0:
                return -over_s
            self.longest_s = duration_s
            for other in range(self.workers):
                distance = (other - worker) % self.workers
                self.extra_s[other] += distance * over_s / self.workers
            return 0.0

    def wait_of(self, worker: int) -> float:
        """Return, and forget, how much longer a worker is to wait."""
        with self.lock:
            extra_s, self.extra_s[worker] = self.extra_s[worker], 0.0
            return extra_s


@dataclass(frozen=True)
class Result:
    arrivals_ns: np.ndarray
    longest_s: float
    cpu_percent: float


def run(workers: int, latency: Latency, guess_s: float, duration_s: float, seed: int) -> Result:
    """Run the workers; return when actions arrived, and the longest time in the end."""
    stagger = Stagger(workers, guess_s)
    arrivals: list[int] = []
    over = threading.Event()
    rngs = [np.random.default_rng((seed, worker)) for worker in range(workers)]

    def work(worker: int) -> None:
        over.wait(stagger.longest_s * worker / workers)
        while not over.wait(stagger.wait_of(worker)):
            begin = time.monotonic()
            over.wait(latency.sample(rngs[worker], workers) / 1e9)
            over.wait(stagger.took(worker, time.monotonic() - begin))
            arrivals.append(time.monotonic_ns())  # the interpreter's lock makes this safe

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(workers)]
    began, cpu_s = time.monotonic(), time.process_time()
    for thread in threads:
        thread.start()
    time.sleep(duration_s)
    used = 100 * (time.process_time() - cpu_s) / (time.monotonic() - began)
    over.set()
    for thread in threads:
        thread.join()
    return Result(np.sort(np.array(arrivals, np.int64)), stagger.longest_s, used)


def figures(result: Result, period_ns: int) -> dict[str, object]:
    """Account for ticks and intervals from the first action on, as the report does for ours."""
    arrivals = result.arrivals_ns
    intervals_ms = np.diff(arrivals) / 1e6
    ticks = (arrivals - arrivals[0]) // period_ns
    acted = len(np.unique(ticks))
    return {"ticks": int(ticks[-1]) + 1, "actions": len(arrivals),
            "inaction_fraction": 1.0 - acted / (int(ticks[-1]) + 1),
            "action_interval_ms": distribution(intervals_ms),
            "action_jitter_ms": distribution(np.abs(intervals_ms - period_ns / 1e6)),
            "longest_ms": result.longest_s * 1e3, "cpu_percent": result.cpu_percent}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=16, metavar="N")
    parser.add_argument("--latency", default="lognormal:215ms,cv=0.05", metavar="SPEC")
    parser.add_argument("--period", default=f"{GAME_BOY_NS / 1e3:g}us", metavar="TIME",
                        help="of the plant's ticks (default: a Game Boy's)")
    parser.add_argument("--guess", default="100ms", metavar="TIME",
                        help="T to begin with (default: %(default)s, the paper's for 10M)")
    parser.add_argument("--duration", type=float, default=60.0, metavar="S")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", choices=["-"], help="print JSON")
    args = parser.parse_args()
    try:
        if args.workers < 1 or not args.duration > 0:
            raise ValueError("--workers and --duration must be positive")
        latency = Latency.parse(args.latency)
        period_ns, guess_s = duration_ns(args.period), duration_ns(args.guess) / 1e9
    except (RealtimeRlError, ValueError) as error:
        print(f"paper_algorithm1: error: {error}", file=sys.stderr)
        return 2
    result = run(args.workers, latency, guess_s, args.duration, args.seed)
    if len(result.arrivals_ns) < 2:
        print("paper_algorithm1: error: no two actions; raise --duration", file=sys.stderr)
        return 1
    found = figures(result, period_ns)
    if args.json:
        print(strict_json.dumps({"workers": args.workers, "latency": str(latency), **found},
                                indent=2))
        return 0
    interval, jitter = found["action_interval_ms"], found["action_jitter_ms"]
    print(f"Algorithm 1, {args.workers} workers, {latency}: {found['actions']} actions in "
          f"{found['ticks']} ticks\n"
          f"  inaction      {found['inaction_fraction']:.4f}\n"
          f"  interval      {interval['mean']:.2f} ms, std {interval['std']:.2f} ms\n"
          f"  jitter p95    {jitter['p95']:.2f} ms\n"
          f"  longest time  {found['longest_ms']:.1f} ms, never forgotten\n"
          f"  CPU           {found['cpu_percent']:.1f} % of one core")
    return 0


if __name__ == "__main__":
    sys.exit(main())
