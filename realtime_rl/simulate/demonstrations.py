"""What a person did, as experience for a learner: bags in which somebody played."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from realtime_rl.bags import minari_dataset
from realtime_rl.bags.reader import Run, read_run
from realtime_rl.bags.ticks import ticks_of
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.experience.assembler import Assembler, SemiMdpTransition
from realtime_rl.core.figures.statistics import gaps, plant_sessions
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.observations import Observation
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.core.types import Cause, PlantSpec
from realtime_rl.simulate.loop import Delay


class Recording(Protocol):
    """What somebody did, tick by tick."""

    def ticks(self, spec: PlantSpec) -> Iterator[tuple[Timestep, Observation | None]]:
        """Yield the ticks; `BagError` where they are not of that plant."""

    @property
    def identity(self) -> str:
        """What is the same for what is the same."""

    @property
    def counts(self) -> tuple[int, int, int]:
        """Ticks, those of them that a person acted at, and those that are missing between."""

    @property
    def warnings(self) -> list[str]:
        """What is wrong with it."""


@dataclass(frozen=True, slots=True)
class BagRecording:
    """A recorded run."""

    run: Run

    def ticks(self, spec: PlantSpec) -> Iterator[tuple[Timestep, Observation | None]]:
        """See `Recording`."""
        return iter(ticks_of(self.run, spec))

    @property
    def identity(self) -> str:
        """See `Recording`."""
        return hashlib.sha256(repr(tuple(self.run.records.timesteps)).encode()).hexdigest()

    @property
    def counts(self) -> tuple[int, int, int]:
        """See `Recording`."""
        steps = self.run.records.timesteps
        return (len(steps), sum(step.cause is Cause.OPERATOR for step in steps),
                sum(len(gap) for gap in gaps(plant_sessions(steps))))

    @property
    def warnings(self) -> list[str]:
        """See `Recording`."""
        return [f"{str(self.run.path)!r}: {warning}" for warning in self.run.warnings]


@dataclass(frozen=True, slots=True)
class DatasetRecording:
    """A Minari dataset that was made of recorded runs."""

    folder: Path

    def ticks(self, spec: PlantSpec) -> Iterator[tuple[Timestep, Observation | None]]:
        """See `Recording`."""
        for episode in minari_dataset.read(self.folder, spec):
            yield from zip(episode.steps, episode.observations, strict=True)

    @property
    def identity(self) -> str:
        """See `Recording`."""
        return minari_dataset.sha256_of(self.folder)

    @property
    def counts(self) -> tuple[int, int, int]:
        """See `Recording`: whole episodes have no gaps."""
        return (*minari_dataset.counts(self.folder), 0)

    @property
    def warnings(self) -> list[str]:
        """See `Recording`."""
        return []


@dataclass(frozen=True, slots=True)
class Demonstrations:
    """Recorded runs, and how much is learned from them before the training begins."""

    runs: tuple[Recording, ...]
    updates: int
    """Gradient updates before the first tick."""

    def transitions(self, spec: PlantSpec, config: DqnConfig, delay: Delay
                    ) -> Iterator[SemiMdpTransition]:
        """Make transitions of all that was recorded, one bag after another.

        What a person or a policy did at tick `t` counts as the answer to the observation of tick
        `t - delay`, as that of the policy that is to be trained will. Of a person's play that is
        what the live learner of a policy with that delay makes. Ticks at which nobody chose (the
        default policy, a stop, the plant's watchdog) only add rewards. What a gap in the recording
        spans gives none.

        Raises:
            BagError: as in `ticks_of`.
        """
        capacity = 2 * delay.ticks + config.stack + config.action_history
        for run in self.runs:
            assembler = Assembler(stack=config.stack, gamma=config.gamma, capacity=capacity,
                                  history=config.action_history, operator_delay=delay.ticks)
            for step, observation in run.ticks(spec):
                if observation is not None:
                    yield from assembler.observe(step.tick, observation, step.first)
                # a policy that was recorded may have had another delay
                yield from assembler.step(replace(step, observation_tick=step.tick - delay.ticks)
                                          if step.cause is Cause.POLICY else step)

    def identity(self) -> dict[str, Any]:
        """Say what they are of, and where they came from does not matter."""
        return {"pretrain": self.updates,
                "demonstrations": [run.identity for run in self.runs]}

    def figures(self) -> dict[str, int]:
        """Count what was recorded."""
        ticks, operator, missing = map(sum, zip(*(run.counts for run in self.runs), strict=True))
        return {"bags": len(self.runs), "ticks": ticks, "operator_ticks": operator,
                "missing_ticks": missing, "updates": self.updates}


def read(bags: Sequence[Path], updates: int, delay: Delay) -> Demonstrations:
    """Read bags to learn from.

    Args:
        bags: rosbag2 folders or files, or Minari datasets that were made of them.
        updates: gradient updates before the first tick.
        delay: of the training.

    Raises:
        BagError: as in `read_run`.
        ConfigError: sequential interaction, whose default policy acts where a person did.
    """
    if updates < 0:
        raise ConfigError(f"pretrain {updates!r} must be 0 or more")
    if delay.ticks > 1 and delay.interaction == "sequential":
        raise ConfigError("demonstrations: a person acts at every tick, sequential interaction "
                          f"only every {delay.ticks}; train with asynchronous interaction")
    return Demonstrations(tuple(
        DatasetRecording(bag) if minari_dataset.is_dataset(bag) else BagRecording(read_run(bag))
        for bag in bags), updates)
