"""Ticks that refreshes cost: new versions of a large network, announced while it acts every tick.

Nothing is emulated: the network is computed on this machine, at a plant as slow as it takes for
an action at every tick (an Atari game with `--period-ms`). A learner is left out, as it would need
the cores that inference needs here; its versions are written beforehand and announced one by one,
as it would. Each is read, hashed, built and warmed up beside the inferences of the one before.

    python benchmarks/swap.py
    python benchmarks/swap.py --network impala:7 --period-ms 100 --workers 2 --swaps 6
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import rclpy
from std_msgs.msg import String

from realtime_rl import strict_json
from realtime_rl.bench.live import START_S, LiveBench, measure
from realtime_rl.core.errors import RealtimeRlError
from realtime_rl.core.figures.accounting import RunRecords
from realtime_rl.core.messages.policy_metadata import PolicyMetadata
from realtime_rl.core.messages.policy_uri import PolicyUri
from realtime_rl.core.messages.records import Timestep
from realtime_rl.learning import networks
from realtime_rl.learning.onnx_export import PolicyExporter, input_name
from realtime_rl.plants import registry
from realtime_rl.ros import environment, qos

PLANT = "gymnasium"
AFTER_S = 1.0
"""Ticks are a swap's from its announcement to so long after the first inference with it [s]."""


def export(args: argparse.Namespace, options: Sequence[str], folder: Path) -> list[PolicyUri]:
    """Write all versions; return their URIs, the one to start from first."""
    plant = registry.make(PLANT, registry.parse_options(options), args.seed)
    spec = plant.spec
    plant.close()
    network = networks.build(args.network, spec.observation, 1, spec.actions, args.seed).eval()
    print(f"{args.network}: {networks.parameter_count(network) / 1e6:.1f}M weights, "
          f"{args.swaps + 1} versions", file=sys.stderr)
    exporter = PolicyExporter(network, folder, keep=args.swaps + 1)
    return [exporter.export(PolicyMetadata(
        input_name(spec.observation), spec.observation, 1, spec.actions, version, 0, 0.0,
        "benchmark", "q_values"))
        for version in range(args.swaps + 1)]


def run(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Make one live run and say which ticks went without an action, and when."""
    options = ("id=ALE/Boxing-v5", f"period_ms={args.period_ms}")
    first, *others = export(args, options, folder)
    announced_ns: list[int] = []
    bench = LiveBench(
        workers=str(args.workers), latency="none", duration_s=args.every * (args.swaps + 0.5),
        plant=PLANT, plant_options=options, assignments=(f"scenario.policy={first.path}",))
    environment.adopt()  # as far as the graph reaches
    rclpy.init()
    try:
        publisher = rclpy.create_node("versions").create_publisher(String, "policy", qos.LATCHED)

        def announce(elapsed_s: float, pids: dict[str, int]) -> None:
            number = len(announced_ns)
            due_s = START_S + bench.settle_s + args.every * (number + 0.5)
            if number < len(others) and elapsed_s >= due_s:
                announced_ns.append(time.time_ns())
                publisher.publish(String(data=str(others[number])))

        measured = measure(bench, lambda elapsed_s: None, lambda line: print(line, file=sys.stderr),
                           announce)
    finally:
        rclpy.shutdown()
    figures = measured.report.figures
    return {"network": args.network, "period_ms": args.period_ms, "workers": args.workers,
            **counts(measured.report.run.records, announced_ns, round(args.every * 0.5e9)),
            "slots_missed_by_swap": figures["learning"]["slots_missed_by_swap"],
            "inference_ms": figures["inference"]["duration_ms"],
            "delay_ticks": figures["interaction"]["delay_ticks"],
            "cpu_percent": measured.used.cpu_percent,
            "stolen_percent": measured.used.stolen_percent}


def counts(records: RunRecords, announced_ns: Sequence[int], before_ns: int) -> dict[str, Any]:
    """Tell the ticks of swaps from the others.

    Args:
        records: of the run.
        announced_ns: when versions 1, 2, … were announced.
        before_ns: others are counted from so long before the first of these.
    """
    acted_ns: dict[int, int] = {}
    for record in sorted(records.inferences, key=lambda record: record.stamp_ns):
        acted_ns.setdefault(record.version, record.stamp_ns)
    spans = [(begin, acted_ns[version]) for version, begin in enumerate(announced_ns, start=1)
             if version in acted_ns]
    counted = [step for step in records.timesteps if step.stamp_ns >= announced_ns[0] - before_ns]
    swaps = [step for step in counted if any(
        begin <= step.stamp_ns < end + AFTER_S * 1e9 for begin, end in spans)]
    return {"announced": len(announced_ns), "taken_up": len(spans),
            "first_inference_after_s": [round((end - begin) / 1e9, 2) for begin, end in spans],
            "ticks_of_swaps": len(swaps), "missing_of_swaps": _missing(swaps),
            "other_ticks": len(counted) - len(swaps),
            "other_missing": _missing(counted) - _missing(swaps)}


def _missing(steps: Sequence[Timestep]) -> int:
    return sum(step.missing for step in steps)


def main() -> int:
    """Run the benchmark and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="impala:7", metavar="NAME",
                        help="as in learner.network (default: %(default)s, 10.4M weights)")
    parser.add_argument("--period-ms", type=float, default=150.0, metavar="MS",
                        help="of the plant (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="(default: 2)")
    parser.add_argument("--swaps", type=int, default=6, metavar="N", help="(default: 6)")
    parser.add_argument("--every", type=float, default=10.0, metavar="S",
                        help="seconds from one to the next (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if args.swaps < 1 or args.every < 2 * AFTER_S:
        parser.error(f"--swaps must be 1 or more, --every {2 * AFTER_S} or more")
    try:
        with tempfile.TemporaryDirectory(prefix="realtime_rl-swap-") as folder:
            print(strict_json.dumps(run(args, Path(folder)), indent=1))
    except RealtimeRlError as error:
        print(f"swap: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
