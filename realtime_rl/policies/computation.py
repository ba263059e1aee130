"""One slot's computation: what it was begun with, what came of it, and the record of either."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from realtime_rl.core.control.exploration import Exploration
from realtime_rl.core.enumerations import Miss
from realtime_rl.core.errors import PolicyError
from realtime_rl.core.messages.records import Inference
from realtime_rl.core.policy.prefix import Prefix
from realtime_rl.core.policy.states import Memory
from realtime_rl.core.schedule.worker_pool import Slot
from realtime_rl.core.types import Action
from realtime_rl.policies.batch_trial import Answer
from realtime_rl.policies.feeding import Seen
from realtime_rl.policies.hot_swap import Swap
from realtime_rl.policies.latency import Latency, NoLatency
from realtime_rl.policies.onnx_policy import OnnxPolicy
from realtime_rl.policies.stop import Stop


@dataclass(frozen=True, slots=True)
class Begun:
    """What a computation was begun with."""

    swap: Swap[OnnxPolicy]
    age_ns: int
    """Of the observation."""
    first_use: bool
    """Of this version of the policy."""
    stop: Stop
    memory: Memory | None = None
    """Of a recurrent policy, in this episode."""
    promised: Prefix | None = None
    """What acts meanwhile, of a policy that is told it."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be computed for one slot."""

    slot: Slot
    begun: Begun
    seen: Seen | None
    """`None`: its observation is not kept any more."""


Rows = tuple[Action, ...]


def answer(works: Sequence[Work], lane: int, explored: Callable[[Work, Rows], Rows]
           ) -> list[tuple[Rows, str]]:
    """Compute for slots in one run of one policy; any thread may.

    Args:
        works: of slots that began with the same policy.
        lane: that computes.
        explored: returns the rows that leave instead of those that the policy gave.

    Returns:
        For each the rows, or none and the error.
    """
    def rows(work: Work, outputs: Answer | Exception) -> tuple[Rows, str]:
        try:
            if isinstance(outputs, Exception):
                raise outputs
            return explored(work, policy.rows(outputs) if policy.horizon
                            else (policy.act(outputs),)), ""
        except PolicyError as problem:
            return (), str(problem)
        except Exception as problem:  # a fault of the runtime costs its slot, not the worker
            return (), f"{type(problem).__name__}: {problem}"

    policy = works[0].begun.swap.policy
    return [rows(work, outputs)
            for work, outputs in zip(works, _outputs(policy, works, lane), strict=True)]


def _outputs(policy: OnnxPolicy, works: Sequence[Work], lane: int) -> Sequence[Answer | Exception]:
    """Return what the policy gives for each, or what went wrong."""
    known = [(work, work.seen) for work in works if work.seen is not None]
    try:
        answers = list[Answer]() if not known else (
            [_alone(policy, *known[0], lane)] if len(known) == 1 else
            policy.infer_batch([seen for _, seen in known], worker=lane,
                               stop=known[0][0].begun.stop))
    except Exception as problem:  # ONNX Runtime's have no common base class
        return [problem] * len(works)
    left = iter(answers)
    return [PolicyError("its observation is not kept any more") if work.seen is None
            else next(left) for work in works]


def _alone(policy: OnnxPolicy, work: Work, seen: Seen, lane: int) -> Answer:
    return policy.infer(*seen[:2], worker=lane, stop=work.begun.stop, memory=work.begun.memory,
                        promised=seen.promised, goal=seen.goal)


@dataclass(frozen=True, slots=True)
class Computed:
    """What came of a computation."""

    rows: tuple[Action, ...]
    """Of a chunk, or a single action; empty where it failed."""
    begun: Begun
    compute_ns: int
    swapping: bool
    """A new policy was being loaded meanwhile."""
    error: str
    """Why it failed; else empty."""


class SlotRecords:
    """Makes the records of one process."""

    def __init__(self, node: str, latency: Latency, exploration: Exploration) -> None:
        """All of them say these."""
        self._node = node
        self._emulated = "" if isinstance(latency, NoLatency) else str(latency)
        self._exploration = str(exploration)

    def taken(self, slot: Slot, begun: Begun, took_ns: int, compute_ns: int, miss: Miss,
              *, swapping: bool) -> Inference:
        """A worker took the slot; `miss` says whether it gave an action."""
        policy = begun.swap.policy
        swap_s = (slot.start_ns - begun.swap.announced_ns) / 1e9 if begun.first_use else math.nan
        return Inference.taken(
            slot, miss, version=policy.version, age_s=begun.age_ns / 1e9, duration_s=took_ns / 1e9,
            compute_s=compute_ns / 1e9, swapping=swapping, swap_s=swap_s, node=self._node,
            provider=policy.provider, emulated=self._emulated, exploration=self._exploration,
            horizon=policy.first_offset + policy.horizon - 1
            if policy.horizon and miss is Miss.NONE else 0,
            settled=-1 if begun.promised is None else begun.promised.final)

    def missed(self, slot: Slot, miss: Miss, swapping: bool) -> Inference:
        """No worker took the slot."""
        return Inference.missed(slot, miss, swapping=swapping, node=self._node,
                                emulated=self._emulated, exploration=self._exploration)
