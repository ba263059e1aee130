"""`realtime-rl plants`: which plants there are, and their options."""

from __future__ import annotations

import argparse

from realtime_rl import strict_json
from realtime_rl.plants import registry

_EPILOG = """examples:
  realtime-rl plants
  realtime-rl plants pyboy
  realtime-rl plants --json
"""


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "plants", help="list the plants and their options", description=__doc__, epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", help="show this one only")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Print the plants."""
    names = [args.name] if args.name else registry.names()
    texts = {name: registry.describe(name) for name in names}
    print(strict_json.dumps(texts, indent=2) if args.json else "\n\n".join(texts.values()))
    return 0
