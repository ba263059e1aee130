"""Options of a command line that say how chunks of actions are used in virtual time."""

from __future__ import annotations

import argparse
from dataclasses import replace

from realtime_rl.core.control.chunk_book import Chunking
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.settings.chunks import ChunkParameters, chunking_of
from realtime_rl.core.settings.config import Parameter, parameters
from realtime_rl.core.types import ActionSpace

_OPTIONS = ("chunk_merge", "chunk_ensemble_decay", "chunk_ensemble_first", "chunk_blend",
            "chunk_newest_only", "chunk_indivisible")
"""Those of the actuator, of the same names; an age is counted in ticks here."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add them, each read and checked as the actuator's parameter."""
    group = parser.add_argument_group("chunks", "of a policy that gives several actions at once, "
                                      "as the actuator's parameters of these names say")
    for name in _OPTIONS:
        known = parameters(ChunkParameters)[name]
        group.add_argument(f"--{name.replace('_', '-')}", type=known.parse, default=known.default,
                           metavar=_metavar(known), help=f"{known.description}"
                           + (" (default: %(default)s)" if known.default != () else ""))
    group.add_argument("--max-chunk-age", type=int, default=0, metavar="TICKS",
                       help="no row is used so many ticks after its observation or later; 0: as "
                            "long as there are rows (default)")


def chunking(args: argparse.Namespace, actions: ActionSpace) -> Chunking:
    """Return what they ask for; `ConfigError` where the actions do not allow it."""
    if args.max_chunk_age < 0:
        raise ConfigError(f"--max-chunk-age {args.max_chunk_age!r} must be 0 or more")
    found = chunking_of(ChunkParameters(**{name: getattr(args, name) for name in _OPTIONS}),
                        actions, 1, args.every)
    return replace(found, max_age_ticks=args.max_chunk_age) if args.max_chunk_age else found


def _metavar(known: Parameter) -> str:
    return "|".join(known.choices) or ("NAME,…" if known.kind == tuple[str, ...]
                                       else known.unit.upper() or "NUMBER")
