"""`realtime-rl regret`: what learning, delay and inaction cost in a recorded run."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from realtime_rl import strict_json
from realtime_rl.cli.origin import add_origin, origin_of_bag
from realtime_rl.cli.output import put, write
from realtime_rl.core.errors import BagError, ConfigError
from realtime_rl.core.figures.accounting import account
from realtime_rl.core.figures.intervals import Interval
from realtime_rl.core.figures.regret import TERMS, Decomposition
from realtime_rl.files import user_path
from realtime_rl.plants import registry

if TYPE_CHECKING:
    from realtime_rl.bags.reader import Run
    from realtime_rl.bags.run_record import Origin

_EPILOG = """examples:
  realtime-rl regret run1                              against the newest version that acted
  realtime-rl regret run1 --reference player --plot regret.svg
  realtime-rl regret run1 --reference best.onnx --episodes 40 --json regret.json
  realtime-rl report run1 --regret regret.json --html run1.html       and in the report

The reference acts at every tick on the newest observation, as if the world waited. Episodes are
played again from where each began, so that every difference is between two runs of the same one."""
NEWEST = "newest"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command line."""
    parser = subparsers.add_parser(
        "regret", help="what learning, delay and inaction cost in a run", epilog=_EPILOG,
        description="Take the realtime regret of a recorded run apart (Theorem 1): what a "
                    "reference would have got, the policies that acted without delay, with the "
                    "measured delays, and with the recorded ticks without an action.",
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bag", type=user_path, metavar="BAG", help="a recorded run")
    parser.add_argument("--reference", default=NEWEST, metavar="POLICY|player|newest",
                        help="an ONNX file, the script that plays catch, or the newest version "
                             "that acted (default)")
    parser.add_argument("--policy", action="append", default=[], type=user_path, metavar="FILE",
                        help="a version that acted, where its file is elsewhere than in the run")
    parser.add_argument("--episodes", type=int, default=0, metavar="N",
                        help="so many episodes, evenly over the run; 0: all (default)")
    add_origin(parser)
    parser.add_argument("--plot", type=Path, metavar="FILE.svg",
                        help="draw the terms, summed up over the run")
    parser.add_argument("--json", metavar="FILE|-", help="write the figures as JSON")
    parser.set_defaults(main=main, outputs=("json", "plot"))


def main(args: argparse.Namespace) -> int:
    """Take the regret apart; errors are `RealtimeRlError`."""
    from realtime_rl.bags.reader import read_run

    if args.episodes < 0:
        raise ConfigError(f"--episodes {args.episodes!r} must be 0 or more")
    if args.plot is not None and args.plot.suffix != ".svg":
        raise ConfigError(f"--plot {str(args.plot)!r}: name it .svg")
    run = read_run(args.bag, args.namespace)
    for warning in run.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    origin = origin_of_bag(args, args.bag)
    inaction = account(run.records)["interaction"]["inaction_fraction"]
    if not origin.plant:
        reason = ("it is a robot's: what another policy would have got there cannot be played "
                  "again; of the terms inaction alone is known, as a share of the ticks")
        put(args, _json(args, run, None, inaction, reason), f"{args.bag}: {reason}: "
            + ("unknown" if inaction is None else f"{inaction:.4f}"))
        return 0
    found = _decompose(args, run, origin)
    if args.plot is not None:
        from realtime_rl.bags.regret_plot import draw_regret

        write(args.plot, draw_regret(found))
    put(args, _json(args, run, found, inaction), _text(found, args.reference))
    return 0


def _decompose(args: argparse.Namespace, run: Run, origin: Origin) -> Decomposition:
    from realtime_rl.simulate.regret import beginnings, judged
    from realtime_rl.simulate.versions import PLAYER, Versions, default_of, player_of

    options = registry.parse_options(list(origin.options))
    other = registry.make(origin.plant, options, origin.seed)
    try:
        spec = other.spec
        versions, default = Versions(run, origin, spec, args.policy), default_of(run, spec)
        if args.reference == PLAYER:
            reference = player_of(other, spec)
        else:
            judge = (versions.judge(versions.newest) if args.reference == NEWEST
                     else versions.judge_of(user_path(args.reference)))
            reference = lambda: judge  # noqa: E731 - as the player's, which is made anew each time
        returns = []
        for beginning in beginnings(
                run, lambda: registry.make(origin.plant, options, origin.seed), args.episodes):
            returns.append(judged(beginning, other, versions.judge, reference(), default))
            if sys.stderr.isatty():
                print(f"\rtick {beginning.tick}: {len(returns)} episodes", end="", file=sys.stderr)
    finally:
        other.close()
    if sys.stderr.isatty():
        print(file=sys.stderr)
    ended = [each for each in returns if math.isfinite(sum(each.terms.values()))]
    if not ended:
        raise BagError(f"bag {str(args.bag)!r} has no whole episode that can be played again; "
                       "record for longer")
    return Decomposition(tuple(ended))


def _text(found: Decomposition, reference: str) -> str:
    whole = found.regret
    lines = [f"{whole.n} episodes; regret an episode against {reference!r} at delay 1: "
             f"{whole:.3f}"]
    lines += [f"  {name:10} {interval.mean:8.3f}  {_ends(interval)}  {TERMS[name]}"
              for name, interval in found.means.items()]
    if found.means["delay"].mean < 0.0:
        lines.append("  what acts aims ahead, as it was trained at a delay: of learning and delay "
                     "only the sum says something")
    return "\n".join(lines)


def _ends(interval: Interval) -> str:
    if not math.isfinite(interval.low):
        return "[no interval of one episode]"
    return f"[{interval.low:.3f}, {interval.high:.3f}]"


def _json(args: argparse.Namespace, run: Run, found: Decomposition | None,
          inaction: float | None, reason: str = "") -> str:
    from realtime_rl.bags.regret_record import document

    told = document(run, args.reference, found, inaction, reason)
    return f"{strict_json.dumps(told, indent=2)}\n"
