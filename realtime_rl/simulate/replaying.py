"""The plant of a recorded run, taken from tick to tick as the run went."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import NamedTuple

import numpy as np

from realtime_rl.bags.reader import Run
from realtime_rl.bags.ticks import Tick, ticks_of
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.observations import split
from realtime_rl.core.types import Transition
from realtime_rl.plants.base import Plant


class Following(NamedTuple):
    """A recorded tick, and the plant that is to be stepped with it."""

    tick: Tick
    plant: Plant | None
    """As it was before the tick; `None`: of an episode whose ticks before were not recorded."""


def following(run: Run, make: Callable[[], Plant]) -> Generator[Following, None, None]:
    """Yield a run's ticks; whoever takes one steps its plant with the recorded action.

    Where ticks were not recorded, as at the beginning of most runs, it goes on with the next
    episode: the plant is taken to it by resets, which suffices where the random stream of a plant
    moves only when an episode begins.

    Args:
        run: what was recorded.
        make: makes the plant as it was when the run began: same options, same seed. Called again
            where the plant was started again.

    Raises:
        BagError: as in `ticks_of`.
        PlantError: from `make`.
    """
    plant = make()
    before: Timestep | None = None
    begun, follows = -1, False
    try:
        for tick in ticks_of(run, plant.spec):
            step = tick.step
            if before is not None and step.tick <= before.tick:
                plant.close()
                plant, before, begun = make(), None, -1
            follows = (follows and _follows(step, before)) or step.tick == 0
            if step.first and not follows:
                _go_to(plant, step.episode - begun)
                follows = True
            before = step
            if follows:
                begun = step.episode
            yield Following(tick, plant if follows else None)
    finally:
        plant.close()


def difference(tick: Tick, replayed: Transition) -> str:
    """Say what came out otherwise than recorded; empty: nothing."""
    step, observation = tick
    for name in ("first", "last", "reward", "discount"):
        recorded, found = getattr(step, name), getattr(replayed, name)
        if recorded != found:
            return f"tick {step.tick}: {name} was {recorded!r}, replayed it is {found!r}"
    if observation is None:
        return ""
    names = observation.dtype.names or ("observation",)
    for name, seen, again in zip(names, split(observation), split(replayed.observation),
                                 strict=True):
        if not np.array_equal(seen, again):
            different = int(np.sum(seen != again))
            return f"tick {step.tick}: {different} of the {seen.size} values of its {name} differ"
    return ""


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
