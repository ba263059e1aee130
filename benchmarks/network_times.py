"""How long networks take for one inference here, beside the delays that the paper's sizes have.

The networks take turns, one ONNX Runtime thread each, so that what else the machine does meets all
of them. Timed is ONNX Runtime alone. With `--delays`, a delay in ticks for each network, it says
how many times slower than here each is on the machine that is emulated: `delay * period / time`.

    python -m benchmarks.network_times --networks mlp:1 mlp:3 mlp:6 --delays 1 5 8 --csv times.csv
    python -m benchmarks.network_times --networks impala:1/16 impala:1 --plant-option rom=blocks
"""

from __future__ import annotations

import argparse
import csv
import io
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from realtime_rl.core.errors import ConfigError, RealtimeRlError
from realtime_rl.core.observations import names_of
from realtime_rl.core.types import PlantSpec
from realtime_rl.files import write_atomically
from realtime_rl.learning.networks import build, parameter_count
from realtime_rl.learning.onnx_export import initial_policy
from realtime_rl.plants import registry
from realtime_rl.policies import external_weights, onnx_session
from realtime_rl.policies.compute import Compute
from realtime_rl.policies.stop import Stop

BATCH = 20
"""Inferences of one network before it is the next one's turn."""


@dataclass(frozen=True)
class Time:
    """What one network takes."""

    network: str
    parameters: int
    median_ms: float
    ratio: float
    """To the first network."""
    delay_ticks: int
    """As it was said; 0: it was not."""
    slower: int
    """How many times, than here, a machine is on which an inference takes the delay; 0: unknown."""


def measure(networks: list[str], plant: PlantSpec, stack: int, turns: int) -> list[float]:
    """Return what each network takes on the plant's observations [ms], `turns` times in turn."""
    names = names_of(plant.observation)
    shown = {name or "observation": np.zeros((1, *part.stacked_shape(stack)), part.dtype)
             for name, part in zip(names or [""], plant.observation.parts, strict=True)}
    sessions = []
    with tempfile.TemporaryDirectory() as folder:
        for number, network in enumerate(networks):
            path = Path(folder) / f"{number}.onnx"
            initial_policy(path, network=network, observation=plant.observation, stack=stack,
                           actions=plant.actions, seed=0)
            model = external_weights.read(path, "")
            try:
                sessions.append(onnx_session.open_session(path, model, Compute("cpu"), Stop())[0])
            finally:
                model.close()
    durations: list[list[int]] = [[] for _ in networks]
    for _ in range(turns):
        for session, mine in zip(sessions, durations, strict=True):
            feed = dict(zip((each.name for each in session.get_inputs()), shown.values(),
                            strict=True))
            for _ in range(BATCH):
                begin = time.perf_counter_ns()
                session.run(None, feed)
                mine.append(time.perf_counter_ns() - begin)
    return [statistics.median(mine[len(mine) // 10:]) / 1e6 for mine in durations]


def table(networks: list[str], medians_ms: list[float], delays: list[int], plant: PlantSpec,
          stack: int) -> list[Time]:
    """Return a row for each network."""
    return [Time(network, parameter_count(build(network, plant.observation, stack, plant.actions,
                                                0)),
                 round(median, 4), round(median / medians_ms[0], 2), delay,
                 round(delay * plant.period_ns / 1e6 / median))
            for network, median, delay in zip(networks, medians_ms, delays, strict=True)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", required=True, metavar="NAME")
    parser.add_argument("--plant", default="pyboy", metavar="NAME")
    parser.add_argument("--plant-option", action="append", default=[], metavar="KEY=VALUE",
                        help="pyboy: rom=catch observe=memory when none is given")
    parser.add_argument("--stack", type=int, default=2, metavar="N")
    parser.add_argument("--turns", type=int, default=200, metavar="N",
                        help=f"of {BATCH} inferences each (default: %(default)s)")
    parser.add_argument("--delays", nargs="+", type=int, metavar="TICKS", help="one a network")
    parser.add_argument("--csv", type=Path, metavar="FILE")
    args = parser.parse_args()
    try:
        if args.turns < 1 or args.stack < 1:
            raise ConfigError("--turns and --stack must be 1 or more")
        delays = args.delays or [0] * len(args.networks)
        if len(delays) != len(args.networks):
            raise ConfigError(f"--delays: {len(delays)} for {len(args.networks)} networks")
        options = args.plant_option or (["rom=catch", "observe=memory"] if args.plant == "pyboy"
                                        else [])
        plant = registry.spec(args.plant, options, 0)
        times = table(args.networks, measure(args.networks, plant, args.stack, args.turns), delays,
                      plant, args.stack)
        for each in times:
            print(f"{each.network:12} {each.parameters:>12,} weights, {each.median_ms:.4f} ms, "
                  f"{each.ratio:.2f} times the first"
                  + (f"; a delay of {each.delay_ticks} on a machine {each.slower:,} times slower"
                     if each.delay_ticks else ""))
        if args.csv:
            text = io.StringIO()
            writer = csv.DictWriter(text, list(asdict(times[0])), lineterminator="\n")
            writer.writeheader()
            writer.writerows(asdict(each) for each in times)
            write_atomically(args.csv, text.getvalue().encode())
    except (RealtimeRlError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
