"""What an inference engine needs to know at its start."""

from __future__ import annotations

from dataclasses import dataclass, field

from realtime_rl.core.control.exploration import Exploration
from realtime_rl.core.types import ActionSpace
from realtime_rl.policies.latency import Latency


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """All of it; what changes is in the schedule and the policy."""

    node: str
    workers: tuple[int, ...]
    actions: ActionSpace
    latency: Latency
    seed: int
    exploration_hold: int
    exploration: Exploration = field(default_factory=Exploration)
    slot_limit_ns: int = 0
    """A computation that takes longer hangs; 0: see `slot_watch.limit_ns`."""
    learning_order: str = "none"
    """`SEQUENTIAL`: whether a worker learns `before` it infers, `after`, or not at all."""
    learning_ns: int = 0
    """How long that takes."""
    batch: int = 1
    """Most slots that one run answers."""
    pinned: bool = False
    """Whether each worker computes in a thread of its own."""
