"""Whether a recorded run is the same in virtual time: its commands once more, tick by tick."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from realtime_rl.bags.reader import Run
from realtime_rl.bags.ticks import Tick, ticks_of
from realtime_rl.plants.base import Plant


@dataclass(slots=True)
class Parity:
    """What was compared, and the first thing that differed."""

    ticks: int = 0
    """Compared, all of them equal in reward, discount, first and last."""
    observations: int = 0
    """Compared among them, all equal; those that were not recorded are left out."""
    episode_ends: int = 0
    assumed_ticks: int = 0
    """Before the recording began; replayed with the no-op, as nobody acts so early."""
    observations_sha256: str = ""
    """Of the recorded observations that were compared, joined."""
    difference: str = ""
    """The first one; empty: there is none, to the last tick."""


def replay(run: Run, make: Callable[[], Plant]) -> Parity:
    """Step a plant with what a run latched; stop at the first tick that is not the same.

    Args:
        run: recorded from its plant's start, or from before anybody acted.
        make: makes the plant as it was when the run began: same options, same seed. Called again
            where the plant was started again.

    Raises:
        BagError: as in `ticks_of`.
        PlantError: from `make`.
    """
    parity, seen = Parity(), hashlib.sha256()
    plant, before = make(), None
    try:
        for tick in ticks_of(run, plant.spec):
            step = tick.step
            if before is None or step.tick <= before.tick:
                if before is not None:
                    plant.close()
                    plant = make()
                for _ in range(step.tick):
                    plant.step(plant.spec.actions.noop)
                parity.assumed_ticks += step.tick
            elif step.tick > before.tick + 1:
                parity.difference = (f"tick {before.tick + 1}: not recorded, so that what follows "
                                     "cannot be replayed")
                break
            elif step.first and not before.last:
                plant.reset()  # somebody asked for it
            parity.difference = _difference(tick, plant)
            if parity.difference:
                break
            before = step
            parity.ticks += 1
            parity.episode_ends += step.last
            if tick.observation is not None:
                parity.observations += 1
                seen.update(tick.observation.tobytes())
    finally:
        plant.close()
    parity.observations_sha256 = seen.hexdigest()
    return parity


def _difference(tick: Tick, plant: Plant) -> str:
    """Step the plant as the tick did; say what came out otherwise."""
    step, observation = tick
    replayed = plant.step(step.action)
    for name in ("first", "last", "reward", "discount"):
        recorded, found = getattr(step, name), getattr(replayed, name)
        if recorded != found:
            return f"tick {step.tick}: {name} was {recorded!r}, replayed it is {found!r}"
    if observation is not None and not np.array_equal(observation, replayed.observation):
        different = int(np.sum(observation != replayed.observation))
        return (f"tick {step.tick}: {different} of the {observation.size} values of its "
                "observation differ")
    return ""
