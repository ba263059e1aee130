"""One slot's computation: what it was begun with, what came of it, and the record of either."""

from __future__ import annotations

import math
from dataclasses import dataclass

from realtime_rl.core.control.exploration import Exploration
from realtime_rl.core.messages.records import Inference, Miss
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


@dataclass(frozen=True, slots=True)
class Computed:
    """What came of a computation."""

    action: Action | None
    """`None` where it failed."""
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
        return Inference(
            slot.stamp_ns, slot.tick, slot.due_tick, slot.worker, slot.generation, policy.version,
            begun.age_ns / 1e9, took_ns / 1e9, compute_ns / 1e9, miss, swapping, swap_s,
            self._node, policy.provider, self._emulated, self._exploration)

    def missed(self, slot: Slot, miss: Miss, swapping: bool) -> Inference:
        """No worker took the slot."""
        return Inference(
            slot.stamp_ns, slot.tick, slot.due_tick, -1, slot.generation, -1, math.nan, math.nan,
            math.nan, miss, swapping, math.nan, self._node, "", self._emulated, self._exploration)
