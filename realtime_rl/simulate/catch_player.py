"""How well `catch` can be played: a script that reads the game's memory, at any delay.

It goes where the wind that it sees would bring the apple until its action acts, and reckons with
its own actions that are still under way. So it shows what a delay costs a policy that knows all
that can be known at the time; at delay 1 it is the best that a learner can hope for.
"""

from __future__ import annotations

from collections import deque

from realtime_rl.core.observations import Observation
from realtime_rl.core.types import Action
from realtime_rl.plants.ram_values import Memory

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
        """Play the game that has this memory."""
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
