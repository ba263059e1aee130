"""How well `catch` can be played: a script that reads the game's memory, at any delay.

It goes where the wind that it sees would bring the apple until its action acts, and reckons with
its own actions that are still under way. So it shows what a delay costs a policy that knows all
that can be known at the time; at delay 1 it is the best that a learner can hope for. A return is
apples caught minus apples missed, 32 at most.

    python benchmarks/catch_player.py
    python benchmarks/catch_player.py --delay 6 --games 20 --option stochasticity=255 --json -
"""

from __future__ import annotations

import argparse
import sys
from collections import deque
from dataclasses import dataclass

import numpy as np

from realtime_rl import strict_json
from realtime_rl.core.errors import RealtimeRlError
from realtime_rl.core.observations import Observation
from realtime_rl.core.types import Action
from realtime_rl.plants.options import build_options, parse_options
from realtime_rl.plants.pyboy_plant import PyBoyOptions, PyBoyPlant
from realtime_rl.plants.ram_values import Memory
from realtime_rl.simulate.loop import Delay, simulate
from realtime_rl.simulate.tally import Tally

LEFT, RIGHT, NOOP = 0, 1, 2
DIFFICULTY, SCORE, MISSES, BASKET_X, BASKET_WIDTH, APPLE_X, WIND = (
    0xC000, 0xC005, 0xC007, 0xC00B, 0xC00C, 0xC00D, 0xC00F)
"""Of roms/catch/README.md."""
SCREEN, LAST_COLUMN, HALF_APPLE = 160, 144, 8
NEAR_PX = 5
"""An apple so near the basket's middle is as good as caught: no need to move."""


class CatchPlayer:
    """A policy that reads the memory instead of the picture."""

    def __init__(self, memory: Memory, delay_ticks: int) -> None:
        self._memory = memory
        self._delay_ticks = delay_ticks
        self._in_flight: deque[int] = deque([NOOP] * (delay_ticks - 1), delay_ticks - 1)

    def __call__(self, tick: int, observation: Observation) -> Action:
        """Choose the action that acts `delay_ticks` later; what is observed is not looked at."""
        read = self._memory
        speed, width = 4 + min(read[DIFFICULTY], 7), read[BASKET_WIDTH]
        basket = read[BASKET_X]
        for choice in self._in_flight:
            moved = basket + {LEFT: -speed, RIGHT: speed, NOOP: 0}[choice]
            basket = min(max(moved, 0), SCREEN - width)
        wind = read[WIND] - 256 * (read[WIND] > 127)
        apple = min(max(read[APPLE_X] + wind * (self._delay_ticks - 1), 0), LAST_COLUMN)
        ahead = apple + HALF_APPLE - (basket + width // 2)
        choice = NOOP if abs(ahead) <= NEAR_PX else LEFT if ahead < 0 else RIGHT
        self._in_flight.append(choice)
        return (float(choice),)


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
