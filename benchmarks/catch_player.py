"""How well `catch` can be played, at any delay: `CatchPlayer` plays whole games.

A return is apples caught minus apples missed, 32 at most.

    python benchmarks/catch_player.py
    python benchmarks/catch_player.py --delay 6 --games 20 --option stochasticity=255 --json -
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass

import numpy as np

from realtime_rl import strict_json
from realtime_rl.core.errors import RealtimeRlError
from realtime_rl.plants.options import build_options, parse_options
from realtime_rl.plants.pyboy_plant import PyBoyOptions, PyBoyPlant
from realtime_rl.simulate.catch_player import MISSES, SCORE, CatchPlayer
from realtime_rl.simulate.loop import Delay, simulate
from realtime_rl.simulate.tally import Tally


@dataclass(frozen=True)
class Result:
    """What some games came to."""

    delay_ticks: int
    returns: list[float]
    """Of each game: caught minus missed."""
    caught: int
    missed: int

    @property
    def share_caught(self) -> float:
        return self.caught / (self.caught + self.missed)


def play(games: int, delay_ticks: int, options: PyBoyOptions, seed: int) -> Result:
    """Play whole games; every action of an observation acts `delay_ticks` later."""
    plant = PyBoyPlant(options, seed)
    figures, caught, missed = Tally(), 0, 0
    try:
        player = CatchPlayer(plant.memory, delay_ticks)
        for step, _ in simulate(plant, player, Delay(delay_ticks), sys.maxsize):
            figures.add(step)
            if step.last:
                caught += plant.memory[SCORE] | plant.memory[SCORE + 1] << 8
                missed += plant.memory[MISSES]
            if len(figures.returns) == games:
                break
    finally:
        plant.close()
    return Result(delay_ticks, figures.returns, caught, missed)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delay", type=int, nargs="+", default=[1, 2, 5, 6, 8, 16],
                        metavar="TICKS")
    parser.add_argument("--games", type=int, default=20)
    parser.add_argument("--option", action="append", default=[], metavar="KEY=VALUE",
                        help="of the plant: difficulty=3, stochasticity=255, …")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", choices=["-"], help="print JSON")
    args = parser.parse_args()
    try:
        options = build_options("pyboy", PyBoyOptions, parse_options(args.option))
        results = [play(args.games, delay, options, args.seed) for delay in args.delay]
    except RealtimeRlError as error:
        print(error, file=sys.stderr)
        return 1
    if args.json:
        print(strict_json.dumps([{"delay_ticks": result.delay_ticks, "returns": result.returns,
                           "share_caught": result.share_caught} for result in results], indent=2))
        return 0
    for result in results:
        print(f"delay {result.delay_ticks:3}: caught {result.share_caught:.3f} of "
              f"{result.caught + result.missed}, mean return {np.mean(result.returns):.2f} "
              f"(of {args.games} games)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
