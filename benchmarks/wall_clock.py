"""A plant that goes on by the clock while a policy acts on it and is learned, without ROS."""

from __future__ import annotations

import time

from realtime_rl.core.control.exploration import explore
from realtime_rl.core.experience.assembler import Assembler
from realtime_rl.core.observations import Observation
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.core.types import Action, Cause
from realtime_rl.learning.dqn import DqnLearner
from realtime_rl.learning.pool import LearningPool
from realtime_rl.plants.base import Plant
from realtime_rl.simulate.loop import Delay, Loop
from realtime_rl.simulate.tally import Tally


class Timing:
    """A grid of ticks on the wall clock, which goes on whatever else is done."""

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._begin_s = time.monotonic()
        self.late_ticks = 0

    @property
    def present(self) -> int:
        """The tick that it is by the clock."""
        return int((time.monotonic() - self._begin_s) / self._period_s)

    def wait_for(self, tick: int) -> None:
        """Sleep until a tick begins; a past one begins at once."""
        ahead_s = self._begin_s + tick * self._period_s - time.monotonic()
        self.late_ticks += ahead_s < -self._period_s
        time.sleep(max(0.0, ahead_s))


class Cycle:
    """Starts of a single process that infers, acts, learns and begins again (see `Delay`)."""

    def __init__(self, ticks: int, timing: Timing) -> None:
        self.ticks = ticks
        self._timing = timing
        self._newest = -ticks - 1

    def starts(self, tick: int) -> bool:
        """Whether a tick's observation is looked at: a past one is not, nor one amid a cycle."""
        if tick <= self._newest + self.ticks or tick < self._timing.present:
            return False
        self._newest = tick
        return True


class Run:
    """A plant on the clock, a policy, and what learns from it."""

    def __init__(self, config: DqnConfig, plant: Plant, learner: DqnLearner | LearningPool,
                 delay: Delay | Cycle, timing: Timing) -> None:
        self._config, self._learner, self._timing = config, learner, timing
        self._actions = plant.spec.actions
        self._assembler = Assembler(stack=config.stack, gamma=config.gamma,
                                    capacity=max(1024, 2 * delay.ticks + config.stack))
        self._loop = Loop(plant, self._act, delay, stack=config.stack)
        self.figures = Tally()

    def step(self) -> bool:
        """Step one tick when it is due; return whether an action of the policy acted."""
        tick = self._loop.tick
        self._timing.wait_for(tick)
        step, observation = self._loop.step()
        self.figures.add(step)
        for transition in (self._assembler.observe(step.tick, observation, step.first)
                           + self._assembler.step(step)):
            self._learner.add(transition)
        return step.cause is Cause.POLICY

    def _act(self, tick: int, observation: Observation) -> Action:
        config = self._config
        explored = explore(tick, self._learner.epsilon, config.hold_ticks, config.seed,
                           self._actions)
        return explored if explored is not None else self._learner.greedy(observation)
