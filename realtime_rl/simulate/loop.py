"""The control loop in virtual time: the action of observation `k` acts at tick `k + delay`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from realtime_rl.core.control import default_policy
from realtime_rl.core.control.chunk_book import ChunkBook, Chunking
from realtime_rl.core.control.chunk_merging import Chunk
from realtime_rl.core.control.default_policy import DefaultPolicy
from realtime_rl.core.control.in_flight import Received
from realtime_rl.core.enumerations import MergeRule
from realtime_rl.core.errors import ConfigError, choices
from realtime_rl.core.experience.action_history import ActionHistory
from realtime_rl.core.experience.observation_stack import ObservationStack
from realtime_rl.core.experience.snapshot import Snapshot
from realtime_rl.core.figures.counters import joined
from realtime_rl.core.messages.records import ActionMessage, Timestep
from realtime_rl.core.observations import Observation
from realtime_rl.core.policy.prefix import Prefix, of_plan
from realtime_rl.core.types import Action, Cause
from realtime_rl.plants.base import Plant

Interaction = Literal["asynchronous", "sequential"]
INTERACTIONS: tuple[Interaction, ...] = ("asynchronous", "sequential")
LONGEST = 36_000
"""Ticks for which an episode's end is waited for: ten minutes of a Game Boy."""

Policy = Callable[[int, Observation], Action | Chunk]
"""`(tick, stacked observation) -> action`, or a chunk of them."""


@dataclass(frozen=True, slots=True)
class Delay:
    """How inference and plant interleave."""

    ticks: int
    """The action of observation `k` acts at tick `k + ticks`; 1: the world seems to wait."""
    interaction: Interaction = "asynchronous"
    """`asynchronous`: an inference starts at every tick, as with enough staggered workers;
    `sequential`: the next one starts when the last one's action has acted."""
    every: int = 1
    """`asynchronous`: an inference starts at every so many ticks, as with fewer workers; what it
    costs without chunks is inaction, with them the age of the feedback."""

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.every < 1:
            raise ConfigError(f"every {self.every!r} must be 1 tick or more")
        if self.every > 1 and self.interaction == "sequential":
            raise ConfigError(f"every {self.every!r}: a sequential inference starts when the one "
                              "before has acted; leave it out")
        if self.ticks < 1:
            raise ConfigError(f"delay {self.ticks!r} must be 1 tick or more")
        if self.interaction not in INTERACTIONS:
            raise ConfigError(f"interaction {self.interaction!r} is not one of "
                              f"{choices(INTERACTIONS)}")

    def check_prefix(self) -> None:
        """Refuse chunks that begin before the one before acts: what acts would not be settled."""
        if self.interaction == "asynchronous" and self.every < self.ticks:
            raise ConfigError(f"chunk_merge 'prefix' takes a chunk every {self.ticks} ticks at "
                              "most, the delay, so that what acts until then is settled: set "
                              f"every to {self.ticks} or more, not {self.every}")

    def starts(self, tick: int) -> bool:
        """Return whether an inference starts on the observation of `tick`."""
        return tick % (self.every if self.interaction == "asynchronous" else self.ticks) == 0


class VirtualTick(NamedTuple):
    """What a tick of virtual time was; all else that a `Timestep` says follows from the loop."""

    tick: int
    cause: Cause
    """`POLICY` or `DEFAULT`."""
    action: Action
    observation: Observation
    reward: float
    discount: float
    first: bool
    last: bool
    observation_tick: int = -1
    """What the action answers; -1: nothing."""
    row: int = -1
    """Of the chunk; -1: it is of none."""
    merged: int = 0
    """Chunks that took part."""
    counters: tuple[float, ...] = ()


class Loop:
    """A plant and its policy, stepped one tick at a time; its state can be saved.

    No clock is read and nothing sleeps: the same plant, seed and policy give the same records.
    """

    def __init__(
        self, plant: Plant, policy: Policy | None, delay: Delay, *, stack: int = 1,
        default: DefaultPolicy | None = None, version: int = 0,
        applied: ActionHistory | None = None, chunking: Chunking | None = None,
        begin: Callable[[], None] = lambda: None,
        promise: Callable[[Prefix], None] = lambda prefix: None
    ) -> None:
        """Begin at tick 0.

        Args:
            plant: fresh, or wherever it is.
            policy: called once an inference; none: the default policy acts alone.
            delay: when its actions act.
            stack: observations joined for the policy.
            default: acts when no action is due; the no-op when not given.
            version: written into the records as the policy's.
            applied: is told what every tick applied before `policy` is called: one that takes
                applied actions reads them there, as they are known live.
            chunking: how the rows of chunks are used; the newest when not given.
            begin: called at an episode's first observation, before `policy` is.
            promise: is told, before `policy` is called, what acts until its chunk can.

        Raises:
            ConfigError: chunks that are told what acts meanwhile would begin before it has acted.
        """
        if chunking is not None and chunking.merge.rule is MergeRule.PREFIX:
            delay.check_prefix()
        self._promise = promise
        self._begin = begin
        self._applied = applied
        self._plant = plant
        self._policy = policy
        self._delay = delay
        self._version = version
        self._spec = plant.spec
        self._counted = joined(plant.spec.counters)
        self._default = default or default_policy.make("noop", plant.spec.actions)
        self._observations = ObservationStack(stack)
        self._due: dict[int, Action] = {}
        self._book = ChunkBook(plant.spec.actions, chunking or Chunking())
        self._last = plant.spec.actions.noop
        self._episode = -1
        self.tick = 0
        """The next one."""

    def advance(self) -> VirtualTick:
        """Step one tick; return what came of it."""
        tick, delay = self.tick, self._delay
        action, answered, row, merged = self._act(tick)
        transition = self._plant.step(action)
        self._last = action
        self._episode += transition.first
        self._observations.push(tick, transition.observation, transition.first)
        if self._applied is not None:
            if transition.first:
                self._applied.begin(tick)
            self._applied.push(tick, action)
        if transition.first:
            self._begin()
        if self._policy is not None and delay.starts(tick):
            stacked = self._observations.get(tick)
            if stacked is not None:
                self._promise(of_plan(self._book.plan, tick, tick + delay.ticks))
                self._take_in(tick, self._policy(tick, stacked))
        self.tick += 1
        return VirtualTick(tick, Cause.POLICY if answered >= 0 else Cause.DEFAULT, action,
                           transition.observation, transition.reward, transition.discount,
                           transition.first, transition.last, answered, row, merged,
                           transition.counters)

    def _act(self, tick: int) -> tuple[Action, int, int, int]:
        """Return what acts, the observation that it answers, its row, and how many chunks."""
        if tick in self._due:
            return self._due.pop(tick), tick - self._delay.ticks, -1, 0
        command = None
        if len(self._book):
            command = self._book.take(tick)
            if command is not None:
                self._book.latched(tick, command.observation_tick)
            self._book.fates(tick, lambda observed: False)
        if command is None:
            return self._default(tick, self._last), -1, -1, 0
        return command.action, command.observation_tick, command.row, command.merged

    def _take_in(self, tick: int, decided: Action | Chunk) -> None:
        due = tick + self._delay.ticks
        if not isinstance(decided, Chunk):
            self._due[due] = decided
            return
        self._book.add(Received(ActionMessage(
            tick * self._spec.period_ns, tick, due, 0, self._version, 0, decided.rows[0],
            decided.rows, tick + decided.first_offset), 0.0))

    def step(self) -> tuple[Timestep, Observation]:
        """Step one tick; return its record, as of a live run, and its observation."""
        done, spec = self.advance(), self._spec
        acted = done.cause is Cause.POLICY
        return Timestep(
            stamp_ns=done.tick * spec.period_ns, tick=done.tick, period_ns=spec.period_ns,
            lateness_s=0.0, missed=False, episode=max(self._episode, 0), reward=done.reward,
            discount=done.discount, first=done.first, last=done.last, cause=done.cause,
            worker=0 if acted else -1, version=self._version if acted else -1,
            observation_tick=done.observation_tick, action=done.action, plant=spec.name,
            row=done.row, merged=done.merged, counted=self._counted,
            counters=done.counters), done.observation

    def save(self, snapshot: Snapshot) -> None:
        """See `Saveable`; the plant's state is in it."""
        self._observations.save(snapshot, "loop.observations")
        if self._applied is not None:
            self._applied.save(snapshot, "loop.applied")
        snapshot.arrays["loop.plant"] = np.frombuffer(self._plant.save_state(), np.uint8)
        snapshot.values["loop"] = {"tick": self.tick, "due": list(self._due.items()),
                                   "last": self._last, "episode": self._episode,
                                   "chunks": self._book.values()}

    def load(self, snapshot: Snapshot) -> None:
        """See `Saveable`; `PlantError` when the plant's state is of another plant."""
        self._observations.load(snapshot, "loop.observations")
        if self._applied is not None:
            self._applied.load(snapshot, "loop.applied")
        self._plant.load_state(snapshot.arrays["loop.plant"].tobytes())
        values = snapshot.values["loop"]
        self.tick, self._episode = values["tick"], values["episode"]
        self._last = tuple(values["last"])
        self._due = {tick: tuple(action) for tick, action in values["due"]}
        if "chunks" in values:  # not in older ones
            self._book.restore(values["chunks"])


def simulate(
    plant: Plant, policy: Policy | None, delay: Delay, steps: int, *, stack: int = 1,
    default: DefaultPolicy | None = None, version: int = 0, applied: ActionHistory | None = None,
    chunking: Chunking | None = None
) -> Iterator[tuple[Timestep, Observation]]:
    """Step a plant `steps` ticks; yield the record and the observation of each.

    The arguments are those of `Loop`.
    """
    loop = Loop(plant, policy, delay, stack=stack, default=default, version=version,
                applied=applied, chunking=chunking)
    for _ in range(steps):
        yield loop.step()
