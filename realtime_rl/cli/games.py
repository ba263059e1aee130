"""`realtime-rl games`: the games that there are rules for, and what each needs."""

from __future__ import annotations

import argparse
import textwrap

from realtime_rl import strict_json
from realtime_rl.plants import game_rules, rom_files
from realtime_rl.plants.ram_rules import Rules

_EPILOG = """examples:
  realtime-rl games
  realtime-rl games tetris
  realtime-rl run --config rom --set 'plant.options=rom=~/roms/tetris.gb,rules=tetris'"""
_WIDTH = 100


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command line."""
    parser = subparsers.add_parser(
        "games", help="list the games that there are rules for, and what each needs",
        description="List the games that come with the package, and those that there are rules "
                    "for, whose ROM you bring: no ROM but our own is part of this project.",
        epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", help="of this one only")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Print the games."""
    names = [args.name] if args.name else game_rules.names()
    found = {name: game_rules.known(name) for name in names}
    if args.json:
        print(strict_json.dumps({name: _document(rules) for name, rules in found.items()},
                                indent=2))
        return 0
    if not args.name:
        print(f"bundled, as rom=NAME: {', '.join(rom_files.playable())}\n\nwith a ROM of yours, as "
              "rom=PATH,rules=NAME:\n")
    print("\n\n".join(_described(name, rules) for name, rules in found.items()))
    return 0


def _document(rules: Rules) -> dict[str, object]:
    return {"about": rules.about, "how": rules.how, "needs_state": rules.needs_state,
            "roms": [{"name": rom.name, "title": rom.title, "header_checksum": rom.checksum}
                     for rom in rules.roms],
            "counters": list(rules.counters), "file": rules.source}


def _described(name: str, rules: Rules) -> str:
    roms = "; ".join(f"{rom.name}: title {rom.title!r}, header checksum {rom.checksum:#04x}"
                     for rom in rules.roms)
    lines = [rules.about, f"ROM: {roms}", f"start: {rules.how}",
             f"counters: {', '.join(rules.counters) or 'none'}", f"file: {rules.source}"]
    return "\n".join([name, *(text for line in lines for text in textwrap.wrap(
        line, _WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False,
        break_on_hyphens=False))])
