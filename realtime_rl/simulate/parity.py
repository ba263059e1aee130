"""Whether a recorded run is the same in virtual time: its commands once more, tick by tick."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from realtime_rl.bags.reader import Run
from realtime_rl.bags.ticks import Tick, ticks_of
from realtime_rl.core.errors import BagError
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.observations import split
from realtime_rl.plants.base import Plant


@dataclass(slots=True)
class Parity:
    """What was compared, and the first thing that differed."""

    ticks: int = 0
    """Compared, all of them equal in reward, discount, first and last."""
    observations: int = 0
    """Compared among them, all equal; those that were not recorded are left out."""
    episode_ends: int = 0
    """Compared among them."""
    skipped_ticks: int = 0
    """Recorded, but of an episode whose ticks before them were not."""
    observations_sha256: str = ""
    """Of the recorded observations that were compared, joined."""
    difference: str = ""
    """The first one; empty: there is none, to the last tick."""


def replay(run: Run, make: Callable[[], Plant]) -> Parity:
    """Step a plant with what a run latched; stop at the first tick that is not the same.

    Where ticks were not recorded, as at the beginning of most runs, it goes on with the next
    episode: the plant is taken to it by resets, which suffices where the random stream of a plant
    moves only when an episode begins. If it moves otherwise, that shows as a difference.

    Args:
        run: what was recorded.
        make: makes the plant as it was when the run began: same options, same seed. Called again
            where the plant was started again.

    Raises:
        BagError: as in `ticks_of`, or no episode was recorded from its beginning.
        PlantError: from `make`.
    """
    parity, seen, plant = Parity(), hashlib.sha256(), make()
    before: Timestep | None = None
    begun, following = -1, False
    try:
        for tick in ticks_of(run, plant.spec):
            step = tick.step
            if before is not None and step.tick <= before.tick:
                plant.close()
                plant, before, begun = make(), None, -1
            following = (following and _follows(step, before)) or step.tick == 0
            if step.first and not following:
                _go_to(plant, step.episode - begun)
                following = True
            before = step
            if not following:
                parity.skipped_ticks += 1
                continue
            begun = step.episode
            parity.difference = _difference(tick, plant)
            if parity.difference:
                break
            parity.ticks += 1
            parity.episode_ends += step.last
            if tick.observation is not None:
                parity.observations += 1
                for part in split(tick.observation):
                    seen.update(part.tobytes())
    finally:
        plant.close()
    if not parity.ticks and not parity.difference:
        raise BagError(f"bag {str(run.path)!r} has no episode that was recorded from its "
                       "beginning, so that nothing can be replayed; record for longer")
    if not parity.observations and not parity.difference:
        raise BagError(f"bag {str(run.path)!r}: none of its {run.observations} observations is of "
                       f"a tick that was replayed and can be read, so that of the {parity.ticks} "
                       "ticks only rewards and ends were compared: nothing is shown by that")
    parity.observations_sha256 = seen.hexdigest()
    return parity


def _follows(step: Timestep, before: Timestep | None) -> bool:
    """Return whether nothing came between two ticks: neither a gap nor a reset on demand."""
    return (before is not None and step.tick == before.tick + 1
            and (before.last or not step.first))


def _go_to(plant: Plant, episodes: int) -> None:
    """Let the next step begin the `episodes`-th episode from now on, without playing any."""
    for _ in range(episodes - 1):
        plant.reset()
        plant.step(plant.spec.actions.noop)
    plant.reset()


def _difference(tick: Tick, plant: Plant) -> str:
    """Step the plant as the tick did; say what came out otherwise."""
    step, observation = tick
    replayed = plant.step(step.action)
    for name in ("first", "last", "reward", "discount"):
        recorded, found = getattr(step, name), getattr(replayed, name)
        if recorded != found:
            return f"tick {step.tick}: {name} was {recorded!r}, replayed it is {found!r}"
    if observation is None:
        return ""
    names = observation.dtype.names or ("observation",)
    for name, recorded, found in zip(names, split(observation), split(replayed.observation),
                                     strict=True):
        if not np.array_equal(recorded, found):
            different = int(np.sum(recorded != found))
            return (f"tick {step.tick}: {different} of the {recorded.size} values of its "
                    f"{name} differ")
    return ""
