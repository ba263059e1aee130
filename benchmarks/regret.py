"""What live runs of `catch` lost, and to what: the terms of Theorem 1, by what was done to the run.

Each case is a live run with an emulated 95 ms model, then `realtime-rl regret` of its bag against
the script that plays `catch` as well as it can be played without delay. The two winds have policies
of their own, trained first in virtual time at the delay of the run. Those that learn run alone, the
others together. The last, which learns from nothing, is told by thirds as well.

    python -m benchmarks.regret
    python -m benchmarks.regret --cases default one-worker --minutes 2
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.running import ROOT, Running, private_environment
from realtime_rl.core.errors import RealtimeRlError
from realtime_rl.core.figures.intervals import mean_of

TERMS = ("regret", "learning", "delay", "learning_and_delay", "inaction", "rest")
"""Where a policy aims ahead, only the sum of the two says something (docs/how-to/regret.md)."""
_DELAY = 6
"""What seven workers and 95 ms come to at 59.7 Hz [ticks]."""
_STARTS_S = 5.0
_MEMORY = "rom=catch,observe=memory"
_LEARNS = ("learner.network=mlp:2", "learner.stack=2", "learner.learning_rate=0.0005",
           "learner.epsilon_end=0.02", "learner.learn_start=200")
"""What learns from memory in minutes: that of the source `learned` (docs/claims.yaml)."""


@dataclass(frozen=True)
class Case:
    """One run."""

    words: tuple[str, ...] = ("scenario.learner=false",)
    config: str = "catch.yaml"
    wind: int | None = None
    """Play at this wind with a policy that was trained at it."""
    thirds: bool = False

    @property
    def alone(self) -> bool:
        return "scenario.learner=false" not in self.words


CASES = {
    "default": Case(("learner.keep=0",)),
    "one-worker": Case(("scenario.learner=false", "scenario.workers=1")),
    "sequential": Case(("scenario.learner=false", "scenario.workers=1",
                        "coordinator.algorithm=sequential")),
    "wind-0": Case(wind=0),
    "wind-255": Case(wind=255),
    "from-nothing": Case(
        (f"plant.options={_MEMORY}", "inference.latency=constant:95ms", "learner.keep=0",
         *_LEARNS), config="rom.yaml", thirds=True)}


def main() -> int:
    """Run the cases; print a row each as CSV, that of `docs/measurements/data/regret.csv`."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--minutes", type=float, default=5.0, help="each; twice, from nothing")
    parser.add_argument("--reference", default="player", help="as `realtime-rl regret` takes it")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave the bags here")
    args = parser.parse_args()
    private_environment()
    rows = csv.DictWriter(sys.stdout, ["case", "episodes", "inaction_percent", *(
        column for term in TERMS for column in (term, f"{term}_within"))])
    rows.writeheader()
    with tempfile.TemporaryDirectory(prefix="realtime_rl-regret-") as name:
        folder = args.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        together = [each for each in args.cases if not CASES[each].alone]
        for group in (*([each] for each in args.cases if CASES[each].alone), together):
            play(group, folder, args.minutes)
        for case in args.cases:
            rows.writerows(rows_of(case, decomposed(folder / case / "bag", args.reference)))
            sys.stdout.flush()
    return 0


def play(cases: Iterable[str], folder: Path, minutes: float) -> None:
    """Run these at once, each in a folder of its name."""
    with ExitStack() as stack:
        running = {}
        for apart, name in enumerate(cases):
            case, words = CASES[name], list(CASES[name].words)
            (folder / name).mkdir()
            if case.wind is not None:
                words += trained(case.wind, folder / name)
            seconds = 60 * minutes * (2 if case.thirds else 1) + _STARTS_S
            print(f"{name}: {seconds:.0f} s", file=sys.stderr)
            running[name] = (seconds, stack.enter_context(Running(
                folder / name, [*words, "scenario.composed=true"], duration_s=seconds,
                config=ROOT / "config" / case.config,
                environment={"ROS_DOMAIN_ID": str(int(os.environ["ROS_DOMAIN_ID"]) + apart)})))
            time.sleep(1.0)
        for name, (seconds, run) in running.items():
            if run.wait(seconds):
                raise RealtimeRlError(f"the run of {name} failed: {run.lines[-1][1]}")


def trained(wind: int, folder: Path) -> list[str]:
    """Train at this wind and at the delay of the run; return the words that run it."""
    options = f"{_MEMORY},stochasticity={wind}"
    policy = folder / "trained" / "policy.onnx"
    subprocess.run(
        [sys.executable, "-m", "realtime_rl.cli.main", "train", "--plant", "pyboy",
         *(word for option in options.split(",") for word in ("--option", option)),
         *(word for each in _LEARNS for word in ("--set", each)), "--delay", str(_DELAY),
         "--ticks", "60000", "--updates-per-tick", "0.5",
         "--out", str(policy.parent)], check=True, stdout=subprocess.DEVNULL)
    return [f"plant.options={options}", f"scenario.policy={policy}"]


def decomposed(bag: Path, reference: str) -> dict[str, Any]:
    """Return what `realtime-rl regret` says of a bag."""
    written = bag.parent / "regret.json"
    subprocess.run([sys.executable, "-m", "realtime_rl.cli.main", "regret", str(bag), "--reference",
                    reference, "--json", str(written)], check=True, stdout=subprocess.DEVNULL)
    found: dict[str, Any] = json.loads(written.read_text(encoding="utf-8"))
    return found


def rows_of(case: str, found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a row of all episodes, and where the case is told by thirds, one of each."""
    episodes = found["of_episodes"]
    inaction = {"inaction_percent": round(100 * found["inaction_fraction"], 2)}
    rows = [{"case": case, **inaction, **means(episodes)}]
    if CASES[case].thirds:
        third = len(episodes) / 3
        rows += [{"case": f"{case}, {name} third",
                  **means(episodes[round(k * third):round((k + 1) * third)])}
                 for k, name in enumerate(("first", "second", "last"))]
    return rows


def means(episodes: Sequence[dict[str, float]]) -> dict[str, Any]:
    """Return each term's mean an episode, and within what of it the 95 % interval ends."""
    row: dict[str, Any] = {"episodes": len(episodes)}
    for term in TERMS:
        interval = mean_of([term_of(each, term) for each in episodes])
        row |= {term: round(interval.mean, 2),
                f"{term}_within": round(interval.high - interval.mean, 2)}
    return row


def term_of(episode: dict[str, float], term: str) -> float:
    """Return one term of one episode."""
    if term == "regret":
        return episode["reference"] - episode["recorded"]
    return sum(episode[name] for name in term.split("_and_"))


if __name__ == "__main__":
    sys.exit(main())
