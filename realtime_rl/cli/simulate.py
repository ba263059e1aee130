"""`realtime-rl simulate`: a policy and a plant in virtual time, with a fixed delay."""

from __future__ import annotations

import argparse
import math
import sys
from collections import deque
from dataclasses import asdict
from typing import Any

from realtime_rl import strict_json
from realtime_rl.cli import chunks, picture, policy_options
from realtime_rl.cli.output import put, say_about
from realtime_rl.core.control import default_policy
from realtime_rl.core.control.exploration import OFF, Exploration
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.figures.counters import in_words
from realtime_rl.files import user_path
from realtime_rl.plants import registry
from realtime_rl.plants.base import remarks_of
from realtime_rl.simulate import players
from realtime_rl.simulate.episodes import Game, play_all
from realtime_rl.simulate.loop import INTERACTIONS, LONGEST, Delay, VirtualTick
from realtime_rl.simulate.tally import Tally, play

_EPILOG = """examples:
  realtime-rl simulate --plant pyboy --plant-option rom=catch --policy random --steps 36000
  realtime-rl simulate --plant pyboy --plant-option rom=catch --policy policy.onnx --delay 6 \\
      --episodes 100 --processes 2
  realtime-rl simulate --plant pyboy --plant-option rom=catch --policy policy.onnx --delay 6 \\
      --interaction sequential --json -
  realtime-rl simulate --plant pyboy --plant-option rom=catch --seed 1 \\
      --replay runs/20260101-120000"""
_SCHEMA = 1


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command line."""
    parser = subparsers.add_parser(
        "simulate", help="run a policy in virtual time", epilog=_EPILOG,
        description="Run a policy on a plant in virtual time: the action of observation k acts at "
                    "tick k + delay. The same seed gives the same figures.",
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plant", required=True, metavar="NAME",
                        help="see `realtime-rl plants`")
    parser.add_argument("--plant-option", action="append", default=[], metavar="KEY=VALUE",
                        help="of the plant; may be given again")
    played = parser.add_mutually_exclusive_group(required=True)
    played.add_argument("--policy", metavar="FILE|random|default",
                        help="an ONNX file, uniformly random actions, or the default policy only")
    played.add_argument("--replay", type=user_path, metavar="BAG",
                        help="the commands of a recorded run instead, tick by tick: status 1 when "
                             "an observation, a reward or an episode's end is not the recorded "
                             "one; plant, options and seed are to be those of the run")
    parser.add_argument("--exploration", default=OFF, metavar="learner|off|SHARE",
                        help="of a policy from a file: as much as the file says that its learner "
                             "wants, none, or a share of the time from 0 to 1 (default: "
                             "%(default)s, as in a live scenario without a learner)")
    parser.add_argument("--stack", type=int, default=0, metavar="N",
                        help="observations joined for a policy without metadata, which does not "
                             "say; 0: it takes one (default)")
    parser.add_argument("--hold", type=int, default=1, metavar="TICKS",
                        help="ticks for which a random action is held (default: 1)")
    parser.add_argument("--default-policy", default="noop", choices=default_policy.NAMES[:2],
                        help="what acts on ticks without an action (default: %(default)s)")
    parser.add_argument("--delay", type=int, default=1, metavar="TICKS",
                        help="from observation to action; 1: the world seems to wait (default)")
    parser.add_argument("--interaction", choices=INTERACTIONS, default="asynchronous",
                        help="an inference at every tick, or one after another "
                             "(default: %(default)s)")
    parser.add_argument("--every", type=int, default=1, metavar="TICKS",
                        help="asynchronous: between the starts of two inferences, as with fewer "
                             "workers (default: %(default)s)")
    chunks.add_arguments(parser)
    parser.add_argument("--steps", type=int, default=36_000, metavar="N",
                        help="ticks to run (default: %(default)s)")
    parser.add_argument("--episodes", type=int, metavar="E",
                        help="instead of --steps: so many whole episodes, each with a seed of its "
                             f"own; one that does not end within {LONGEST} ticks has no return")
    parser.add_argument("--processes", type=int, default=1, metavar="P",
                        help="that share the episodes; the figures are the same for any number "
                             "(default: 1)")
    parser.add_argument("--seed", type=int, default=0, help="of plant and play (default: 0)")
    parser.add_argument("--json", metavar="FILE|-", help="write the figures as JSON")
    policy_options.add(parser)
    parser.add_argument("--png", type=user_path, metavar="FILE",
                        help="write the picture that was seen last; with --steps")
    parser.set_defaults(main=main, outputs=("json", "png"))


def main(args: argparse.Namespace) -> int:
    """Run the simulation and print its figures; errors are `RealtimeRlError`."""
    if args.replay is not None:
        return _replay(args)
    figures = run(args)
    for text in figures.remarks:
        _warn(text)
    interval, same = figures.interval(), figures.same
    counted = dict(zip(figures.counter_names, figures.counters, strict=False))
    cut = 0 if args.episodes is None else args.episodes - interval.n
    document = {
        "schema": _SCHEMA, "plant": args.plant, "policy": args.policy, "seed": args.seed,
        "exploration": None if args.policy in players.NO_FILE else args.exploration,
        "delay_ticks": args.delay,
        "interaction": args.interaction, "every_ticks": args.every, "ticks": figures.ticks,
        "feedback_age_ticks": {"mean": _known(figures.age_mean), "p95": figures.age_p95},
        "reward": figures.reward, "reward_per_tick": _known(figures.reward_per_tick),
        "inaction_fraction": _known(figures.inaction_fraction),
        "episodes": {"count": interval.n, "cut": cut, "return": {
            "mean": _known(interval.mean), "low": None if same else _known(interval.low),
            "high": None if same else _known(interval.high)}, "same": same},
        "counters": counted,
    }
    sentence = _sentence(figures, cut)
    _put(args, document, f"{sentence}; {in_words(counted)}" if counted else sentence)
    return 0


def _put(args: argparse.Namespace, document: dict[str, Any], sentence: str) -> None:
    put(args, f"{strict_json.dumps(document, indent=2)}\n", sentence)


def _replay(args: argparse.Namespace) -> int:
    from realtime_rl.bags.reader import read_run
    from realtime_rl.simulate.parity import replay

    options = registry.parse_options(args.plant_option)
    recorded = read_run(args.replay)
    for warning in recorded.warnings:
        _warn(warning)
    parity = replay(recorded, lambda: registry.make(args.plant, options, args.seed))
    if parity.difference:
        parity.difference += "; are the options and --seed those of the run?"
    document = {"schema": _SCHEMA, "plant": args.plant, "bag": str(args.replay),
                "seed": args.seed, **asdict(parity), "difference": parity.difference or None}
    _put(args, document,
         f"{parity.ticks} ticks, {parity.observations} observations and {parity.episode_ends} "
         f"episode ends are the same, {parity.skipped_ticks} ticks skipped; "
         f"observations' SHA-256 {parity.observations_sha256[:16]}…; "
         f"{parity.difference or 'no difference to the last tick'}")
    return 1 if parity.difference else 0


def _warn(text: str) -> None:
    print(f"warning: {text}", file=sys.stderr)


def run(args: argparse.Namespace) -> Tally:
    """Simulate what the command line asks for."""
    if args.stack < 0:
        raise ConfigError(f"--stack {args.stack!r} must be 0 or more")
    delay = Delay(args.delay, args.interaction, args.every)
    options = registry.parse_options(args.plant_option)
    if args.png is not None and args.episodes is not None:
        raise ConfigError("--png: the last picture of --steps; without --episodes")
    if args.episodes is not None:
        spec = registry.spec(args.plant, args.plant_option, args.seed)
        return play_all(Game(args.plant, options, args.policy, delay, args.seed, args.hold,
                             args.default_policy, args.exploration,
                             policy_options.of(args, stack=args.stack),
                             chunks.chunking(args, spec.actions)), args.episodes,
                        args.processes, _warn)
    if args.processes != 1:
        raise ConfigError("--processes: what is shared out is episodes; give --episodes N")
    if args.steps < 1:
        raise ConfigError(f"steps {args.steps!r} must be 1 or more")
    plant = registry.make(args.plant, options, args.seed)
    say_about(plant.spec)
    try:
        said = policy_options.of(args, stack=args.stack)
        player = players.load(args.policy, args.hold, plant.spec,
                              Exploration.parse(args.exploration), options=said,
                              warn=_warn)(args.seed)
        default = default_policy.make(args.default_policy, plant.spec.actions, seed=args.seed)
        if args.png is not None:
            picture.check(plant.spec)
        seen: deque[VirtualTick] = deque(maxlen=1)
        figures = play(player.loop(plant, delay, default,
                                   chunks.chunking(args, plant.spec.actions)), args.steps,
                       None if args.png is None else seen.append)
        for tick in seen:
            picture.save(args.png, tick.observation)
        figures.remarks, figures.counter_names = remarks_of(plant), list(plant.spec.counters)
        return figures
    finally:
        plant.close()


def _sentence(figures: Tally, cut: int) -> str:
    interval = figures.interval()
    head = (f"{figures.ticks} ticks, {interval.n} episodes, reward {figures.reward:g} "
            f"({figures.reward_per_tick:.4f} a tick)")
    if cut:
        head += f", {cut} more cut off after {LONGEST} ticks without an end"
    if interval.n == 0 and cut:
        return f"{head}: no mean return"
    if interval.n == 0:
        return f"{head}: no episode ended; raise --steps for a mean return"
    if figures.same:
        return (f"{head}: all episodes were the same, each with the return {interval.mean:g}, so "
                "that one says as much; for others set the plant's noops, or a seed where it has "
                "one")
    return (f"{head}: mean return {interval:.3f}, inaction "
            + (f"{figures.inaction_fraction:.4f}, feedback {figures.age_mean:.1f} ticks old"
               if math.isfinite(figures.inaction_fraction) else "not counted, as no policy acted"))


def _known(value: float) -> float | None:
    """JSON has no NaN; what is not known is null."""
    return value if math.isfinite(value) else None
