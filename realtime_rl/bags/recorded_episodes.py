"""The whole episodes of a recorded run, each with what was seen at every tick."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from realtime_rl.bags.reader import Run
from realtime_rl.bags.ticks import ticks_of
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.observations import Observation
from realtime_rl.core.types import PlantSpec

SAID = tuple(field.name for field in fields(Timestep)
             if field.name not in ("action", "plant", "reward", "discount", "first", "last",
                                   "counted", "counters"))
"""Fields of a timestep that datasets have no place of their own for: a column each."""
NOTHING = ("nothing recorded holds a whole episode with all of its observations; record for "
           "longer")
"""Why there is no dataset."""


def counter_column(name: str) -> str:
    """Return what a plant's counter is called among the columns."""
    return f"counter_{name}"


@dataclass(frozen=True, slots=True)
class RecordedEpisode:
    """An episode from its first tick to its last."""

    steps: tuple[Timestep, ...]
    observations: tuple[Observation, ...]
    """After each tick; that of the first is what the episode begins with."""


def whole_episodes(run: Run, spec: PlantSpec) -> Iterator[RecordedEpisode]:
    """Yield the episodes of which every tick and every observation was recorded.

    Raises:
        BagError: as in `ticks_of`.
    """
    steps: list[Timestep] = []
    observations: list[Observation] = []
    for step, observation in ticks_of(run, spec):
        follows = bool(steps) and step.tick == steps[-1].tick + 1
        if step.first or not follows:
            steps, observations = [], []
        if observation is None or not (step.first or steps):
            steps = []
            continue
        steps.append(step)
        observations.append(observation)
        if step.last:
            yield RecordedEpisode(tuple(steps), tuple(observations))
            steps, observations = [], []
