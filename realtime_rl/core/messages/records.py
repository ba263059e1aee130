"""The records of a run: what each topic says, as plain values. `wire` gives them their layout.

From these records alone every tick can be attributed to one cause and every action to its fate
(the law of the bag). They are what the actuator, the coordinator, the monitor and the report
reason about; none of them sees a ROS message.

The type of a field says what it may be (`ranges`): only the floats that are called so may be NaN or
infinite, and `wire.decode` refuses everything else.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import Annotated

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


class Fate(enum.IntEnum):
    """What became of one action that reached the actuator, or of one tick without."""

    APPLIED = 0
    """The plant latched it."""
    SUPERSEDED = 1
    """Forwarded or admissible, but a newer command was latched in its place."""
    REJECTED = 2
    """Refused by the actuator; `Verdict.reason` says why."""
    DEFAULTED = 3
    """No action: the default policy's command was latched."""


class Reason(enum.IntEnum):
    """Why an action was rejected."""

    NONE = 0
    """It was not."""
    MALFORMED = 1
    """Unreadable identity, or the wrong number or kind of values."""
    NON_FINITE = 2
    """A NaN or an infinity."""
    OUT_OF_RANGE = 3
    """Outside the action space."""
    STALE = 4
    """Its observation is older than the maximal delay or than the newest stop or takeover, or not
    of this run of the plant."""
    LATE = 5
    """An action from a newer observation was forwarded already."""
    FUTURE = 6
    """It claims to answer an observation that the plant has not published."""
    DUPLICATE = 7
    """An action for the same observation was received already."""
    UNKNOWN_WORKER = 8
    """This graph has no such worker."""


class Miss(enum.IntEnum):
    """Why a slot gave no action."""

    NONE = 0
    """It gave one."""
    BUSY = 1
    """No worker was idle when the observation arrived."""
    FAILED = 2
    """The policy raised, or gave non-finite values."""
    REPEATED = 3
    """A timer fired, but the newest observation was taken already."""


class Algorithm(enum.IntEnum):
    """When a finished action leaves its worker."""

    MAX_TIME = 0
    """Held until the promised time: even, in order, one a tick (Algorithm 1)."""
    EXP_TIME = 1
    """At once: less delay, uneven (Algorithm 2)."""
    QUANTILE_TIME = 2
    """Held until a quantile of the durations has passed: between the two."""
    SEQUENTIAL = 3
    """Baseline: infer, act, learn, one after another; one worker."""
    UNSTAGGERED = 4
    """Baseline: every worker starts as soon as it is free, on the newest observation."""
    SINGLE_QUEUE = 5
    """Baseline: one inference at a time on the newest observation, as policy servers do."""


class Dealing(enum.IntEnum):
    """Which worker of a process takes a slot."""

    POOLED = 0
    """Any idle one."""
    FIXED = 1
    """The one whose turn it is, or nobody."""


class SlotSource(enum.IntEnum):
    """What starts a slot."""

    TICK = 0
    """The arrival of an observation."""
    TIMER = 1
    """A staggered timer a worker, kept in phase with the observations."""


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


@dataclass(frozen=True, slots=True)
class Command:
    """What the actuator tells the plant to do at its next tick, and on whose behalf."""

    cause: Cause
    action: Action
    worker: WorkerOrNone = -1
    version: IdOrNone = -1
    observation_tick: IdOrNone = -1


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
    age_s: MaybeAge = math.nan
    """How long before that the observation's tick was heard of, as it should have been [s]."""


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
