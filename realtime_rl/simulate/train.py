"""Learning in virtual time: the live learner's parts, stepped by counts."""

from __future__ import annotations

from collections.abc import Callable

from realtime_rl.core.action_history import ActionHistory
from realtime_rl.core.assembler import Assembler
from realtime_rl.core.dqn_config import DqnConfig
from realtime_rl.core.exploration import explore
from realtime_rl.core.types import Action, Observation
from realtime_rl.learning.dqn import DqnLearner
from realtime_rl.plants.base import Plant
from realtime_rl.simulate.figures import Figures
from realtime_rl.simulate.loop import Delay, simulate

Progress = Callable[[int, float, Figures], None]
"""`(tick, loss, figures so far)`; the loss is NaN before the first update."""


def train(
    plant: Plant, config: DqnConfig, delay: Delay, steps: int, *, updates_per_tick: float = 1.0,
    progress: Progress = lambda tick, loss, figures: None
) -> tuple[DqnLearner, Figures]:
    """Run a plant for `steps` ticks while learning from it; return the learner and the figures.

    Args:
        plant: fresh; its seed decides its randomness.
        config: the learner's parameters.
        delay: when actions act.
        steps: how many ticks.
        updates_per_tick: gradient updates for each tick; below 1, one every so many.
        progress: called after each tick.

    Raises:
        LearningError: as in `DqnLearner`.
    """
    spec = plant.spec
    learner = DqnLearner(config, spec.observation, spec.actions)
    assembler = Assembler(stack=config.stack, gamma=config.gamma, history=config.action_history)
    applied = ActionHistory(config.action_history)
    figures = Figures()
    owed, loss = 0.0, float("nan")

    def act(tick: int, observation: Observation) -> Action:
        explored = explore(tick, learner.epsilon, config.hold_ticks, config.seed, spec.actions)
        return explored if explored is not None else learner.greedy(
            observation, applied.get(tick))

    for step, observation in simulate(plant, act, delay, steps, stack=config.stack,
                                      applied=applied):
        figures.add(step)
        found = (assembler.observe(step.tick, observation, step.first) + assembler.step(step))
        for transition in found:
            learner.add(transition)
        owed += updates_per_tick if learner.ready else 0.0
        while owed >= 1.0:
            loss = learner.update()
            owed -= 1.0
        progress(step.tick, loss, figures)
    return learner, figures

