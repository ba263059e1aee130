"""What workers and merges of chunks are worth on an arm that is pushed: error in tracking a mark.

    python -m benchmarks.chunk_arm --out OUT
    python -m benchmarks.chunk_arm --out OUT --policy arm.onnx --episodes 10 --workers 1 4

The plant is `chunk_arm_env`, the policy that of `chunk_arm_policy`, which is made first where none
is given. All is played in virtual time with the package's own core; an inference is made to last
`--latency-ms`. Beside it the same policy is run as LeRobot's asynchronous queue does
(`lerobot_queue`): one worker, a new chunk when half of the rows are left, rows mixed 0.3 to 0.7.
Episodes of one number have the same marks and pushes whoever plays, so that differences are paired.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import numpy as np

from benchmarks import chunk_arm_policy
from benchmarks.chunk_arm_env import ID, RATE_HZ, TICKS, Pushed
from benchmarks.chunk_arm_table import MERGES, QUEUE, WAITS, Episode, Row, draw, rows_of, save, text
from benchmarks.chunk_virtual import Dealt, play
from benchmarks.lerobot_queue import Queue
from realtime_rl.bench.chunk_planning import plan_chunks
from realtime_rl.bench.planning import Expectation
from realtime_rl.core.control.chunk_book import Chunking
from realtime_rl.core.control.chunk_merging import Chunk, Merge
from realtime_rl.core.enumerations import MergeRule
from realtime_rl.core.errors import ConfigError, RealtimeRlError
from realtime_rl.core.figures.intervals import mean_of
from realtime_rl.core.observations import Observation
from realtime_rl.plants import registry
from realtime_rl.plants.base import Plant
from realtime_rl.policies.latency import Latency
from realtime_rl.simulate import players

_PERIOD_NS = 10**9 // RATE_HZ
_SKIPPED = 50
"""Ticks at an episode's begin that do not count, in which the first chunk comes."""
_NEAR_M = 0.02
Infer = Callable[[int, Observation], Chunk]


class Played(NamedTuple):
    """What an episode was, from `_SKIPPED` on."""

    rewards: list[float]
    feedback_ticks: float
    seam: float | None
    inaction: float


class Setting(NamedTuple):
    """One way of running the policy."""

    run_as: str
    workers: int
    play: Callable[[Plant], Played]


def staggered(infer: Infer, delay: Dealt, merge: str) -> Callable[[Plant], Played]:
    """Return what plays an episode with staggered workers, by the package's own core."""
    chunking = Chunking(Merge(MergeRule.of(merge)))

    def play_on(plant: Plant) -> Played:
        run = play(plant, infer, delay, TICKS, chunking)
        figures = run.figures(_SKIPPED)
        chunks = figures["chunks"]
        assert chunks is not None
        age = chunks["feedback_age_ticks"]["mean"]
        assert age is not None
        return Played([step.reward for step in run.steps[_SKIPPED:]], age,
                      chunks["seam_step"]["mean"], figures["interaction"]["inaction_fraction"] or 0)
    return play_on


def queued(infer: Infer, delay: int, threshold: float) -> Callable[[Plant], Played]:
    """Return what plays an episode as LeRobot's asynchronous queue does.

    An inference takes `delay` ticks, as of the one worker that `staggered` has.
    """
    def play_on(plant: Plant) -> Played:
        queue = Queue(chunk_arm_policy.ROWS, threshold)
        rewards, ages, seams = [], [], []
        idle, newest = 0, -1
        coming: Chunk | None = None
        for tick in range(TICKS):
            if coming is not None and tick >= queue.asked + delay:
                newest = queue.asked
                seams.append((tick, queue.take_in(newest + coming.first_offset,
                                                  np.array(coming.rows), tick)))
                coming = None
            row = queue.pop(tick)
            step = plant.step(plant.spec.actions.noop if row is None else tuple(row.tolist()))
            if tick >= _SKIPPED:
                idle += row is None
                rewards.append(step.reward)
                ages.append(tick - newest)
            if queue.wants:
                queue.ask(tick)
                coming = infer(tick, step.observation)
        known = [seam for tick, seam in seams if seam is not None and tick >= _SKIPPED]
        return Played(rewards, fmean(ages), fmean(known) if known else None, idle / len(ages))
    return play_on


def settings(args: argparse.Namespace, infer: Infer, delay: int, required: int
             ) -> Iterator[Setting]:
    """Yield what is compared."""
    yield Setting(WAITS, 1, staggered(infer, Dealt(1), MERGES[0]))
    for share in args.thresholds:
        yield Setting(f"{QUEUE} at {share:g}", 1, queued(infer, delay, share))
    for merge in args.merges:
        for workers in args.workers:
            dealt = Dealt(delay, workers=min(workers, required), cycle=required)
            yield Setting(merge, workers, staggered(infer, dealt, merge))


def measure(args: argparse.Namespace, policy: Path, delay: int, required: int) -> list[Episode]:
    """Play all episodes of all settings, some at a time in processes of their own."""
    count = len(args.thresholds) + len(args.merges) * len(args.workers) + 1
    with ProcessPoolExecutor(args.jobs, multiprocessing.get_context("spawn")) as pool:
        asked = [pool.submit(one_setting, args, policy, delay, required, place)
                 for place in range(count)]
        return [episode for each in asked for episode in each.result()]


def one_setting(args: argparse.Namespace, policy: Path, delay: int, required: int, place: int
                ) -> list[Episode]:
    """Play all episodes of one setting."""
    infer = players.load(str(policy), 1, _plant(0).spec)(0).policy
    assert infer is not None
    setting = next(islice(settings(args, infer, delay, required), place, None))
    found: list[Episode] = []
    for number in range(args.episodes):
        plant = _plant(args.seed + number)
        try:
            played = setting.play(plant)
        finally:
            plant.close()
        errors_m = -np.array(played.rewards)
        found.append(Episode(
            setting.workers, setting.run_as, number, 1e3 * float(errors_m.mean()),
            100.0 * float((errors_m < _NEAR_M).mean()), played.feedback_ticks, played.seam,
            100.0 * played.inaction))
    error = mean_of([each.error_mm for each in found])
    print(f"{setting.run_as}, {setting.workers} worker(s): {error:.1f} mm", file=sys.stderr)
    return found


def _plant(seed: int) -> Plant:
    return registry.make("gymnasium", {"id": ID}, seed)


def floor(episodes: int, seed: int) -> float:
    """Return the expert's own error [mm], which feels the pushes and needs no time."""
    env, errors = Pushed(), []
    for number in range(episodes):
        env.reset(seed=seed + number)
        for tick in range(TICKS):
            env.step(env.expert())
            if tick >= _SKIPPED:
                errors.append(env.error_m)
    return 1e3 * fmean(errors)


def compare(args: argparse.Namespace) -> None:
    """Make the tables and the plot."""
    policy = args.policy or args.out / "arm_chunks.onnx"
    latency = Latency.parse(f"constant:{args.latency_ms}ms")
    plan = plan_chunks(Expectation(latency, _PERIOD_NS), chunk_arm_policy.ROWS, 1)
    assert plan.given is not None
    if plan.given.rows_needed > chunk_arm_policy.ROWS:
        raise ConfigError(f"--latency-ms {args.latency_ms:g}: one worker would need chunks of "
                          f"{plan.given.rows_needed} rows, and the policy gives "
                          f"{chunk_arm_policy.ROWS}; take less")
    delay = plan.given.delay
    print(f"Emulated: each inference takes {args.latency_ms:g} ms of virtual time, so that a chunk "
          f"acts {delay} ticks of {1000 // RATE_HZ} ms after its observation; the network is "
          "small, and nothing was run on an accelerator or a robot.")
    args.out.mkdir(parents=True, exist_ok=True)
    if not policy.exists():
        chunk_arm_policy.make(policy)
    episodes = measure(args, policy, delay, plan.required_workers)
    rows = rows_of(episodes)
    save(args.out / "chunk_arm_episodes.csv", Episode, episodes, 5)
    save(args.out / "chunk_arm.csv", Row, rows, 3)
    draw(rows, args.out / "chunk_arm.svg",
         f"{args.episodes} episodes, emulated inference {args.latency_ms:g} ms, D = {delay} ticks, "
         f"H = {chunk_arm_policy.ROWS}; bars: 95 %")
    print(f"{args.episodes} episodes; the expert itself, without delay: "
          f"{floor(min(5, args.episodes), args.seed):.1f} mm\n")
    print(text(rows), end="")


def main() -> int:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.chunk_arm", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("chunk-arm-out"), metavar="DIR")
    parser.add_argument("--policy", type=Path, metavar="FILE", help="made first, if not given")
    parser.add_argument("--episodes", type=int, default=50, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2, 4, 8])
    parser.add_argument("--merges", nargs="+", choices=MERGES, default=list(MERGES))
    parser.add_argument("--thresholds", nargs="+", type=float, default=[0.5, 1.0],
                        help="of the queue; 1: it asks as often as one worker can")
    parser.add_argument("--latency-ms", type=float, default=215.0, metavar="MS",
                        help="how long an inference is made to last")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    args = parser.parse_args()
    if args.episodes < 2 or min(*args.workers, args.jobs) < 1:
        parser.error("--episodes is to be 2 or more, and --workers and --jobs 1 or more")
    if args.policy is not None and not args.policy.is_file():
        parser.error(f"--policy {args.policy}: there is no such file")
    try:
        compare(args)
        return 0
    except RealtimeRlError as error:
        print(f"chunk_arm: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
