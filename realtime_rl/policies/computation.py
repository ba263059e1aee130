"""One slot's computation: what it was begun with, what came of it, and the record of either."""

from __future__ import annotations

import math
from dataclasses import dataclass

from realtime_rl.core.control.exploration import Exploration
from realtime_rl.core.enumerations import Miss
from realtime_rl.core.messages.records import Inference
from realtime_rl.core.policy.prefix import Prefix
from realtime_rl.core.policy.states import Memory
from realtime_rl.core.schedule.worker_pool import Slot
from realtime_rl.core.types import Action
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
    """What acts meanwhile, as far as anybody said."""


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
