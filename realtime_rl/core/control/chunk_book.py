"""The chunks that reached the actuator: whose row acts at a tick, and what became of each chunk.

A chunk acts from the tick that it is due at, with the row that is meant for that tick; rows before
are never used. The newest due chunk that covers a tick acts. `Merge` says whether others take part.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from realtime_rl.core.control.chunk_merging import NEWEST, Merge
from realtime_rl.core.control.in_flight import Received
from realtime_rl.core.enumerations import MergeRule
from realtime_rl.core.messages.plan import NOTHING, Plan
from realtime_rl.core.messages.records import ActionMessage, Command, Verdict
from realtime_rl.core.types import Action, ActionSpace, Cause

_TAKE_PART = {MergeRule.ENSEMBLE: 1 << 30, MergeRule.BLEND: 2}
"""Chunks of which an action is made, at most; else one."""


@dataclass(frozen=True, slots=True)
class Chunking:
    """What is asked of chunks."""

    merge: Merge = NEWEST
    max_age_ticks: int = 1 << 30
    """No row is used at a tick that is so many ticks, or more, after its observation's."""
    interval_ticks: int = 1
    """`PREFIX`: ticks between two chunks that are taken up, at least; never less than `D`."""


@dataclass(slots=True)
class _Held:
    """A chunk, and what was made of it."""

    received: Received
    due: int
    """The first tick that it may act at."""
    last: int
    """The last tick that it has a row for and is not too old at."""
    begun: int = -1
    """The first tick that it was the newest for; -1: none yet."""
    first: int = -1
    """The first tick that latched a row of it; -1: none yet."""
    rows: int = 0
    void: bool = False
    told: bool = False

    def row(self, tick: int) -> Action:
        message = self.received.message
        return message.rows[tick - message.first_tick]

    def fate(self) -> Verdict:
        self.told = True
        return (self.received.superseded() if self.first < 0
                else self.received.applied(self.first, self.rows))


@dataclass(slots=True)
class ChunkBook:
    """Pure: ticks are all the time that it knows."""

    space: ActionSpace
    chunking: Chunking = field(default_factory=Chunking)
    _held: list[_Held] = field(default_factory=list)
    """In order of their observations."""
    _adopted: tuple[int, int] = (-1, -1)
    """The ticks from which the newest chunk that acted and the one before it did."""
    _newest: int = -1
    """Tick of the newest observation whose chunk acted."""
    plan: Plan = NOTHING
    """`PREFIX`: what is promised, as long as nothing voids it."""

    def __len__(self) -> int:
        """Return how many chunks are held."""
        return len(self._held)

    @property
    def newest(self) -> int:
        """The tick of the newest observation whose chunk was chosen to act; -1: none was."""
        return self._newest

    def usable(self, message: ActionMessage, tick: int) -> bool:
        """Whether a chunk has a row for `tick`, the next one that can be reached, or one after."""
        return max(_due(message), tick) <= self._last(message)

    def add(self, received: Received) -> None:
        """Take a chunk in, whose rows are in the space; of each observation one at most."""
        bisect.insort(self._held, _Held(received, _due(received.message),
                                         self._last(received.message)),
                      key=_observed)

    def covers(self, tick: int) -> bool:
        """Whether a chunk that is held has a row for `tick`."""
        return any(self._covering(tick))

    def take(self, tick: int) -> Command | None:
        """Return what acts at `tick`; `None`: no chunk does. Ticks are asked for in order."""
        found = self._covering(tick)
        if not found:
            return None
        newest, merge = found[0], self.chunking.merge
        message = newest.received.message
        if newest.begun < 0:
            newest.begun = tick
            if message.tick > self._newest:
                self._newest, self._adopted = message.tick, (tick, self._adopted[0])
                if merge.rule is MergeRule.PREFIX:
                    self.plan = self._promised(newest, tick)
        action, merged = merge.merged([each.row(tick) for each in found], tick - newest.begun,
                                      self.space)
        return Command(Cause.POLICY, action, message.worker, message.version, message.tick,
                       tick - message.first_tick, merged)

    def expects_newer(self, tick: int) -> bool:
        """Whether, if chunks come as the last two did, a newer one acts at `tick` already."""
        found = next(iter(self._covering(tick)), None)
        if found is None or found.begun < 0 or tick <= self.plan.final_until:
            return False
        newest, before = self._adopted
        return before >= 0 and tick >= 2 * newest - before

    def latched(self, tick: int, observation_tick: int) -> None:
        """A row of the chunk of an observation acted at `tick`."""
        place = bisect.bisect_left(self._held, observation_tick, key=_observed)
        held = self._held[place] if place < len(self._held) else None
        if held is not None and _observed(held) == observation_tick and not held.told:
            held.first = tick if held.first < 0 else held.first
            held.rows += 1

    def fates(self, tick: int, in_flight: Callable[[int], bool]) -> list[Verdict]:
        """Return what became of the chunks that act at no tick after `tick`, each once.

        Args:
            tick: the newest that is known with what it latched.
            in_flight: whether a command of the chunk of an observation may still be latched.
        """
        verdicts, latched_until = [], -1
        for held in reversed(self._held):
            over = held.void or held.last <= max(tick, latched_until)
            if over and not held.told and not in_flight(_observed(held)):
                verdicts.append(held.fate())
            if held.first >= 0:
                latched_until = max(latched_until, held.last)
        averages = self.chunking.merge.averages
        self._held = [held for held in self._held if not held.told
                      or (averages and not held.void and held.last > tick)]
        return verdicts[::-1]

    def void(self) -> None:
        """Use no row of what is held any more, as from before a stop."""
        for held in self._held:
            held.void = True
        self.plan = NOTHING

    def clear(self) -> list[Verdict]:
        """Forget all, as the plant began anew; return what became of each."""
        verdicts = [held.fate() for held in self._held if not held.told]
        self._held, self._adopted, self._newest, self.plan = [], (-1, -1), -1, NOTHING
        return verdicts

    def values(self) -> dict[str, Any]:
        """Return its state as JSON can hold it."""
        return {"adopted": self._adopted, "newest": self._newest, "plan": asdict(self.plan),
                "held": [{**asdict(held), "received": {**asdict(held.received), "age_s": None}}
                         for held in self._held]}

    def restore(self, values: dict[str, Any]) -> None:
        """Go on from what `values` returned."""
        self._adopted, self._newest = tuple(values["adopted"]), values["newest"]
        self._held = [_Held(**{**held, "received": _received(held["received"])})
                      for held in values["held"]]
        plan = values.get("plan", {})  # not in older ones
        self.plan = Plan(**{**plan, "rows": tuple(map(tuple, plan.get("rows", ())))})

    def _covering(self, tick: int) -> list[_Held]:
        """The chunks that may act at `tick` and have a row for it, newest first."""
        most, found = _TAKE_PART.get(self.chunking.merge.rule, 1), []
        settled = self.plan.tick if tick <= self.plan.final_until else tick
        for held in reversed(self._held):
            if held.due <= tick <= held.last and not held.void and _observed(held) <= settled:
                found.append(held)
                if len(found) == most:
                    break
        return found

    def _promised(self, held: _Held, tick: int) -> Plan:
        """What a chunk that is taken up at `tick` promises.

        Chunks begin `D` ticks apart or more, so that the next one is due so long after this one.
        One that came late promises no longer than one in time: else the next would be late, too.
        """
        message, final = held.received.message, tick - 1
        if message.due_tick >= 0:
            apart = max(message.due_tick - message.tick, self.chunking.interval_ticks)
            final = max(final, min(message.due_tick + apart - 1, held.last))
        first = message.first_tick
        return Plan(message.stamp_ns, message.tick, message.version, tick, final,
                    message.rows[tick - first:held.last - first + 1])

    def _last(self, message: ActionMessage) -> int:
        return min(message.last_tick, message.tick + self.chunking.max_age_ticks)


def _observed(held: _Held) -> int:
    return held.received.message.tick


def _received(values: dict[str, Any]) -> Received:
    message = values["message"]
    rows = tuple(map(tuple, message["rows"]))
    return Received(ActionMessage(**{**message, "rows": rows, "action": rows[0]}),
                    values["arrival_s"])


def _due(message: ActionMessage) -> int:
    return max(message.due_tick, message.first_tick)
