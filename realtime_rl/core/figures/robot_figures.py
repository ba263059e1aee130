"""What a robot was sent, how it followed, and what stopped it: the figures of its records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.enumerations import Phase, StopCause
from realtime_rl.core.figures.schema import ElementFigures, RobotFigures, SourceFigures
from realtime_rl.core.figures.statistics import distribution
from realtime_rl.core.messages.records import RobotRecord
from realtime_rl.core.messages.table import Table

Rows = NDArray[np.float64]
_MOST = 256
"""Elements and sources that are looked at."""


@dataclass(frozen=True, slots=True)
class RobotNames:
    """What the numbers in a robot's records are called, as its contract says."""

    elements: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    positions: tuple[tuple[float, float], ...] = ()
    """Limits of the position of each element; infinite where there are none."""
    max_ages_s: tuple[float, ...] = ()
    """From which age on each source is stale [s]."""

    def element(self, place: int) -> str:
        """Return the name of an element; a number where the contract is not known."""
        return self.elements[place] if place < len(self.elements) else str(place)

    def source(self, place: int) -> str:
        """Return the name of a source, likewise."""
        return self.sources[place] if place < len(self.sources) else str(place)


NAMELESS = RobotNames()


@dataclass(frozen=True, slots=True)
class Stop:
    """A time for which a robot was stopped."""

    begin_ns: int
    """Stamp of its first tick."""
    end_ns: int
    """Stamp of the first tick after it; of its last one where it lasted to the end."""
    causes: StopCause
    """All that stopped it meanwhile."""

    @property
    def words(self) -> str:
        """Its causes."""
        return words_of(self.causes)


def words_of(causes: StopCause) -> str:
    """Return causes in words."""
    found = [str(cause.name).lower() for cause in StopCause if cause in causes]
    return ", ".join(found) or "unknown"


def robot_figures(records: Sequence[RobotRecord], names: RobotNames, period_ns: int
                  ) -> RobotFigures | None:
    """Compute the figures of a robot; `None` where it has no records.

    Args:
        records: one a tick.
        names: of its elements and sources.
        period_ns: of a tick.
    """
    table = Table.of(RobotRecord, records)
    if not len(table):
        return None
    phases = table.ints("phase")
    ticks = {phase: int((phases == phase).sum()) for phase in Phase}
    stopped_by, sent = table.ints("stopped_by"), table.rows("sent", _MOST)
    return RobotFigures(
        ticks=len(table), waiting_ticks=ticks[Phase.WAITING], holding_ticks=ticks[Phase.HOLDING],
        blending_ticks=ticks[Phase.BLENDING], acting_ticks=ticks[Phase.ACTING],
        stopped_ticks=ticks[Phase.STOPPED], ended_ticks=ticks[Phase.ENDED],
        unsent_ticks=int(np.isnan(sent).all(axis=1).sum()), stops=len(stops(table)),
        stopped_ticks_by={str(cause.name).lower(): int(((stopped_by & cause) > 0).sum())
                          for cause in StopCause},
        elements=_elements(table, sent, names, period_ns), sources=_sources(table, names))


def _elements(table: Table[RobotRecord], sent: Rows, names: RobotNames, period_ns: int
              ) -> dict[str, ElementFigures]:
    limited = table.rows("limited", _MOST)
    apart = difference(table)
    steps = sent_steps(table, sent)
    found: dict[str, ElementFigures] = {}
    for place in range(sent.shape[1]):
        largest = _largest(steps[:, place])
        found[names.element(place)] = ElementFigures(
            limited_ticks=(int((limited[:, place] > 0).sum()) if place < limited.shape[1] else 0),
            difference=distribution(np.abs(apart[:, place])), largest_step=largest,
            largest_rate=None if largest is None else round(largest * 1e9 / period_ns, 9))
    return found


def difference(table: Table[RobotRecord]) -> Rows:
    """Return the command less the measured position, an element a column; NaN: not known."""
    sent, measured = table.rows("sent", _MOST), table.rows("measured", _MOST)
    width = min(sent.shape[1], measured.shape[1])
    found = np.full(sent.shape, np.nan)
    found[:, :width] = sent[:, :width] - measured[:, :width]
    return found


def sent_steps(table: Table[RobotRecord], sent: Rows) -> Rows:
    """Return what each command differs by from that of the tick before; NaN: not known."""
    found = np.full(sent.shape, np.nan)
    following = np.flatnonzero(np.diff(table.ints("tick")) == 1)
    found[following + 1] = sent[following + 1] - sent[following]
    return found


def _largest(values: NDArray[np.float64]) -> float | None:
    known = values[np.isfinite(values)]
    # rounded: differences of floats leave dust
    return round(float(np.abs(known).max()), 12) if known.size else None


def _sources(table: Table[RobotRecord], names: RobotNames) -> dict[str, SourceFigures]:
    ages, repeated = table.rows("ages_s", _MOST), table.rows("repeated", _MOST)
    return {names.source(place): SourceFigures(
        age_ms=distribution(ages[:, place] * 1e3),
        unheard_ticks=int(np.isnan(ages[:, place]).sum()),
        most_repeated=(int(np.nanmax(repeated[:, place], initial=0))
                       if place < repeated.shape[1] else 0))
        for place in range(ages.shape[1])}


def stops(records: Sequence[RobotRecord]) -> list[Stop]:
    """Return when the robot was stopped, in order, and by what."""
    table = Table.of(RobotRecord, records)
    stamps_ns, causes = table.ints("stamp_ns"), table.ints("stopped_by")
    stopped = table.equal("phase", Phase.STOPPED)
    edges = np.diff(np.concatenate([[False], stopped, [False]]).astype(np.int8))
    begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return [Stop(int(stamps_ns[begin]), int(stamps_ns[min(end, len(table) - 1)]),
                 StopCause(int(np.bitwise_or.reduce(causes[begin:end]))))
            for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)]
