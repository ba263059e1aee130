"""From what a recorded run can be made once more: as the command line says, else as was noted."""

from __future__ import annotations

import argparse
from pathlib import Path

from realtime_rl.bags import run_record
from realtime_rl.bags.run_record import Origin
from realtime_rl.core.errors import BagError


def add_origin(parser: argparse.ArgumentParser) -> None:
    """Add the options that say it."""
    parser.add_argument("--plant", metavar="NAME",
                        help="where the bag does not say it, with --plant-option and --seed")
    parser.add_argument("--plant-option", action="append", default=[], metavar="KEY=VALUE",
                        help="of the plant; may be given again")
    parser.add_argument("--seed", type=int, default=0, help="of the plant (default: 0)")
    parser.add_argument("--namespace", metavar="NS",
                        help="whose topics to read, where the bag holds several robots'")


def origin_of_bag(args: argparse.Namespace, bag: Path) -> Origin:
    """Return it; `BagError` where nobody says it."""
    try:
        noted = run_record.read(bag) if bag.is_dir() else None
    except ValueError as error:
        raise BagError(f"{str(bag / run_record.NAME)!r}: {error}") from error
    known = noted.origin if noted is not None else None
    if args.plant:
        return Origin(args.plant, tuple(args.plant_option), args.seed,
                      known.policy if known is not None else "")
    if known is None:
        raise BagError(f"bag {str(bag)!r} does not say from what it can be made again "
                       f"({run_record.NAME}): give --plant, --plant-option and --seed")
    return known
