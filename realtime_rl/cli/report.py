"""`realtime-rl report`: what a bag tells of a run."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from realtime_rl.cli.output import put, write
from realtime_rl.core.errors import ConfigError
from realtime_rl.files import user_path

if TYPE_CHECKING:
    from realtime_rl.bags.report import Report

_EPILOG = """examples:
  realtime-rl report run1                          a summary of the bag in the folder run1
  realtime-rl report run1 --html run1.html         with pictures, in one file
  realtime-rl report run1 --json - | jq .interaction.inaction_fraction
  realtime-rl report run1 --skip 10                without the time it took to find its schedule
  realtime-rl report fleet --namespace robot1      one robot of several in a bag
  realtime-rl report run1 run2 --html both.html    side by side, with the difference of the returns
  realtime-rl report run1 --follow --html run1.html    of a bag that is being written"""
_AGAIN_S = 5
"""Between two looks at a bag that is being written."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command line."""
    parser = subparsers.add_parser(
        "report", help="what a bag tells of a run", epilog=_EPILOG,
        description="Account for a recorded run: rate, inaction, delay, jitter, policies, "
                    "returns. A bag whose recorder was killed is read as far as it goes.",
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bag", type=user_path, metavar="BAG", nargs="+",
                        help="rosbag2 folder, or one .mcap or .db3 file, perhaps with .zstd; of "
                             "several: side by side")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with pictures")
    parser.add_argument("--json", metavar="FILE|-", help="write the figures as JSON (schema 1)")
    parser.add_argument("--namespace", metavar="NS",
                        help="whose topics to read, where the bag holds several robots'")
    parser.add_argument("--skip", type=float, default=0.0, metavar="S",
                        help="leave out the first seconds, in which the schedule is being found")
    parser.add_argument("--regret", type=user_path, metavar="FILE",
                        help="show what the run lost, and to what: what `realtime-rl regret "
                             "--json` wrote of it")
    parser.add_argument("--follow", action="store_true",
                        help=f"of a bag that is being written: again every {_AGAIN_S} s, until it "
                             "is whole or Ctrl-C")
    parser.set_defaults(main=main, outputs=("html", "json"))


def main(args: argparse.Namespace) -> int:
    """Read the bags, write what was asked for; errors are `RealtimeRlError`."""
    if not 0.0 <= args.skip <= 1e6:
        raise ConfigError(f"--skip: {args.skip!r} is outside 0 … 1000000 s")
    if args.follow and len(args.bag) > 1:
        raise ConfigError(f"--follow: one bag at a time, not {len(args.bag)}")
    if args.regret is not None and (len(args.bag) > 1 or args.follow):
        raise ConfigError("--regret: of one bag that is whole")
    if len(args.bag) > 1:
        return _compare(args)
    while not _report(args, args.bag[0]):
        time.sleep(_AGAIN_S)
    return 0


def _report(args: argparse.Namespace, bag: Path) -> bool:
    """Write one bag's report; return whether that was the last look."""
    from realtime_rl.bags.report import to_json, to_text

    report = _read(args, bag)
    last = not (args.follow and report.run.recovered)
    if args.json != "-":
        clear = "\x1b[H\x1b[2J" if args.follow and sys.stdout.isatty() else ""
        sys.stdout.write(clear + to_text(report))
        sys.stdout.flush()
    if args.html is not None:
        from realtime_rl.bags.html import page

        write(args.html, page(report, refresh_s=0 if last else _AGAIN_S).encode())
    if args.json == "-":
        for warning in report.warnings:
            print(f"warning: {warning}", file=sys.stderr)
        sys.stdout.write(to_json(report.figures))
    elif args.json is not None:
        write(Path(args.json), to_json(report.figures).encode())
    return last


def _read(args: argparse.Namespace, bag: Path) -> Report:
    from realtime_rl.bags.report import make_report

    with _progress() as progress:
        report = make_report(bag, args.namespace, progress, skip_s=args.skip)
    if args.regret is None:
        return report
    from realtime_rl.bags import regret_record

    return replace(report, regret=regret_record.read(args.regret, report.run))


def _compare(args: argparse.Namespace) -> int:
    from realtime_rl.bags.comparison import Comparison

    found = Comparison([_read(args, bag) for bag in args.bag])
    if args.html is not None:
        write(args.html, found.page().encode())
    put(args, found.to_json(), found.to_text().rstrip("\n"))
    return 0


@contextmanager
def _progress() -> Iterator[Callable[[int, int | None], None] | None]:
    """Show how far the reading is, to a person who watches."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("reading", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
