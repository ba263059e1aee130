"""What further workers buy with chunks of actions: feedback's age, inaction, tails and seams.

    python -m benchmarks.chunks --out OUT
    python -m benchmarks.chunks --out OUT --workers 1 4 13 --duration 30
    python -m benchmarks.chunks --cost

For each number of workers it stands planned (`plan --chunk`), in virtual time, and live, where the
accelerator is emulated. The plant is `chunk_env`: the policy says what it sees for all rows, so
that the reward falls with the age of the feedback. `--cost` measures the CPU time of the whole
graph a tick with chunks of 50 rows of 14 values beside single actions, as `benchmarks/cpu.py` does.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import chunk_policy
from benchmarks.chunk_env import ID, JOINTS
from benchmarks.chunk_virtual import Dealt, play
from benchmarks.cpu import Sampler
from realtime_rl import strict_json
from realtime_rl.bench.chunk_planning import plan_chunks
from realtime_rl.bench.live import LiveBench, measure
from realtime_rl.bench.planning import Expectation
from realtime_rl.core.control.chunk_merging import Chunk
from realtime_rl.core.errors import RealtimeRlError
from realtime_rl.core.figures.schema import RunFigures
from realtime_rl.plants import registry
from realtime_rl.policies.latency import Latency
from realtime_rl.policies.latency_text import duration_ns

_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Row:
    """One number of workers, planned, in virtual time or live."""

    workers: int
    how: str
    inaction: float | None
    delay: int
    age_mean: float | None
    age_p95: float | None
    tails: int | None
    ticks: int | None
    seam: float | None
    reward: float | None
    trouble: tuple[str, ...] = ()


def planned(expected: Expectation, rows: int, workers: int) -> tuple[Row, int]:
    """Return what the planner says, and the workers with which every tick is a slot."""
    plan = plan_chunks(expected, rows, workers)
    given = plan.given
    assert given is not None
    return Row(workers, "planned", given.inaction, given.delay, given.age_mean, given.age_p95,
               None, None, None, None), plan.required_workers


def virtual(expected: Expectation, rows: int, ticks: int, plan: Row, required: int) -> Row:
    """Play it in virtual time, with the promised delay of the plan."""
    plant = registry.make("gymnasium", {"id": ID, "period_ms": str(expected.period_ns / 1e6)}, 1)
    try:
        delay = Dealt(plan.delay, workers=min(plan.workers, required), cycle=required)

        def policy(tick: int, seen: Any) -> Chunk:
            return Chunk((tuple(map(float, seen)),) * rows)

        figures = play(plant, policy, delay, ticks).figures()
    finally:
        plant.close()
    return _row(plan.workers, "virtual", figures, plan.delay, ())


def live(args: argparse.Namespace, workers: int, delay: int, folder: Path) -> Row:
    """Run it as real processes."""
    measured = measure(_bench(args, str(workers), chunk_policy.hold(
        folder / "hold.onnx", JOINTS, args.rows)), lambda elapsed_s: None, _say)
    return _row(workers, "live", measured.report.figures, delay, measured.report.warnings)


def _bench(args: argparse.Namespace, workers: str, policy: Path) -> LiveBench:
    return LiveBench(
        workers=workers, latency=args.latency, duration_s=args.duration, settle_s=args.settle,
        plant="gymnasium", plant_options=(f"id={ID}", f"period_ms={args.period_ms}"),
        assignments=(f"scenario.policy={policy}", *args.set))


def _row(workers: int, how: str, figures: RunFigures, delay: int, trouble: tuple[str, ...]) -> Row:
    chunks, acting = figures["chunks"], figures["interaction"]
    promised = figures["inference"]["promised_delay_ticks"] or delay
    reward = figures["episodes"]["reward_per_tick"]
    if chunks is None:
        return Row(workers, how, acting["inaction_fraction"], promised, None, None, None, None,
                   None, reward, trouble)
    age = chunks["feedback_age_ticks"]
    return Row(workers, how, acting["inaction_fraction"], promised, age["mean"], age["p95"],
               chunks["tail_ticks"], chunks["ticks"], chunks["seam_step"]["mean"], reward, trouble)


def text(rows: list[Row]) -> str:
    """Write the table as Markdown."""
    lines = ["| workers | | D | no action | feedback [ticks] | p95 | tails | seam | reward |",
             "|---|---|---|---|---|---|---|---|---|"]
    for row in rows:
        lines.append(f"| {row.workers} | {row.how} | {row.delay} | {_text(row.inaction, 4)} | "
                     f"{_text(row.age_mean, 2)} | {_text(row.age_p95, 0)} | "
                     f"{_text(row.tails, 0)} | {_text(row.seam, 3)} | {_text(row.reward, 4)} |")
    return "\n".join(lines) + "\n"


def _text(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def draw(rows: list[Row], path: Path) -> None:
    """Plot the age of the feedback over the workers."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4))
    for how, mark in (("planned", "-"), ("virtual", "s"), ("live", "o")):
        mine = [row for row in rows if row.how == how and row.age_mean is not None]
        axes.plot([row.workers for row in mine], [row.age_mean for row in mine], mark,
                  fillstyle="none", label=f"{how}, mean")
        if how != "virtual":
            axes.plot([row.workers for row in mine], [row.age_p95 for row in mine],
                      ":" if how == "planned" else "x", label=f"{how}, 95 %")
    axes.set_xlabel("workers")
    axes.set_ylabel("age of the feedback [ticks]")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path)


def cost(args: argparse.Namespace, folder: Path) -> dict[str, float]:
    """Return CPU time a tick [ms] of the whole graph, with single actions and with chunks."""
    found: dict[str, float] = {}
    for name, rows in (("single", 0), ("chunk", args.rows)):
        sampler = Sampler()
        measure(_bench(args, "auto", chunk_policy.hold(folder / f"{name}.onnx", JOINTS, rows)),
                lambda elapsed_s: None, _say, sampler)
        span_s, used = sampler.used()
        found[name] = sum(used.values()) * args.period_ms / span_s
        for (node, _), had_s in used.items():
            key = f"{name} {node}"
            found[key] = found.get(key, 0.0) + had_s * args.period_ms / span_s
    return {**found, "ratio": found["chunk"] / found["single"]}


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def compare(args: argparse.Namespace, folder: Path) -> int:
    """Make the table and the plot."""
    args.out.mkdir(parents=True, exist_ok=True)
    expected = Expectation(Latency.parse(args.latency), duration_ns(f"{args.period_ms}ms"))
    rows = []
    for workers in args.workers:
        _say(f"{workers} worker(s) …")
        plan, required = planned(expected, args.rows, workers)
        rows += [plan, virtual(expected, args.rows, args.ticks, plan, required)]
        if not args.no_live:
            rows.append(live(args, workers, plan.delay, folder))
    (args.out / "chunks.md").write_text(text(rows), encoding="utf-8")
    (args.out / "chunks.json").write_text(
        strict_json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")
    draw(rows, args.out / "chunks.png")
    print(text(rows), end="")
    for row in rows:
        for line in row.trouble:
            print(f"{row.workers} worker(s): {line}")
    return 0


def main() -> int:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.chunks", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("chunks-out"), metavar="DIR")
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2, 4, 8, 13, 16])
    parser.add_argument("--rows", type=int, default=50, metavar="H")
    parser.add_argument("--latency", default="constant:215ms", metavar="SPEC")
    parser.add_argument("--period-ms", type=float, default=16.74, metavar="MS")
    parser.add_argument("--ticks", type=int, default=6000, help="of virtual time")
    parser.add_argument("--duration", type=float, default=20.0, metavar="S")
    parser.add_argument("--settle", type=float, default=8.0, metavar="S")
    parser.add_argument("--set", nargs="+", default=[], metavar="NODE.PARAMETER=VALUE")
    parser.add_argument("--no-live", action="store_true")
    parser.add_argument("--cost", action="store_true")
    args = parser.parse_args()
    os.environ.setdefault("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH", "")])])
    try:
        with tempfile.TemporaryDirectory() as name:
            if not args.cost:
                return compare(args, Path(name))
            print(strict_json.dumps(cost(args, Path(name)), indent=1))
            return 0
    except RealtimeRlError as error:
        print(f"chunks: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
