"""Chunks in virtual time, as so many workers that are dealt slots evenly would give them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from realtime_rl.core.control.chunk_book import Chunking
from realtime_rl.core.control.chunk_merging import Chunk
from realtime_rl.core.figures.accounting import RunRecords, account
from realtime_rl.core.figures.schema import RunFigures
from realtime_rl.core.figures.seams import sizes_of
from realtime_rl.core.messages.records import ActionMessage, Timestep
from realtime_rl.core.schedule.stagger import is_slot
from realtime_rl.plants.base import Plant
from realtime_rl.simulate.loop import Delay, Loop


@dataclass(frozen=True)
class Dealt(Delay):
    """Inferences start as so many workers are dealt slots."""

    workers: int = 1
    cycle: int = 1

    def starts(self, tick: int) -> bool:
        """Return whether `tick` is a slot."""
        return is_slot(tick, self.workers, max(self.workers, self.cycle))


@dataclass
class Run:
    """Ticks that were played, and the chunks that were computed meanwhile."""

    period_ns: int
    steps: list[Timestep] = field(default_factory=list)
    chunks: list[ActionMessage] = field(default_factory=list)

    def keep(self, tick: int, chunk: Chunk) -> Chunk:
        """Note a chunk as the loop's core gets it."""
        self.chunks.append(ActionMessage(
            tick * self.period_ns, tick, -1, 0, 0, 0, chunk.rows[0], chunk.rows,
            tick + chunk.first_offset))
        return chunk

    def figures(self, since: int = 0) -> RunFigures:
        """Account for the ticks from `since` on."""
        sizes = sizes_of(self.steps, self.chunks)
        return account(RunRecords(self.steps[since:], seam_sizes=sizes), started=since > 0)


def play(plant: Plant, policy: Callable[[int, Any], Chunk], delay: Delay, ticks: int,
         chunking: Chunking | None = None) -> Run:
    """Play so many ticks on a fresh plant."""
    run = Run(plant.spec.period_ns)
    loop = Loop(plant, lambda tick, seen: run.keep(tick, policy(tick, seen)), delay,
                chunking=chunking)
    for _ in range(ticks):
        run.steps.append(loop.step()[0])
    return run
