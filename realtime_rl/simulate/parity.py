"""Whether a recorded run is the same in virtual time: its commands once more, tick by tick."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from realtime_rl.bags.reader import Run
from realtime_rl.core.errors import BagError
from realtime_rl.core.observations import split
from realtime_rl.plants.base import Plant
from realtime_rl.simulate.replaying import difference, following


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

    Ticks are skipped as `following` says; if the plant's random stream moves otherwise, that shows
    as a difference. The arguments are those of `following`.

    Raises:
        BagError: as in `ticks_of`, or no episode was recorded from its beginning.
        PlantError: from `make`.
    """
    parity, seen = Parity(), hashlib.sha256()
    with closing(following(run, make)) as ticks:
        for tick, plant in ticks:
            if plant is None:
                parity.skipped_ticks += 1
                continue
            parity.difference = difference(tick, plant.step(tick.step.action))
            if parity.difference:
                break
            parity.ticks += 1
            parity.episode_ends += tick.step.last
            if tick.observation is not None:
                parity.observations += 1
                for part in split(tick.observation):
                    seen.update(part.tobytes())
    if not parity.ticks and not parity.difference:
        raise BagError(f"bag {str(run.path)!r} has no episode that was recorded from its "
                       "beginning, so that nothing can be replayed; record for longer")
    if not parity.observations and not parity.difference:
        raise BagError(f"bag {str(run.path)!r}: none of its {run.observations} observations is of "
                       f"a tick that was replayed and can be read, so that of the {parity.ticks} "
                       "ticks only rewards and ends were compared: nothing is shown by that")
    parity.observations_sha256 = seen.hexdigest()
    return parity
