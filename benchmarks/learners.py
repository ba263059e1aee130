"""Learning processes beside one another, against one, a large batch, and learning in the cycle.

A game runs on a clock, `--speed` times as fast as it is played live, and does not wait for
anyone; every variant has the same wall time. Its actions act `--delay` ticks after their
observation. Learning processes have the lowest priority (SCHED_IDLE), as live.

    asynchronous    K learning processes on shared weights, staggered
    one             one learning process
    large_batch     one learning process with a K times larger batch, and no more than a K-th of
                    the updates of `asynchronous`, when that was run before it
    in_cycle        one process infers, acts, then learns; the default policy acts meanwhile

    python -m benchmarks.learners
    python -m benchmarks.learners --seconds 300 --speed 4 --seeds 0 1 2 --json result.json
    python -m benchmarks.learners --seconds 5 --games 1 --seeds 0 --json -
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from benchmarks.wall_clock import Cycle, Run, Timing
from realtime_rl import strict_json
from realtime_rl.cli.train import learner as parse_learner
from realtime_rl.core.errors import ConfigError, RealtimeRlError
from realtime_rl.core.figures.intervals import mean_of
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.files import write_atomically
from realtime_rl.learning import torch_process
from realtime_rl.learning.dqn import DqnLearner
from realtime_rl.learning.pool import LearningPool
from realtime_rl.plants import registry
from realtime_rl.plants.base import Plant
from realtime_rl.simulate.evaluation import evaluate
from realtime_rl.simulate.loop import Delay

VARIANTS = ("asynchronous", "one", "large_batch", "in_cycle")
EVALUATION_SEED = 1_000_000_007
UNLIMITED = 2**60
LATE = 0.75


@dataclass(frozen=True)
class Setting:
    """What all variants of a comparison share."""

    plant: str
    options: dict[str, str]
    learner: DqnConfig
    learners: int
    """K."""
    delay_ticks: int
    seconds: float
    speed: float
    games: int


@dataclass(frozen=True)
class Result:
    """What one variant came to with one seed."""

    variant: str
    seed: int
    ticks: int
    updates: int
    updates_per_s: float
    samples_per_s: float
    """Transitions learned from: updates times batch."""
    loss: float | None
    inaction_fraction: float
    late_ticks: int
    """Ticks that began more than a period late."""
    late_return: float | None
    """Mean of the episodes that ended in the last quarter, exploration included."""
    greedy_return: float | None
    """Mean of the episodes played greedily afterwards, in virtual time."""
    greedy_low: float | None
    greedy_high: float | None


def in_cycle(setting: Setting, plant: Plant, period_s: float
             ) -> tuple[DqnLearner, Run, Timing, float]:
    """Learn in the process that acts, after each action of the policy."""
    learner = DqnLearner(setting.learner, plant.spec.observation, plant.spec.actions)
    timing = Timing(period_s)
    run = Run(setting.learner, plant, learner, Cycle(setting.delay_ticks, timing), timing)
    loss = float("nan")
    while timing.present * period_s < setting.seconds:
        if run.step():
            found = learner.advance(UNLIMITED)
            loss = loss if found is None else found
    return learner, run, timing, loss


def beside(setting: Setting, plant: Plant, period_s: float, learners: int, most: int
           ) -> tuple[LearningPool, Run, Timing, float]:
    """Learn in processes of their own while this one acts; make `most` updates at most."""
    with tempfile.TemporaryDirectory() as folder:
        pool = LearningPool(setting.learner, plant.spec.observation, plant.spec.actions, learners,
                            folder=Path(folder), tell=lambda text: print(text, file=sys.stderr))
        try:
            start_in_background(pool)
            timing = Timing(period_s)
            run = Run(setting.learner, plant, pool, Delay(setting.delay_ticks), timing)
            loss = float("nan")
            while (present := timing.present) * period_s < setting.seconds:
                run.step()
                share = present * period_s / setting.seconds
                found = pool.advance(most if most == UNLIMITED else int(most * share))
                loss = loss if found is None else found
        finally:
            pool.close()
    return pool, run, timing, loss


def start_in_background(pool: LearningPool) -> None:
    """Start the processes from a thread that steps back, whose priority they inherit."""
    def start() -> None:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        pool.advance(0)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()


def measure(setting: Setting, variant: str, seed: int, most: int) -> Result:
    """Run one variant for the wall time of the setting, then evaluate it in virtual time."""
    batch = setting.learner.batch_size * (setting.learners if variant == "large_batch" else 1)
    setting = replace(setting, learner=replace(setting.learner, seed=seed, batch_size=batch))
    plant = registry.make(setting.plant, setting.options, seed)
    period_s = plant.spec.period_ns / 1e9 / setting.speed
    try:
        if variant == "in_cycle":
            learner, run, timing, loss = in_cycle(setting, plant, period_s)
        else:
            learner, run, timing, loss = beside(
                setting, plant, period_s, setting.learners if variant == "asynchronous" else 1,
                most)
    finally:
        plant.close()
    figures = run.figures
    late = figures.interval(since_tick=int(LATE * figures.ticks))
    greedy = mean_of(greedy_returns(setting, learner, seed) if setting.games else [])
    updates = learner.updates
    return Result(variant, seed, figures.ticks, updates, updates / setting.seconds,
                  updates * batch / setting.seconds, known(loss), figures.inaction_fraction,
                  timing.late_ticks, known(late.mean), known(greedy.mean), known(greedy.low),
                  known(greedy.high))


def greedy_returns(setting: Setting, learner: DqnLearner | LearningPool, seed: int
                   ) -> list[float]:
    """Play some games without exploration or learning, with the delay alone."""
    plant = registry.make(setting.plant, setting.options, seed + EVALUATION_SEED)
    try:
        return evaluate(learner, plant, Delay(setting.delay_ticks), stack=setting.learner.stack,
                        episodes=setting.games).returns
    finally:
        plant.close()


def known(value: float) -> float | None:
    """JSON has no NaN."""
    return value if math.isfinite(value) else None


def compare(setting: Setting, variants: list[str], seeds: list[int],
            told: Callable[[Result], None] = lambda result: None) -> list[Result]:
    """Run every variant with every seed, one after another."""
    results = []
    for seed in seeds:
        most = UNLIMITED
        for variant in variants:
            result = measure(setting, variant, seed,
                             most if variant == "large_batch" else UNLIMITED)
            if variant == "asynchronous":
                most = result.updates // setting.learners
            told(result)
            results.append(result)
    return results


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--learners", type=int, default=2, metavar="K", help="default: 2")
    parser.add_argument("--seconds", type=float, default=300.0, metavar="S",
                        help="wall time of each training (default: %(default)s)")
    parser.add_argument("--speed", type=float, default=4.0, metavar="X",
                        help="how much faster than live the game runs (default: %(default)s)")
    parser.add_argument("--delay", type=int, default=2, metavar="TICKS", help="default: 2")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--games", type=int, default=20, help="played greedily afterwards")
    parser.add_argument("--plant", default="pyboy", metavar="NAME")
    parser.add_argument("--option", action="append", default=[], metavar="KEY=VALUE",
                        help="of the plant; pyboy: rom=catch when none is given")
    parser.add_argument("--set", action="append", default=[], metavar="learner.PARAMETER=VALUE")
    parser.add_argument("--json", metavar="FILE|-", help="write the figures as JSON")
    return parser.parse_args()


def setting_of(args: argparse.Namespace) -> Setting:
    for name, least in (("learners", 1), ("seconds", 0), ("speed", 0), ("delay", 1), ("games", 0)):
        value = getattr(args, name)
        if not (value >= least and (value > 0 or name == "games")):
            raise ConfigError(f"--{name} {value!r} must be above 0")
    options = args.option or (["rom=catch"] if args.plant == "pyboy" else [])
    learner = parse_learner(args.set, 0)
    if learner.action_history:
        raise ConfigError("learner.action_history: this comparison has none; leave it 0")
    return Setting(args.plant, registry.parse_options(options), learner, args.learners, args.delay,
                   args.seconds, args.speed, args.games)


def line(result: Result) -> str:
    def shown(value: float | None) -> str:
        return "–" if value is None else f"{value:.2f}"

    return (f"{result.variant:12} seed {result.seed}: {result.updates_per_s:7.1f} updates/s, "
            f"{result.samples_per_s:8.0f} samples/s, inaction {result.inaction_fraction:.3f}, "
            f"return {shown(result.late_return)} late, {shown(result.greedy_return)} greedy")


def main() -> int:
    args = parse()
    torch_process.prepare(1)
    try:
        setting = setting_of(args)
        results = compare(setting, args.variants, args.seeds,
                          lambda result: print(line(result), file=sys.stderr, flush=True))
        text = strict_json.dumps({
            "schema": 1, "cores": len(os.sched_getaffinity(0)), "load": os.getloadavg(),
            "setting": asdict(setting), "results": [asdict(result) for result in results]},
            indent=2) + "\n"
        if args.json == "-":
            print(text, end="")
        elif args.json:
            write_atomically(Path(args.json), text.encode())
    except (RealtimeRlError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
