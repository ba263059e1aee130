"""`realtime-rl dataset`: recorded runs as datasets for offline learning."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from realtime_rl.cli.origin import add_origin, origin_of_bag
from realtime_rl.core.errors import BagError
from realtime_rl.core.types import PlantSpec
from realtime_rl.files import make_parents, user_path
from realtime_rl.plants import registry

if TYPE_CHECKING:
    from realtime_rl.bags.recorded_episodes import RecordedEpisode

_EPILOG = """examples:
  realtime-rl dataset run1 run2 --to minari --out datasets/catch-v0
  MINARI_DATASETS_PATH=datasets python -c "import minari; print(minari.load_dataset('catch-v0'))"
  realtime-rl dataset run1 --to lerobot --out datasets/catch

Each whole episode of the bags becomes one of the dataset. Actions are what was really applied;
who chose them, how late and on what observation stands beside them. A Minari dataset that was
made so can be learned from: realtime-rl train --demonstrations datasets/catch-v0"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command line."""
    parser = subparsers.add_parser(
        "dataset", help="recorded runs as a dataset for offline learning", epilog=_EPILOG,
        description="Write the whole episodes of recorded runs as a dataset: what was seen, what "
                    "was really applied, by whom and how late.",
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bag", type=user_path, metavar="BAG", nargs="+",
                        help="recorded runs of one plant")
    parser.add_argument("--to", choices=("minari", "lerobot"), default="minari",
                        help="its kind; lerobot: format v3.0 (default: %(default)s)")
    parser.add_argument("--out", type=user_path, required=True, metavar="FOLDER",
                        help="new folder; Minari wants a name like catch-v0")
    add_origin(parser)
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Write the dataset; errors are `RealtimeRlError`."""
    from realtime_rl.bags import lerobot_dataset, minari_dataset

    writer = lerobot_dataset if args.to == "lerobot" else minari_dataset
    spec = _spec(args)
    try:
        make_parents(args.out)
    except OSError as error:
        raise BagError(f"{str(args.out)!r} cannot be written: {error.strerror}") from error
    ticks = [0]
    about = f"{spec.name}, recorded by realtime_rl: {', '.join(path.name for path in args.bag)}"
    count = writer.write(args.out, spec, _episodes(args, spec, ticks), about)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(f"{args.out}: {count} episodes, {ticks[0]} ticks of {spec.name}")
    return 0


def _spec(args: argparse.Namespace) -> PlantSpec:
    origin = origin_of_bag(args, args.bag[0])
    if not origin.plant:
        raise BagError(f"bag {str(args.bag[0])!r} is a robot's; its episodes have no plant that "
                       "says what its actions are: not written")
    return registry.spec(origin.plant, list(origin.options), origin.seed)


def _episodes(args: argparse.Namespace, spec: PlantSpec, ticks: list[int]
              ) -> Iterator[RecordedEpisode]:
    from realtime_rl.bags.reader import read_run
    from realtime_rl.bags.recorded_episodes import whole_episodes

    for bag in args.bag:
        run = read_run(bag, args.namespace)
        for warning in run.warnings:
            print(f"warning: {warning}", file=sys.stderr)
        for episode in whole_episodes(run, spec):
            ticks[0] += len(episode.steps)
            if sys.stderr.isatty():
                print(f"\r{bag}: {ticks[0]:,} ticks", end="", file=sys.stderr)
            yield episode

