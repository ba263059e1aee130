"""Learning in virtual time: the live learner's parts, stepped by counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from realtime_rl.core.control.exploration import explore
from realtime_rl.core.experience.action_history import ActionHistory
from realtime_rl.core.experience.assembler import Assembler
from realtime_rl.core.experience.snapshot import Snapshot
from realtime_rl.core.figures.course import Course
from realtime_rl.core.observations import Observation
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.core.types import Action
from realtime_rl.learning.dqn import DqnLearner
from realtime_rl.learning.process_group import ProcessGroup
from realtime_rl.plants.base import Plant
from realtime_rl.simulate.loop import Delay, Loop
from realtime_rl.simulate.tally import Tally

Progress = Callable[[int, float, Tally], None]
"""`(tick, loss, figures so far)`; the loss is NaN before the first update."""
_CAPACITY = 1024


class Training:
    """A plant, a learner and the loop between them, stepped one tick at a time.

    The same plant, seed and parameters give the same weights bit for bit, also when the state was
    saved with its replay in between and taken over by another `Training` of the same arguments.
    """

    def __init__(
        self, plant: Plant, config: DqnConfig, delay: Delay, *, updates_per_tick: float = 1.0,
        group: ProcessGroup | None = None, learners: int = 1
    ) -> None:
        """Begin at tick 0.

        Args:
            plant: fresh; its seed decides its randomness.
            config: the learner's parameters.
            delay: when actions act.
            updates_per_tick: gradient updates for each tick; below 1, one every so many.
            group: others that learn the same weights, in step; each has its own plant and seed.
            learners: staggered on the same weights, emulated: a gradient is applied `learners - 1`
                updates after it was begun.

        Raises:
            LearningError: as in `DqnLearner`.
        """
        spec = plant.spec
        config = config.for_observation(spec.observation)
        self.network = config.network
        """The name of the learner's network."""
        self.learner = DqnLearner(config, spec.observation, spec.actions, learners=learners)
        if group is not None:
            self.learner.average_gradients()
        self.counters = spec.counters
        """Names of what the plant counts."""
        self._group = group
        self._ready = False
        self.figures = Tally()
        self.course = Course()
        """Reward and counters, summed up to each of its ticks."""
        self.loss = float("nan")
        """Of the newest update; NaN before the first."""
        self._config = config
        self._actions = spec.actions
        self._updates_per_tick = updates_per_tick
        self._assembler = Assembler(stack=config.stack, gamma=config.gamma,
                                    capacity=max(_CAPACITY, 2 * delay.ticks + config.stack),
                                    history=config.action_history)
        self._applied = ActionHistory(config.action_history)
        self._loop = Loop(plant, self._act, delay, stack=config.stack, applied=self._applied)
        self._owed = 0.0

    @property
    def tick(self) -> int:
        """The next tick."""
        return self._loop.tick

    def step(self) -> None:
        """Step the plant once, and learn from it; errors as in `DqnLearner.update`."""
        step, observation = self._loop.step()
        self.figures.add(step)
        self.course.add(self.figures.ticks, (self.figures.reward, *self.figures.counters))
        assembler, learner = self._assembler, self.learner
        for transition in (assembler.observe(step.tick, observation, step.first)
                           + assembler.step(step)):
            learner.add(transition)
        self._owed += self._updates_per_tick if self._may_learn() else 0.0
        while self._owed >= 1.0:
            self.loss = learner.update()
            self._owed -= 1.0

    def save(self, snapshot: Snapshot, *, replay: bool) -> None:
        """Write the whole state; what was experienced only with `replay`."""
        self.learner.save(snapshot, replay=replay)
        self._assembler.save(snapshot)
        self._loop.save(snapshot)
        self.figures.save(snapshot)
        snapshot.values["course"] = asdict(self.course)
        snapshot.values["training"] = {"owed": self._owed, "loss": repr(self.loss)}

    def load(self, snapshot: Snapshot) -> None:
        """See `Saveable`."""
        self.learner.load(snapshot)
        self._assembler.load(snapshot)
        self._loop.load(snapshot)
        self.figures.load(snapshot)
        self.course = Course(**snapshot.values.get("course", {}))  # not in older ones
        self._owed = snapshot.values["training"]["owed"]
        self.loss = float(snapshot.values["training"]["loss"])

    def _may_learn(self) -> bool:
        if not self._ready:
            ready = self.learner.ready
            self._ready = ready if self._group is None else self._group.all(ready)
        return self._ready

    def _act(self, tick: int, observation: Observation) -> Action:
        config = self._config
        explored = explore(tick, self.learner.epsilon, config.hold_ticks, config.seed,
                           self._actions)
        return explored if explored is not None else self.learner.greedy(
            observation, self._applied.get(tick))


def train(
    plant: Plant, config: DqnConfig, delay: Delay, steps: int, *, updates_per_tick: float = 1.0,
    progress: Progress = lambda tick, loss, figures: None
) -> tuple[DqnLearner, Tally]:
    """Run a plant for `steps` ticks while learning from it; return the learner and the figures.

    The arguments are those of `Training`; `progress` is called after each tick.
    """
    training = Training(plant, config, delay, updates_per_tick=updates_per_tick)
    for tick in range(steps):
        training.step()
        progress(tick, training.loss, training.figures)
    return training.learner, training.figures
