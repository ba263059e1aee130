"""Plays files of other makers' shapes, each on a plant that suits it, and prints a table.

    python -m benchmarks.foreign_policies
    python -m benchmarks.foreign_policies --live 10 --only ACT --only 'SB3 SAC'

Without `--live` in virtual time. What is to be refused is refused by `realtime-rl run`, too: its
line stands in the table. The status is 1 where one acts that should not, or does not that should.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

import realtime_rl
from benchmarks.foreign_files import FILES, Foreign
from realtime_rl import strict_json
from realtime_rl.bench.text import table
from realtime_rl.core.errors import ConfigError, RealtimeRlError, choices
from realtime_rl.core.policy.options import PolicyOptions

_TICKS = 500
_DELAY = 3
_MORE_S = 120.0
_SHOWN = 110


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file."""

    name: str
    good: bool
    text: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Play them; return 1 where one is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--live", type=float, default=0.0, metavar="S",
                        help="in a live graph for so long each; 0: in virtual time (default)")
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args(arguments)
    strangers = set(args.only) - FILES.keys()
    if strangers:
        raise ConfigError(f"--only: {choices(strangers)} are none of {choices(FILES)}")
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for name in args.only or FILES:
            place = Path(folder) / str(len(found))
            place.mkdir()
            found.append(_live(name, FILES[name], place, args.live) if args.live
                         else _virtual(name, FILES[name], place))
            print(f"{'ok' if found[-1].good else 'WRONG':5} {name}: {found[-1].text}", flush=True)
    print()
    print(table(["file", "as it should", "what became of it"],
                [[each.name, "yes" if each.good else "NO", _short(each.text)] for each in found]))
    if args.json:
        args.json.write_text(strict_json.dumps([
            {"name": each.name, "good": each.good, "text": each.text} for each in found], indent=1))
    return 0 if all(each.good for each in found) else 1


def _short(text: str) -> str:
    """Leave out where the file lies, and whatever comes after some words."""
    said = re.sub(r"realtime-rl run: error: |no first policy: |policy '[^']+\.onnx':? ", "", text)
    return said if len(said) <= _SHOWN else f"{said[:_SHOWN - 2]} …"


def _virtual(name: str, foreign: Foreign, folder: Path) -> Outcome:
    path = foreign.make(folder)
    plant = realtime_rl.make_plant(foreign.plant[0], **foreign.plant[1])
    try:
        policy = realtime_rl.load_policy(path, plant, options=foreign.options)
        alone = bool(policy.recurrent) or "workers" in foreign.refused
        delay = 1 if alone and not foreign.refused else _DELAY
        figures = realtime_rl.simulate_policy(plant, policy, delay=delay, ticks=_TICKS)
    except RealtimeRlError as error:
        expected = foreign.refused and (foreign.refused in str(error) or "workers" in
                                        foreign.refused)
        return Outcome(name, bool(expected), f"refused: {error}")
    finally:
        plant.close()
    return Outcome(name, not foreign.refused,
                   f"acts: inaction {figures.inaction_fraction:.4f} of {figures.ticks} ticks")


def _live(name: str, foreign: Foreign, folder: Path, seconds: float) -> Outcome:
    path = foreign.make(folder)
    scenario, report = folder / "scenario.yaml", folder / "report.json"
    scenario.write_text(yaml.safe_dump(_scenario(foreign, path)))
    done = subprocess.run(
        [sys.executable, "-m", "realtime_rl.cli.main", "run", "--no-live", "--config",
         str(scenario), "--duration", str(seconds), "--record", str(folder / "bag"), "--json",
         str(report)], capture_output=True, text=True, timeout=seconds + _MORE_S, check=False)
    if done.returncode != 0 or not report.exists():
        said = next((line for line in reversed(done.stderr.splitlines()) if "error:" in line),
                    done.stderr.strip()[-200:])
        return Outcome(name, bool(foreign.refused) and foreign.refused in said, f"refused: {said}")
    figures = strict_json.loads(report.read_text())["interaction"]
    return Outcome(name, not foreign.refused and figures["policy_ticks"] > 0,
                   f"acts: {figures['policy_ticks']} ticks by the policy, inaction "
                   f"{figures['inaction_fraction']:.4f}")


def _scenario(foreign: Foreign, path: Path) -> dict[str, object]:
    said, none = foreign.options, PolicyOptions()
    workers = 4 if "workers" in foreign.refused else foreign.workers
    words = {f"policy_{name}": list(value) if isinstance(value, tuple) else value
             for name in ("inputs", "output", "normalize", "layout", "constants")
             if (value := getattr(said, name)) != getattr(none, name)}
    sections = {
        "scenario": {"workers": workers, "policy": str(path), "learner": False},
        "plant": {"name": foreign.plant[0],
                  "options": [f"{key}={value}" for key, value in foreign.plant[1].items()]},
        "inference": {"latency": "none", **words}}
    return {name: {"ros__parameters": values} for name, values in sections.items()}


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RealtimeRlError as problem:
        sys.exit(f"foreign_policies: error: {problem}")
