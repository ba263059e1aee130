"""One training in a folder: checkpoints, a policy, the episodes' returns; can be gone on with."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realtime_rl.core.errors import ConfigError, PlantError, PolicyError
from realtime_rl.core.experience.snapshot import Snapshot
from realtime_rl.core.settings.config import values_of
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.core.types import PlantSpec
from realtime_rl.files import remove_stale, reserve, write_atomically
from realtime_rl.learning import checkpoint
from realtime_rl.learning.errors import CheckpointError, LearningError, NonFiniteLossError
from realtime_rl.learning.onnx_export import export
from realtime_rl.learning.process_group import ProcessGroup
from realtime_rl.plants.base import Plant
from realtime_rl.simulate.loop import Delay
from realtime_rl.simulate.tally import Tally
from realtime_rl.simulate.train import Training

if TYPE_CHECKING:
    from realtime_rl.simulate.demonstrations import Demonstrations

POLICY = "policy.onnx"
EPISODES = "episodes.csv"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a training is of: everything that its result follows from, but for its length."""

    plant: str
    options: dict[str, str]
    delay: Delay
    learner: DqnConfig
    seed: int = 0
    """Of the plant; the learner's is in its own parameters."""
    updates_per_tick: float = 1.0
    threads: int = 1
    """Torch's: with another number, sums are rounded otherwise."""
    demonstrations: Demonstrations | None = None
    """What is in the replay from the beginning."""
    processes: int = 1
    """That learn the same weights, in step."""
    learners: int = 1
    """Staggered on the same weights, emulated."""

    def identity(self, spec: PlantSpec) -> dict[str, Any]:
        """Say it as JSON values, for a checkpoint to be compared with."""
        learner = self.learner.for_observation(spec.observation)
        return {"network": learner.network, "plant": self.plant, "options": self.options,
                "observation": str(spec.observation), "actions": str(spec.actions),
                "delay": self.delay.ticks, "interaction": self.delay.interaction,
                "seed": self.seed, "updates_per_tick": self.updates_per_tick,
                "threads": self.threads, "learner": values_of(learner),
                **({"processes": self.processes} if self.processes > 1 else {}),
                **({"learners": self.learners} if self.learners > 1 else {}),
                **(self.demonstrations.identity() if self.demonstrations else {})}


@dataclass(frozen=True, slots=True)
class Plan:
    """How long, and what is written meanwhile."""

    ticks: int
    checkpoint_every: int = 10_000
    """Ticks between checkpoints; 0: at the end only."""
    keep_replay: bool = False
    resume: bool = False
    stop: Callable[[], bool] = field(default=lambda: False)
    """Asked before each tick; true ends the training with a checkpoint."""
    progress: Callable[[Training], None] = field(default=lambda training: None)
    """Called after each tick."""

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.ticks < 1:
            raise ConfigError(f"ticks {self.ticks!r} must be 1 or more")
        if self.checkpoint_every < 0:
            raise ConfigError(f"checkpoint_every {self.checkpoint_every!r} must be 0 or more")


def run(settings: Settings, plan: Plan, plant: Plant, folder: Path,
        group: ProcessGroup | None = None) -> Training:
    """Train in `folder` up to `plan.ticks`, from its checkpoint on when that is to be resumed.

    The others of `group` do the same, each with a folder, a plant and seeds of its own.

    Raises:
        ConfigError: the folder is in use, has a training already that is not to be resumed or is
            longer, or cannot be written to.
        CheckpointError: as in `checkpoint.load` and `checkpoint.save`.
        LearningError: a loss is not finite. The last good policy and the batch are in the folder.
        BagError: a demonstration is of another plant, or damaged.
    """
    training = Training(plant, settings.learner, settings.delay,
                        updates_per_tick=settings.updates_per_tick, group=group,
                        learners=settings.learners)
    identity = settings.identity(plant.spec)
    with _reserved(folder):
        found = checkpoint.exists(folder)
        _require_same(group, int(found), folder)
        if found:
            if not plan.resume:
                raise ConfigError(f"{str(folder)!r} has a training already; go on with it "
                                  "(--resume), or take another folder")
            snapshot = checkpoint.load(folder, identity)
            with checkpoint.restoring(folder):
                training.load(snapshot)
            if training.tick > plan.ticks:
                raise ConfigError(f"{str(folder)!r} is at tick {training.tick} already, past the "
                                  f"{plan.ticks} asked for; give as many ticks, or more")
            _require_same(group, training.tick, folder)
            if not snapshot.values["replay"]["contents"]:
                _demonstrate(training, settings, plant)
        else:
            _demonstrate(training, settings, plant)
            if not _pretrain(training, settings, plan, folder):
                return training
        _advance(training, plan, folder, identity)
        _save(training, plan, folder, identity)
        export_policy(training, folder)
    return training


def export_policy(training: Training, folder: Path) -> None:
    """Write the present weights as `policy.onnx`; `PolicyError` when that cannot be done."""
    learner = training.learner
    export(learner.network, learner.metadata(version=1), folder / POLICY)


def write_episodes(figures: Tally, path: Path) -> None:
    """Write the returns as CSV; `OSError`."""
    rows = [f"{number},{tick},{value!r}" for number, (tick, value)
            in enumerate(zip(figures.end_ticks, figures.returns, strict=True))]
    write_atomically(path, "\n".join(["episode,end_tick,return", *rows, ""]).encode())


def _require_same(group: ProcessGroup | None, begins_at: int, folder: Path) -> None:
    """Refuse to go on from checkpoints of different ticks."""
    if group is not None and not group.same(begins_at):
        raise ConfigError(f"{str(folder)!r} and the other processes' folders have checkpoints of "
                          "different ticks: begin anew, in another folder")


def _demonstrate(training: Training, settings: Settings, plant: Plant) -> None:
    """Fill the replay with what was recorded."""
    if settings.demonstrations is not None:
        for transition in settings.demonstrations.transitions(plant.spec, settings.learner,
                                                              settings.delay):
            training.learner.demonstrate(transition)


def _pretrain(training: Training, settings: Settings, plan: Plan, folder: Path) -> bool:
    """Learn from demonstrations alone; false when asked to stop, which leaves no checkpoint."""
    for _ in range(settings.demonstrations.updates if settings.demonstrations else 0):
        if plan.stop():
            return False
        try:
            training.loss = training.learner.update()
        except NonFiniteLossError as error:
            raise _inspected(error, training, folder, "pretraining") from error
    return True


def _advance(training: Training, plan: Plan, folder: Path, identity: dict[str, Any]) -> None:
    while training.tick < plan.ticks and not plan.stop():
        try:
            training.step()
        except NonFiniteLossError as error:
            raise _inspected(error, training, folder, f"tick {training.tick - 1}") from error
        plan.progress(training)
        every = plan.checkpoint_every
        if every and training.tick % every == 0 and training.tick < plan.ticks:
            _save(training, plan, folder, identity)


def _save(training: Training, plan: Plan, folder: Path, identity: dict[str, Any]) -> None:
    snapshot = Snapshot()
    try:
        training.save(snapshot, replay=plan.keep_replay)
        checkpoint.save(folder, identity, training.tick, snapshot)
    except (CheckpointError, PlantError) as error:  # a policy is much smaller, and may still fit
        with contextlib.suppress(PolicyError):
            export_policy(training, folder)
            raise CheckpointError(f"{error}; the policy of that tick is in "
                                  f"{str(folder / POLICY)!r}") from error
        raise
    try:
        write_episodes(training.figures, folder / EPISODES)
    except OSError as error:
        raise ConfigError(f"{str(folder / EPISODES)!r} cannot be written: {error.strerror}"
                          ) from error


def _inspected(error: NonFiniteLossError, training: Training, folder: Path, when: str
               ) -> LearningError:
    """Keep the last good policy and the batch; say where they are."""
    export_policy(training, folder)
    return LearningError(f"{when}, {checkpoint.inspected(error, folder)}; the policy before it "
                         f"is in {str(folder / POLICY)!r}")


@contextlib.contextmanager
def _reserved(folder: Path) -> Iterator[None]:
    """Keep a second process out of the folder; the lock goes with this process, however it ends."""
    with contextlib.ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(reserve(folder / ".lock"))
        except BlockingIOError as error:
            raise ConfigError(f"{str(folder)!r} is in use by another training; wait for it, or "
                              "take another folder") from error
        except OSError as error:
            raise ConfigError(f"{str(folder)!r} cannot be written to: {error.filename}: "
                              f"{error.strerror}") from error
        remove_stale(folder, older_s=0.0)  # nobody else writes here
        yield
