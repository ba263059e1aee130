"""CPU time a tick of each node of a whole graph, recording on, at several rates.

    python benchmarks/cpu.py
    python benchmarks/cpu.py --rates 500 --duration 60 --set scenario.composed=true
    python benchmarks/cpu.py --rates 200 --threads

The plant is `counter` with a vector, the accelerator is emulated (`constant:20ms`), the workers are
as planned. CPU time is the kernel's own account of each thread (`/proc/…/schedstat`), from the end
of settling to the end of the run: what else the machine does does not count.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from realtime_rl import strict_json
from realtime_rl.bench.live import START_S, LiveBench, measure
from realtime_rl.core.errors import RealtimeRlError

_SETTLE_S = 4.0
Threads = dict[tuple[str, int, int, str], int]
"""Node, process, thread and its name: the time it has had [ns]."""


@dataclass(frozen=True)
class Row:
    """One rate."""

    rate_hz: float
    ms_per_tick: float
    of_a_core: float
    missed_ticks: int
    absent_ticks: int
    inaction: float
    promised_delay_ticks: int
    delay_p95_ticks: float
    stolen_percent: float
    """CPU time that the machine's host took meanwhile."""
    nodes: dict[str, float] = field(default_factory=dict)
    """CPU time a tick of each process [ms]."""
    threads: dict[str, float] = field(default_factory=dict)
    """The same of its threads."""


class Sampler:
    """Takes the threads' times once settled, and as often as it is called from then on."""

    def __init__(self) -> None:
        self.first: tuple[float, Threads] | None = None
        self.last: tuple[float, Threads] | None = None

    def __call__(self, elapsed_s: float, pids: dict[str, int]) -> None:
        if elapsed_s < START_S + _SETTLE_S:
            self.first = self.last = None  # it may be another run
            return
        if self.last is None or time.monotonic() - self.last[0] > 1.0:
            self.last = time.monotonic(), taken(pids)
            self.first = self.first or self.last

    def used(self) -> tuple[float, dict[tuple[str, str], float]]:
        """Return the time between [s], and what each thread's name of each node had of it [s]."""
        assert self.first is not None and self.last is not None
        found: dict[tuple[str, str], float] = {}
        for (node, pid, thread, name), ns in self.last[1].items():
            had = ns - self.first[1].get((node, pid, thread, name), 0)
            found[node, name] = found.get((node, name), 0.0) + had / 1e9
        return self.last[0] - self.first[0], found


def taken(pids: dict[str, int]) -> Threads:
    """Read what each thread of the processes has had."""
    found: Threads = {}
    for node, pid in pids.items():
        for entry in Path("/proc").glob(f"{pid}/task/*"):
            try:
                ns = int((entry / "schedstat").read_text().split()[0])
                name = (entry / "comm").read_text().strip()
            except OSError:  # it has just ended
                continue
            main = int(entry.name) == pid
            found[node, pid, int(entry.name), "main" if main else name] = ns
    return found


def run(rate_hz: float, duration_s: float, latency: str, words: tuple[str, ...],
        max_stolen: float | None) -> Row:
    """Measure one rate."""
    sampler = Sampler()
    bench = LiveBench(
        workers="auto", latency=latency, duration_s=duration_s, settle_s=_SETTLE_S,
        plant_options=("observation=vector", f"period_ms={1e3 / rate_hz:.6f}"),
        assignments=words, max_stolen_percent=max_stolen)
    measured = measure(bench, lambda elapsed_s: None, lambda text: print(text, file=sys.stderr),
                       sampler)
    span_s, used = sampler.used()
    ticks = span_s * rate_hz
    nodes: dict[str, float] = {}
    for (node, _), had_s in used.items():
        nodes[node] = nodes.get(node, 0.0) + had_s * 1e3 / ticks
    figures = measured.report.figures
    acting = figures["interaction"]
    return Row(rate_hz, sum(nodes.values()), sum(used.values()) / span_s,
               figures["plant"]["missed_ticks"], absent(figures), acting["inaction_fraction"],
               figures["inference"]["promised_delay_ticks"], acting["delay_ticks"]["p95"],
               measured.stolen_percent,
               dict(sorted(nodes.items())),
               {f"{node}/{name}": had_s * 1e3 / ticks
                for (node, name), had_s in sorted(used.items())})


def absent(figures: dict) -> int:
    """Ticks that are not in the bag."""
    gaps = figures["recording"]["gaps"]
    return gaps if isinstance(gaps, int) else len(gaps)


def main() -> int:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", nargs="+", type=float, default=[60.0, 200.0, 500.0],
                        metavar="HZ", help="(default: 60 200 500)")
    parser.add_argument("--duration", type=float, default=15.0, metavar="S")
    parser.add_argument("--latency", default="constant:20ms", metavar="SPEC")
    parser.add_argument("--set", nargs="+", default=[], metavar="NODE.PARAMETER=VALUE")
    parser.add_argument("--max-stolen", type=float, metavar="PERCENT",
                        help="run again while the machine's host takes more of it")
    parser.add_argument("--threads", action="store_true", help="the threads of each node, too")
    parser.add_argument("--json", choices=("-",), help="print JSON")
    args = parser.parse_args()
    os.environ.setdefault("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))
    rows = []
    try:
        for rate in args.rates:
            print(f"{rate:g} Hz …", file=sys.stderr)
            rows.append(run(rate, args.duration, args.latency, tuple(args.set), args.max_stolen))
    except RealtimeRlError as error:
        print(f"cpu: {error}", file=sys.stderr)
        return 2
    if args.json:
        print(strict_json.dumps([asdict(row) for row in rows], indent=1))
        return 0
    for row in rows:
        print(f"{row.rate_hz:g} Hz: {row.ms_per_tick:.2f} ms a tick, {row.of_a_core:.2f} of a core;"
              f" inaction {row.inaction:.4f}, missed {row.missed_ticks}, absent "
              f"{row.absent_ticks}, promised {row.promised_delay_ticks}, delay p95 "
              f"{row.delay_p95_ticks:g}; stolen {row.stolen_percent:.2f} %")
        for name, ms in (row.threads if args.threads else row.nodes).items():
            if ms >= 0.005:
                print(f"    {name:40} {ms:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
