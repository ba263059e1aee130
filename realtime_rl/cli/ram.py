"""`realtime-rl ram`: where in a game's memory something happens, to write rules by."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from realtime_rl import strict_json
from realtime_rl.cli import picture
from realtime_rl.cli.output import put
from realtime_rl.core.errors import ConfigError, PlantError
from realtime_rl.core.types import Action
from realtime_rl.files import user_path
from realtime_rl.plants import registry
from realtime_rl.plants.pyboy_plant import PyBoyPlant
from realtime_rl.plants.ram_search import CONDITIONS, RAM, Search, search
from realtime_rl.plants.symbols import Symbols

_EPILOG = """examples:
  realtime-rl ram --plant-option rom=catch --find only-rose --find by-one
  realtime-rl ram --plant-option rom=mine.gb --press A --equals 3 --symbols mine.sym
  realtime-rl ram --plant-option rom=mine.gb --png mine.png --json -"""
_MOST_TICKS = 1_000_000


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command line."""
    parser = subparsers.add_parser(
        "ram", help="search a Game Boy's memory, to write rules by", epilog=_EPILOG,
        description="Play a game for a while and list the bytes of its memory that did what is "
                    "looked for.", formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plant-option", action="append", default=[], metavar="KEY=VALUE",
                        help="of the plant pyboy, as in rom=mine.gb")
    parser.add_argument("--steps", type=int, default=600, metavar="N",
                        help="ticks to play (default: %(default)s)")
    parser.add_argument("--press", metavar="LABEL",
                        help="hold this all the time; left out: random actions")
    parser.add_argument("--hold", type=int, default=8, metavar="TICKS",
                        help="ticks for which a random action is held (default: %(default)s)")
    parser.add_argument("--find", action="append", default=[], choices=tuple(CONDITIONS),
                        help="bytes that did so; given again, all of it holds (default: changed)")
    parser.add_argument("--equals", type=int, metavar="V", help="bytes that are V at the end")
    parser.add_argument("--most", type=int, default=40, metavar="N",
                        help="list so many at most (default: %(default)s)")
    parser.add_argument("--symbols", type=user_path, metavar="FILE",
                        help="a .sym file, to name addresses by")
    parser.add_argument("--png", type=Path, metavar="FILE",
                        help="write the picture that a policy would see last")
    parser.add_argument("--seed", type=int, default=0, help="of plant and play (default: 0)")
    parser.add_argument("--json", metavar="FILE|-", help="write what was found as JSON")
    parser.set_defaults(main=main, outputs=("json", "png"))


def main(args: argparse.Namespace) -> int:
    """Play, and print what was found."""
    for name, value in (("steps", args.steps), ("hold", args.hold), ("most", args.most)):
        if not 1 <= value <= _MOST_TICKS:
            raise ConfigError(f"--{name}: {value!r} is outside 1 … {_MOST_TICKS}")
    symbols = Symbols.load(args.symbols) if args.symbols else Symbols()
    plant = registry.make("pyboy", registry.parse_options(args.plant_option), args.seed)
    assert isinstance(plant, PyBoyPlant)
    try:
        if args.png is not None:
            picture.check(plant.spec)
        found = search(_played(plant, args))
    finally:
        plant.close()
    conditions = args.find or ([] if args.equals is not None else ["changed"])
    places = found.where(conditions, args.equals)
    rows = [_row(found, place, symbols) for place in places[:args.most].tolist()]
    lines = [f"{len(places)} of {found.addresses.size} bytes; listed: {len(rows)}",
             "address  first  last   low  high  rose  fell  most  symbol", *map(_line, rows)]
    put(args, strict_json.dumps({"schema": 1, "found": len(places), "bytes": rows}, indent=2)
        + "\n", "\n".join(lines))
    return 0


def _played(plant: PyBoyPlant, args: argparse.Namespace) -> Iterator[tuple[bytes, bool]]:
    """Yield memory at each tick, and whether an episode begins; write the last picture."""
    labels, random = plant.spec.actions.labels, np.random.default_rng(args.seed)
    if args.press is not None and args.press not in labels:
        raise PlantError(f"--press {args.press!r} is none of the actions: {' '.join(labels)}")
    action: Action = (float(labels.index(args.press)) if args.press else 0.0,)
    step = None
    for tick in range(args.steps):
        if args.press is None and tick % args.hold == 0:
            action = (float(random.integers(len(labels))),)
        step = plant.step(action)
        yield plant.ram(RAM), step.first
    if args.png is not None and step is not None:
        picture.save(args.png, step.observation)


def _row(found: Search, place: int, symbols: Symbols) -> dict[str, int | str]:
    address = int(found.addresses[place])
    return {"address": address, "first": int(found.first[place]), "last": int(found.last[place]),
            "low": int(found.low[place]), "high": int(found.high[place]),
            "rose": int(found.rises[place]), "fell": int(found.falls[place]),
            "most": int(found.largest[place]), "symbol": symbols.near(address)}


def _line(row: dict[str, int | str]) -> str:
    return (f"{row['address']:#06x} {row['first']:>7} {row['last']:>5} {row['low']:>5} "
            f"{row['high']:>5} {row['rose']:>5} {row['fell']:>5} {row['most']:>5}  "
            f"{row['symbol']}").rstrip()
