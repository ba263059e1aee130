"""A learner's memory over an hour of play, without ROS and as fast as the machine can.

Pictures come in buffers of their own, as messages bring them, and are assembled, queued, learned
from and forgotten by the learner's own parts and its own thread; a policy is exported every ten
seconds of the plant's time. Only updates are fewer than live (`--updates-per-transition`): an hour
of them takes an hour.

    python benchmarks/memory.py                                # an hour of config/catch.yaml
    python benchmarks/memory.py --ticks 30000 --replay-size 5000 --updates-per-transition 0.2
"""

from __future__ import annotations

import argparse
import array
import os
import queue
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from realtime_rl import strict_json
from realtime_rl.core.errors import RealtimeRlError
from realtime_rl.core.experience.assembler import Assembler
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.observations import Observation, ObservationSpec
from realtime_rl.core.settings.config import build
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.core.types import ActionSpace, Cause
from realtime_rl.learning import torch_process
from realtime_rl.learning.dqn import DqnLearner
from realtime_rl.learning.onnx_export import PolicyExporter
from realtime_rl.learning.trainer import Trainer
from realtime_rl.learning.transition_table import full_bytes
from realtime_rl.ros.scenario_file import read_settings

ACTIONS = ActionSpace(("LEFT", "RIGHT", "NOOP"), (2.0,))
PERIOD_NS = 16_742_706
DELAY_TICKS = 7
EPISODE_TICKS = 300
EXPORT_NS = 10_000_000_000
CONFIG = Path(__file__).resolve().parent.parent / "config" / "catch.yaml"


@dataclass(frozen=True, slots=True)
class Sample:
    """The process' memory at a tick."""

    tick: int
    transitions: int
    rss_mb: float


def learner_config(path: Path, **changed: object) -> DqnConfig:
    """Return the learner's parameters of a scenario, some of them changed."""
    known = {field.name for field in fields(DqnConfig)}
    settings = read_settings(path).settings.get("learner", {})
    return build(DqnConfig, {name: value for name, value in {**settings, **changed}.items()
                             if name in known})


def picture(rng: np.random.Generator, size: int) -> Observation:
    """Return a picture as `messages.from_observation` does: a view of the message's buffer."""
    return np.frombuffer(array.array("B", rng.bytes(size * size)), np.uint8).reshape(1, size, size)


def record(tick: int) -> Timestep:
    """Return the record of a tick at which a policy acts, in episodes of five seconds."""
    acts = tick >= DELAY_TICKS
    return Timestep(
        tick * PERIOD_NS, tick, PERIOD_NS, 0.0, False, tick // EPISODE_TICKS,
        float(tick % 50 == 0), 1.0, tick % EPISODE_TICKS == 0,
        tick % EPISODE_TICKS == EPISODE_TICKS - 1, Cause.POLICY if acts else Cause.DEFAULT, 0, 0,
        tick - DELAY_TICKS if acts else -1, (float(tick % ACTIONS.size),))


def rss_mb() -> float:
    """Return this process' resident memory [10⁶ bytes]."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def play(config: DqnConfig, args: argparse.Namespace, folder: Path) -> Iterator[Sample]:
    """Feed a learner; yield its memory every so many ticks. `RealtimeRlError` as it raises."""
    spec = ObservationSpec((1, args.size, args.size), "uint8", 0, 255)
    learner = DqnLearner(config, spec, ACTIONS)
    said: queue.Queue[str] = queue.Queue()
    clock = [0]
    trainer = Trainer(
        learner, PolicyExporter(learner.network, folder), folder=folder, now=lambda: clock[0],
        export_interval_ns=EXPORT_NS, updates_per_transition=args.updates_per_transition,
        first_version=1, on_export=lambda uri, version: None, on_failure=said.put,
        on_trouble=said.put)
    assembler = Assembler(stack=config.stack, gamma=config.gamma, history=config.action_history)
    rng = np.random.default_rng(args.seed)
    trainer.start()
    try:
        for tick in range(args.ticks + 1):
            clock[0] = tick * PERIOD_NS
            step = record(tick)
            for transition in (assembler.observe(tick, picture(rng, args.size), step.first)
                               + assembler.step(step)):
                trainer.add(transition)
            while trainer.waiting > args.ahead and said.empty():
                time.sleep(0.001)  # the plant waits here, as it never does
            if not said.empty():
                raise RealtimeRlError(said.get())
            if tick % args.every == 0:
                yield Sample(tick, learner.transitions, rss_mb())
    finally:
        trainer.close()


def judged(samples: Sequence[Sample], config: DqnConfig, size: int) -> dict[str, Any]:
    """Say how much memory was taken until the replay was full, and how much after that."""
    full = [sample for sample in samples if sample.transitions >= config.replay_size]
    grown = full[-1].rss_mb - full[0].rss_mb if full else None
    hours = (full[-1].tick - full[0].tick) * PERIOD_NS / 3.6e12 if full else 0.0
    spec = ObservationSpec((1, size, size), "uint8", 0, 255)
    return {"samples": [asdict(sample) for sample in samples],
            "predicted_replay_mb": full_bytes(config, spec) / 1e6,
            "first_mb": samples[0].rss_mb, "last_mb": samples[-1].rss_mb,
            "full_at_tick": full[0].tick if full else None,
            "grown_when_full_mb": grown, "hours_when_full": hours}


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=CONFIG, help="scenario with the learner")
    parser.add_argument("--ticks", type=int, default=215_018, help="an hour of them (default)")
    parser.add_argument("--updates-per-transition", type=float, default=0.01)
    parser.add_argument("--replay-size", type=int, help="transitions (default: as in the file)")
    parser.add_argument("--network", help="default: as in the file")
    parser.add_argument("--size", type=int, default=84, help="of a picture [px]")
    parser.add_argument("--every", type=int, default=5000, help="ticks between samples")
    parser.add_argument("--ahead", type=int, default=50, help="transitions that may wait")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", metavar="FILE", help="write the figures; -: to standard output")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Play; return the exit status."""
    args = parsed(arguments)
    changed = {name: getattr(args, name) for name in ("replay_size", "network")
               if getattr(args, name) is not None}
    samples: list[Sample] = []
    try:
        config = learner_config(args.config, **changed)
        torch_process.prepare(1)
        with tempfile.TemporaryDirectory() as folder:
            for sample in play(config, args, Path(folder)):
                samples.append(sample)
                print(f"tick {sample.tick:7d}  {sample.transitions:7d} transitions  "
                      f"{sample.rss_mb:7.1f} MB", file=sys.stderr)
    except RealtimeRlError as error:
        print(f"memory: error: {error}", file=sys.stderr)
        return 2
    figures = judged(samples, config, args.size)
    grown = figures["grown_when_full_mb"]
    print(f"the replay was to take {figures['predicted_replay_mb']:.0f} MB: from "
          f"{figures['first_mb']:.0f} to {figures['last_mb']:.0f} MB; "
          + ("never full" if grown is None else
             f"once full {grown:+.1f} MB in {figures['hours_when_full']:.2f} h"), file=sys.stderr)
    if args.json == "-":
        print(strict_json.dumps(figures))
    elif args.json:
        Path(args.json).write_text(strict_json.dumps(figures), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
