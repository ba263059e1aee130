"""Parameters of how the actuator uses chunks of actions."""

from __future__ import annotations

from dataclasses import dataclass

from realtime_rl.core.control.chunk_book import Chunking
from realtime_rl.core.control.chunk_merging import Merge
from realtime_rl.core.enumerations import MergeRule
from realtime_rl.core.schedule.tick_grid import ticks_in
from realtime_rl.core.settings.config import choice, parameter
from realtime_rl.core.types import ActionSpace

FIRSTS = ("oldest", "newest")


@dataclass(frozen=True)
class ChunkParameters:
    """How chunks of actions are used; without chunks none of them matters."""

    chunk_merge: str = choice(
        MergeRule.NEWEST, "how the chunks that cover a tick become one action; `ensemble` and "
        "`blend` take continuous actions, `prefix` a policy that is told what acts meanwhile")
    chunk_ensemble_decay: float = parameter(
        0.01, "`ensemble`: chunk `i` counts exp(-decay·i)", low=0.0, high=100.0)
    chunk_ensemble_first: str = parameter(
        "oldest", "`ensemble`: which chunk is chunk 0, that counts most", choices=FIRSTS)
    chunk_blend: int = parameter(
        4, "`blend`: rows over which a newer chunk takes over", unit="ticks", low=1, high=1024)
    chunk_newest_only: tuple[str, ...] = parameter(
        (), "dimensions that are not merged: the newest chunk's value acts")
    chunk_indivisible: tuple[str, ...] = parameter(
        (), "dimensions that are binary or angles, as a gripper or a joint that turns on and on: "
        "no mean makes sense of them, so that `ensemble` and `blend` are refused unless they are "
        "in `chunk_newest_only`")
    max_chunk_age: float = parameter(
        0.0, "no row is used so long after its observation or later; 0: as long as there are rows",
        unit="s", low=0.0, high=3600.0)


def chunking_of(config: ChunkParameters, actions: ActionSpace, period_ns: int,
                interval_ticks: int = 1) -> Chunking:
    """Return what the parameters ask for; `ConfigError` where the actions do not allow it.

    `interval_ticks`: between two chunks, as far as that is asked for.
    """
    merge = Merge(MergeRule.of(config.chunk_merge), config.chunk_ensemble_decay,
                  config.chunk_ensemble_first == "oldest", config.chunk_blend,
                  config.chunk_newest_only)
    merge.check(actions, config.chunk_indivisible)
    if not config.max_chunk_age:
        return Chunking(merge, interval_ticks=interval_ticks)
    return Chunking(merge, ticks_in(config.max_chunk_age, period_ns), interval_ticks)
