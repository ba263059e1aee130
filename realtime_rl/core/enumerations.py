"""What fields and parameters choose from: each enumeration in one place, with numbers and words."""

from __future__ import annotations

import enum
from typing import TypeVar

_Member = TypeVar("_Member", bound="Named")


class Named(enum.IntEnum):
    """Records carry a member's number; parameters, files and texts its name in lower case."""

    @property
    def word(self) -> str:
        """The member's name in lower case."""
        return self.name.lower()

    @classmethod
    def words(cls) -> tuple[str, ...]:
        """Every member's word, in their order."""
        return tuple(member.word for member in cls)

    @classmethod
    def of(cls: type[_Member], word: str) -> _Member:
        """Return the member of that word; `KeyError` when there is none."""
        return cls[word.upper()]


class Fate(Named):
    """What became of one action that reached the actuator, or of one tick without."""

    APPLIED = 0
    """The plant latched it."""
    SUPERSEDED = 1
    """Forwarded or admissible, but a newer command was latched in its place."""
    REJECTED = 2
    """Refused by the actuator; `Verdict.reason` says why."""
    DEFAULTED = 3
    """No action: the default policy's command was latched."""


class Reason(Named):
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


class Miss(Named):
    """Why a slot gave no action."""

    NONE = 0
    """It gave one."""
    BUSY = 1
    """No worker was idle when the observation arrived."""
    FAILED = 2
    """The policy raised, or gave non-finite values."""
    REPEATED = 3
    """A timer fired, but the newest observation was taken already."""
    LACKING = 4
    """A part of its observation did not come."""


class Algorithm(Named):
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


class Dealing(Named):
    """Which worker of a process takes a slot."""

    POOLED = 0
    """Any idle one."""
    FIXED = 1
    """The one whose turn it is, or nobody."""


class MergeRule(Named):
    """How the chunks that cover a tick become one action."""

    NEWEST = 0
    """The newest due chunk's row acts."""
    ENSEMBLE = 1
    """The mean of the rows of all of them, weighted by their place in time (ACT)."""
    BLEND = 2
    """From the chunk before to the newest one, linearly over its first executed rows."""
    PREFIX = 3
    """The newest due chunk's row, and a policy is told what acts until then: a chunk is taken up
    every `D` ticks at most, so that this is settled."""


class SlotSource(Named):
    """What starts a slot."""

    TICK = 0
    """The arrival of an observation."""
    TIMER = 1
    """A staggered timer a worker, kept in phase with the observations."""


class Phase(Named):
    """What a robot's node is about."""

    WAITING = 0
    """Not all of its sources have spoken: nothing is sent."""
    HOLDING = 1
    """It stays where it is, until a policy or a person acts."""
    BLENDING = 2
    """From what was held to what is asked for."""
    ACTING = 3
    """It does what is asked for, within the limits."""
    STOPPED = 4
    """`RobotRecord.stopped_by` says by what."""
    ENDED = 5
    """Between two episodes."""


class StopCause(enum.IntFlag):
    """What stops a robot; several may."""

    SERVICE = 1
    """The actuator's service `stop`."""
    SILENCE = 2
    """The actuator said nothing."""
    STALE = 4
    """A source, whose `on_stale` is `stop`, was stale."""
    ESTOP = 8
    """The emergency stop was pressed, or silent."""
    DEADMAN = 16
    """Its button was not held."""
    FAULT = 32
    """A command could not be made, or was refused."""
