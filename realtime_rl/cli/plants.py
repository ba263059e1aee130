"""`realtime-rl plants`: which plants there are, their options, what they show and take."""

from __future__ import annotations

import argparse

from realtime_rl import strict_json
from realtime_rl.core.errors import MissingDependencyError, PlantError
from realtime_rl.plants import registry
from realtime_rl.plants.shown import shown

_EPILOG = """examples:
  realtime-rl plants
  realtime-rl plants pyboy --plant-option rom=catch
  realtime-rl plants gymnasium --plant-option id=CartPole-v1
  realtime-rl plants --json
"""


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "plants", help="list the plants, their options, observations and actions",
        description="List the plants and their options; of one that is named also its period, "
                    "observation and actions, which a policy for it has to fit.", epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", help="show this one only")
    parser.add_argument("--plant-option", action="append", default=[], metavar="KEY=VALUE",
                        help="what it shows and takes with this option; may be given again")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Print the plants."""
    if args.plant_option and not args.name:
        raise PlantError("--plant-option is of one plant; name it, as in 'realtime-rl plants "
                         "pyboy --plant-option rom=catch'")
    names = [args.name] if args.name else registry.names()
    texts = {name: registry.describe(name) for name in names}
    if args.name:
        texts[args.name] += f"\n\n{_made(args.name, args.plant_option)}"
    print(strict_json.dumps(texts, indent=2) if args.json else "\n\n".join(texts.values()))
    return 0


def _made(name: str, words: list[str]) -> str:
    """What the plant shows and takes with these options; with none, why that is not known."""
    try:
        plant = registry.make(name, registry.parse_options(words), 0)
    except (PlantError, MissingDependencyError) as error:
        if words:
            raise
        return f"  what it shows and takes is known once it is made: {error}"
    try:
        return shown(plant.spec)
    finally:
        plant.close()
