"""The records of a run: what each topic says, as plain values. `wire` gives them their layout.

From these records alone every tick can be attributed to one cause and every action to its fate
(the law of the bag). They are what the actuator, the coordinator, the monitor and the report
reason about; none of them sees a ROS message.

The type of a field says what it may be (`ranges`): only the floats that are called so may be NaN or
infinite, and `wire.decode` refuses everything else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Protocol

from realtime_rl.core.enumerations import (
    Algorithm,
    Dealing,
    Fate,
    Miss,
    Phase,
    Reason,
    SlotSource,
)
from realtime_rl.core.messages import ranges
from realtime_rl.core.types import Action, Cause

NAN = math.nan
Stamp = Annotated[int, ranges.STAMP]
"""ROS time [ns]."""
Id = Annotated[int, ranges.ID]
"""A tick, a version, a generation, a count."""
IdOrNone = Annotated[int, ranges.ID_OR_NONE]
"""-1: there is none."""
Worker = Annotated[int, ranges.WORKER]
WorkerOrNone = Annotated[int, ranges.WORKER_OR_NONE]
Period = Annotated[int, ranges.PERIOD_NS]
SpanNs = Annotated[int, ranges.SPAN_NS]
Seconds = Annotated[float, ranges.SPAN_S]
MaybeSeconds = Annotated[float, ranges.MAYBE_SPAN_S]
"""NaN: not known, as below."""
MaybeSince = Annotated[float, ranges.SINCE_S]
MaybeAge = Annotated[float, ranges.AGE_S]
Share = Annotated[float, ranges.SHARE]
AnyValue = Annotated[float, ranges.ANY_VALUE]
MaybeValue = Annotated[float, ranges.MAYBE_VALUE]
Flags = Annotated[int, ranges.FLAGS]


class DealtSlot(Protocol):
    """A slot, as `worker_pool.Slot` is one: what its records say of it."""

    @property
    def stamp_ns(self) -> int:
        """Stamp of the observation."""

    @property
    def tick(self) -> int:
        """Tick of the observation."""

    @property
    def due_tick(self) -> int:
        """The tick that its action is meant for; -1: as soon as possible."""

    @property
    def worker(self) -> int:
        """Who takes it; -1: nobody does."""

    @property
    def generation(self) -> int:
        """Of the schedule that dealt it."""


@dataclass(frozen=True, slots=True)
class ActionMessage:
    """One action on its way from a worker to the actuator."""

    stamp_ns: Stamp
    """Stamp of the observation it answers [ns, ROS time]: the identity of that tick."""
    tick: Id
    due_tick: IdOrNone
    """The tick it is meant for; -1: as soon as possible."""
    worker: Worker
    version: IdOrNone
    generation: Id
    action: Action
    """Of a chunk: its first row."""
    rows: tuple[Action, ...] = ()
    """Of a chunk: an action for each of some ticks that follow each other; empty: it is none."""
    first_tick: IdOrNone = -1
    """The tick that the first row is meant for; -1: it is no chunk."""

    @classmethod
    def answering(cls, slot: DealtSlot, version: int, action: Action) -> ActionMessage:
        """What a policy of that version computed in a slot."""
        return cls(slot.stamp_ns, slot.tick, slot.due_tick, slot.worker, version, slot.generation,
                   action)

    @classmethod
    def chunk(cls, slot: DealtSlot, version: int, rows: tuple[Action, ...], first_tick: int
              ) -> ActionMessage:
        """A chunk of one row or more, whose first is meant for `first_tick`."""
        return cls(slot.stamp_ns, slot.tick, slot.due_tick, slot.worker, version, slot.generation,
                   rows[0], rows, first_tick)

    @property
    def last_tick(self) -> int:
        """The last tick that a row of a chunk is meant for; -1: it is no chunk."""
        return self.first_tick + len(self.rows) - 1 if self.rows else -1


@dataclass(frozen=True, slots=True)
class Command:
    """What the actuator tells the plant to do at its next tick, and on whose behalf."""

    cause: Cause
    action: Action
    worker: WorkerOrNone = -1
    version: IdOrNone = -1
    observation_tick: IdOrNone = -1
    row: IdOrNone = -1
    """The row of the chunk of that observation, from 0 on; -1: it is of no chunk."""
    merged: Id = 0
    """How many chunks took part, the newest of which is named; 0: none."""

    @classmethod
    def carrying_out(cls, message: ActionMessage) -> Command:
        """What a policy's action asks for."""
        return cls(Cause.POLICY, message.action, message.worker, message.version, message.tick)


@dataclass(frozen=True, slots=True)
class CommandOrigin:
    """On whose behalf a command was sent to a robot, whose own messages have no place for it."""

    stamp_ns: Stamp
    """Stamp of the command [ns, ROS time]: when it was sent; of types without one, too."""
    cause: Cause
    worker: WorkerOrNone
    version: IdOrNone
    observation_tick: IdOrNone
    action: Action
    row: IdOrNone = -1
    merged: Id = 0

    @classmethod
    def of(cls, command: Command, stamp_ns: int) -> CommandOrigin:
        """On whose behalf `command` was sent at `stamp_ns`."""
        return cls(stamp_ns, command.cause, command.worker, command.version,
                   command.observation_tick, command.action, command.row, command.merged)

    @property
    def command(self) -> Command:
        """The command itself."""
        return Command(self.cause, self.action, self.worker, self.version, self.observation_tick,
                       self.row, self.merged)


@dataclass(frozen=True, slots=True)
class Timestep:
    """One plant tick: what it latched, and what came of it. The ground truth of a run."""

    stamp_ns: Stamp
    """The tick's identity: ROS time at the plant's start + monotonic time since [ns]."""
    tick: Id
    period_ns: Period
    lateness_s: Seconds
    """How long after its place on the time grid the tick started [s]."""
    missed: bool
    """It started more than a period late, and was stepped at once to catch up."""
    episode: IdOrNone
    reward: AnyValue
    discount: Share
    first: bool
    last: bool
    cause: Cause
    worker: WorkerOrNone
    version: IdOrNone
    observation_tick: IdOrNone
    """The tick of the observation that the latched command answers; -1 when none."""
    action: Action
    """What the plant was stepped with."""
    plant: str = ""
    row: IdOrNone = -1
    """The row of the chunk of that observation, from 0 on; -1: it is of no chunk."""
    merged: Id = 0
    """How many chunks took part, the newest of which is named; 0: none."""
    counted: str = ""
    """Names of the plant's counters, with `,` between them; empty: it has none."""
    counters: tuple[float, ...] = ()
    """What each of them counted in this episode so far."""

    @classmethod
    def latching(cls, command: Command, *, stamp_ns: int, tick: int, period_ns: int,
                 lateness_s: float = 0.0, missed: bool = False, episode: int = 0,
                 reward: float = 0.0, discount: float = 1.0, first: bool = False,
                 last: bool = False, plant: str = "", counted: str = "",
                 counters: tuple[float, ...] = ()) -> Timestep:
        """A tick that latched `command`; by default on time, in the midst of an episode."""
        return cls(stamp_ns, tick, period_ns, lateness_s, missed, episode, reward, discount, first,
                   last, command.cause, command.worker, command.version, command.observation_tick,
                   command.action, plant, command.row, command.merged, counted, counters)

    @property
    def missing(self) -> bool:
        """No policy's action came: the default policy acted, or no command was there at all."""
        return self.cause in (Cause.DEFAULT, Cause.NONE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The fate of one action, or of one tick that the default policy had to fill."""

    stamp_ns: Stamp
    """Stamp of the observation that the action answers; 0 for a default."""
    fate: Fate
    reason: Reason
    tick: IdOrNone
    """The tick at which it was applied or defaulted; -1 when it never was."""
    observation_tick: IdOrNone
    delay_ticks: IdOrNone
    """`tick - observation_tick`; -1 when it was not applied."""
    worker: WorkerOrNone
    version: IdOrNone
    generation: IdOrNone
    arrival_s: MaybeSince
    """Arrival at the actuator on its monotonic clock since its start [s]; NaN for a default."""
    age_s: MaybeAge = NAN
    """How long before that the observation's tick was heard of, as it should have been [s]."""
    rows: Id = 0
    """Of a chunk: at how many ticks a row of it was latched, from `tick` on."""

    @classmethod
    def applied(cls, message: ActionMessage, tick: int, arrival_s: float, age_s: float = NAN,
                rows: int = 0) -> Verdict:
        """The plant latched it at `tick`; of a chunk `rows` of its rows, from that tick on."""
        return cls._of(message, Fate.APPLIED, arrival_s, age_s, tick=tick,
                       delay_ticks=tick - message.tick, rows=rows)

    @classmethod
    def superseded(cls, message: ActionMessage, arrival_s: float, age_s: float = NAN) -> Verdict:
        """A newer command was latched in its place."""
        return cls._of(message, Fate.SUPERSEDED, arrival_s, age_s)

    @classmethod
    def rejected(cls, message: ActionMessage, reason: Reason, arrival_s: float, age_s: float = NAN
                 ) -> Verdict:
        """The actuator refused it."""
        return cls._of(message, Fate.REJECTED, arrival_s, age_s, reason=reason)

    @classmethod
    def unreadable(cls, arrival_s: float) -> Verdict:
        """A message that is no action was refused."""
        return cls(0, Fate.REJECTED, Reason.MALFORMED, -1, -1, -1, -1, -1, -1, arrival_s)

    @classmethod
    def defaulted(cls, tick: int) -> Verdict:
        """The default policy filled `tick`."""
        return cls(0, Fate.DEFAULTED, Reason.NONE, tick, -1, -1, -1, -1, -1, NAN)

    @classmethod
    def _of(cls, message: ActionMessage, fate: Fate, arrival_s: float, age_s: float, *,
            reason: Reason = Reason.NONE, tick: int = -1, delay_ticks: int = -1, rows: int = 0
            ) -> Verdict:
        return cls(message.stamp_ns, fate, reason, tick, message.tick, delay_ticks, message.worker,
                   message.version, message.generation, arrival_s, age_s, rows)


@dataclass(frozen=True, slots=True)
class Inference:
    """One slot: the inference it gave, or why it gave none."""

    stamp_ns: Stamp
    """Stamp of the observation."""
    tick: Id
    due_tick: IdOrNone
    worker: WorkerOrNone
    """-1 for a slot that no worker took."""
    generation: Id
    version: IdOrNone
    age_s: MaybeAge
    """Age of the observation when the inference started [s]."""
    duration_s: MaybeSeconds
    """Time that the worker was taken, an emulated accelerator's wait included [s]."""
    compute_s: MaybeSeconds
    """The part of it that was really computed here [s]."""
    miss: Miss
    swapping: bool
    """A new policy was being loaded meanwhile."""
    swap_s: MaybeSince
    """First inference of a policy version: time since it was announced [s]; else NaN."""
    node: str = ""
    provider: str = ""
    emulated: str = ""
    """The emulated accelerator's latency; empty for none."""
    exploration: str = ""
    """The parameter `exploration` in force; empty: not known, as in older bags."""
    horizon: Id = 0
    """Its chunk has rows up to so many ticks after its observation; 0: it gave no chunk."""
    settled: IdOrNone = -1
    """So many of the rows that act meanwhile were settled as it began; -1: it is not told them."""

    @classmethod
    def taken(cls, slot: DealtSlot, miss: Miss, *, version: int, age_s: float, duration_s: float,
              compute_s: float, swapping: bool = False, swap_s: float = NAN, node: str = "",
              provider: str = "", emulated: str = "", exploration: str = "",
              horizon: int = 0, settled: int = -1) -> Inference:
        """A worker took the slot; `miss` says whether it gave an action."""
        return cls(slot.stamp_ns, slot.tick, slot.due_tick, slot.worker, slot.generation, version,
                   age_s, duration_s, compute_s, miss, swapping, swap_s, node, provider, emulated,
                   exploration, horizon, settled)

    @classmethod
    def missed(cls, slot: DealtSlot, why: Miss, *, swapping: bool = False, node: str = "",
               emulated: str = "", exploration: str = "") -> Inference:
        """No worker took the slot."""
        return cls(slot.stamp_ns, slot.tick, slot.due_tick, -1, slot.generation, -1, NAN, NAN, NAN,
                   why, swapping, NAN, node, "", emulated, exploration)


@dataclass(frozen=True, slots=True)
class ScheduleRecord:
    """One schedule, as the coordinator announced it."""

    stamp_ns: Stamp
    generation: Id
    effective_tick: Id
    promised_delay_ticks: Id
    required_workers: Id
    duration_ns: SpanNs
    handover_ns: SpanNs
    period_ns: Period
    algorithm: Algorithm
    dealing: Dealing
    slot_source: SlotSource
    processes: Id
    active: tuple[Worker, ...]
    """Ids of the active workers, in dealing order."""


@dataclass(frozen=True, slots=True)
class Learning:
    """The learner's figures, once a second."""

    stamp_ns: Stamp
    updates: Id
    transitions: Id
    loss: AnyValue
    epsilon: Share
    version: IdOrNone
    lag_s: MaybeSince
    """Age of the newest exported policy [s]."""


@dataclass(frozen=True, slots=True)
class RobotRecord:
    """One tick of a robot: what it was sent and why, and how old what it said was.

    Elements and sources are in the order of the contract, which is on the topic `contract`.
    """

    stamp_ns: Stamp
    """The tick's identity, as `Timestep` has it."""
    tick: Id
    phase: Phase
    stopped_by: Flags
    """Members of `StopCause`; 0: nothing does."""
    sent: tuple[MaybeValue, ...]
    """To each element, in the robot's units; NaN: nothing."""
    measured: tuple[MaybeValue, ...]
    """Position of each element, where the contract says by what it is measured."""
    limited: tuple[Flags, ...]
    """Of each element: 1 where the limits allowed less than was asked for."""
    ages_s: tuple[MaybeAge, ...]
    """Of each source's value at the tick [s]; NaN: it never spoke."""
    repeated: tuple[Id, ...]
    """How many messages of each source before its newest one said the same as that."""
