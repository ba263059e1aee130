"""What a trained network is worth: episodes played greedily, in virtual time."""

from __future__ import annotations

from collections.abc import Callable

from realtime_rl.core.experience.action_history import ActionHistory
from realtime_rl.core.observations import Observation
from realtime_rl.core.types import Action
from realtime_rl.learning.dqn import DqnLearner
from realtime_rl.plants.base import Plant
from realtime_rl.simulate.loop import LONGEST, Delay, Loop
from realtime_rl.simulate.tally import Tally


def evaluate(
    learner: DqnLearner, plant: Plant, delay: Delay, *, stack: int, episodes: int,
    history: int = 0, progress: Callable[[Tally], None] = lambda figures: None
) -> Tally:
    """Play without exploration until `episodes` ended, or one does not end within `LONGEST` ticks.

    Args:
        learner: its network acts; nothing is learned.
        plant: a fresh one, not that of the training.
        delay: when actions act.
        stack: observations joined for the network.
        episodes: how many, 1 or more.
        history: applied actions that the network is given.
        progress: called after each tick.
    """
    def act(tick: int, observation: Observation) -> Action:
        return learner.greedy(observation, applied.get(tick))

    applied, figures = ActionHistory(history), Tally()
    loop = Loop(plant, act, delay, stack=stack, applied=applied)
    begin = 0
    while len(figures.returns) < episodes and figures.ticks - begin < LONGEST:
        done = loop.advance()
        figures.add(done)
        progress(figures)
        if done.last:
            begin = figures.ticks
    return figures
