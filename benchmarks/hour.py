"""Time and memory of what is done with an hour's bag, pictures and all.

The bag is made in virtual time, as fast as the plant goes: the policy at its delay, every tick and
every observation, as the recorder would have written them.

    python -m benchmarks.hour                                      # an hour; some minutes each
    python -m benchmarks.hour --hours 0.1 --verbs minari lerobot
    python -m benchmarks.hour --hours 0.03 --verbs --interaction sequential --keep sequential
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from realtime_rl.bags import messages, run_record
from realtime_rl.bags.run_record import Origin
from realtime_rl.bags.writer import BagWriter, TopicInfo
from realtime_rl.core.control import default_policy
from realtime_rl.core.control.exploration import Exploration
from realtime_rl.core.errors import RealtimeRlError
from realtime_rl.core.messages import observation_wire, wire
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.observations import Observation, split
from realtime_rl.core.peers.deaths import Deaths
from realtime_rl.core.types import Cause
from realtime_rl.plants import registry
from realtime_rl.policies.compute import Compute
from realtime_rl.policies.onnx_policy import OnnxPolicy
from realtime_rl.simulate import players
from realtime_rl.simulate.loop import INTERACTIONS, Delay

ROOT = Path(__file__).resolve().parent.parent
POLICY = ROOT / "policies" / "catch.onnx"
GAME, SEED, DELAY = "rom=catch", 1, 6
START_NS = 1_760_000_000_000_000_000
VERBS = ("report", "compare", "minari", "lerobot", "regret")


def played(ticks: int, options: list[str], interaction: str
           ) -> Iterator[tuple[Timestep, Observation]]:
    """Play in virtual time."""
    plant = registry.make("pyboy", registry.parse_options(options), SEED)
    player = players.load(str(POLICY), 1, plant.spec, Exploration.parse("off"))(SEED)
    default = default_policy.make("noop", plant.spec.actions, seed=SEED)
    loop = player.loop(plant, Delay(DELAY, interaction), default)
    try:
        for _ in range(ticks):
            yield loop.step()
    finally:
        plant.close()


def write(folder: Path, hours: float, more: Sequence[str] = (),
          interaction: str = "asynchronous") -> int:
    """Write a bag, of a plant with `more` options; return how many ticks it has."""
    options = [GAME, *more]
    spec = registry.spec("pyboy", options, SEED)
    ticks = round(hours * 3600e9 / spec.period_ns)
    version = OnnxPolicy.load(POLICY, (spec.observation, spec.actions), Compute("cpu")).version
    topics = [f"/{topic}" for topic in observation_wire.topics(spec.observation).values()]
    with BagWriter(folder, [TopicInfo("/timestep", messages.SCALARS),
                            *(TopicInfo(topic, messages.IMAGE) for topic in topics)]) as bag:
        for step, observation in played(ticks, options, interaction):
            stamped = replace(step, stamp_ns=START_NS + step.tick * spec.period_ns,
                              version=version if step.cause is Cause.POLICY else -1)
            words = wire.encode_words({"plant": step.plant, "tick": step.tick,
                                       "first": int(step.first)})
            for topic, value in zip(topics, split(observation), strict=True):
                bag.write(topic, messages.image_to_cdr(stamped.stamp_ns, words, value),
                          stamped.stamp_ns)
            bag.write("/timestep", messages.scalars_to_cdr(wire.encode(stamped)),
                      stamped.stamp_ns + 1)
            if step.tick % 1000 == 0:
                bag.flush()
    run_record.write(folder, Deaths(), "",
                     origin=Origin("pyboy", tuple(options), SEED, POLICY.as_uri()))
    return ticks


def command(verb: str, bag: Path, out: Path, episodes: int) -> list[str]:
    """Return the words of what is measured."""
    return {"report": ["report", str(bag), "--html", str(out / "page.html")],
            "compare": ["report", str(bag), str(bag), "--html", str(out / "both.html")],
            "minari": ["dataset", str(bag), "--to", "minari", "--out", str(out / "catch-v0")],
            "lerobot": ["dataset", str(bag), "--to", "lerobot", "--out", str(out / "catch")],
            "regret": ["regret", str(bag), "--reference", "player", "--episodes", str(episodes),
                       "--json", str(out / "regret.json")]}[verb]


def measured(words: list[str], out: Path) -> dict[str, Any]:
    """Run a verb in a process of its own; return what it took."""
    begin_s = time.monotonic()
    child = subprocess.Popen([sys.executable, "-m", "realtime_rl.cli.main", *words],
                             stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RealtimeRlError(f"{words[0]} failed with status {child.returncode}")
    return {"seconds": round(time.monotonic() - begin_s, 1),
            "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
            "peak_megabytes": round(used.ru_maxrss / 1024, 1),
            "written_megabytes": round(sum(
                path.stat().st_size for path in out.rglob("*") if path.is_file()) / 1e6, 1)}


def main() -> int:
    """Make the bag, and print what each verb took with it, a line each."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=1.0, help="of the bag")
    parser.add_argument("--verbs", nargs="*", choices=VERBS, default=VERBS)
    parser.add_argument("--option", action="append", default=[], metavar="KEY=VALUE",
                        help="of the plant, as stochasticity=0")
    parser.add_argument("--interaction", choices=INTERACTIONS, default=INTERACTIONS[0])
    parser.add_argument("--episodes", type=int, default=0, help="of regret; 0: all (default)")
    parser.add_argument("--keep", type=Path, help="where the bag is, or is left")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="realtime_rl-hour-") as name:
        bag = args.keep or Path(name, "bag")
        if not bag.exists():
            begin_s = time.monotonic()
            ticks = write(bag, args.hours, args.option, args.interaction)
            print(f"{ticks:,} ticks made in {time.monotonic() - begin_s:.0f} s", file=sys.stderr)
        for verb in args.verbs:
            out = Path(name, verb)
            out.mkdir()
            print(json.dumps({"verb": verb, **measured(command(verb, bag, out, args.episodes),
                                                       out)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
