"""The QoS of every topic, in one place (DESIGN: section 3)."""

from __future__ import annotations

from rclpy.duration import Duration
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    LivelinessPolicy,
    QoSProfile,
    ReliabilityPolicy,
)

_NEWEST_TICKS, _NEWEST_NS = 4, 60_000_000


def _profile(depth: int, *, reliable: bool = True, latched: bool = False) -> QoSProfile:
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST, depth=depth,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE)


def alive(lease_s: float) -> QoSProfile:
    """Says that a process works, without a message: it asserts that itself within a lease.

    By `heartbeat`: were it left to the middleware, whose threads go on, only death would be seen.
    """
    return QoSProfile(depth=1, liveliness=LivelinessPolicy.MANUAL_BY_TOPIC,
                      liveliness_lease_duration=Duration(seconds=lease_s))


def newest(period_ns: int) -> QoSProfile:
    """Inference taking observations: best effort; a few, since a stacked input needs every frame.

    As many as come in a moment in which the machine does something else.
    """
    return _profile(max(_NEWEST_TICKS, -(-_NEWEST_NS // period_ns)), reliable=False)


COMMAND = _profile(1)
"""Actions (per worker process) and commands: reliable, nothing old queued."""
PAIRED = _profile(16)
"""A robot's commands and their origins: none may be lost, else the pairs come apart."""
RECORD = _profile(1000)
"""What must not be lost: timesteps, verdicts, inferences, and observations offered to anybody."""
RECORD_KEPT = _profile(1000, latched=True)
"""What publishers of records offer: a recorder that they meet late gets those of the start, too."""
LATCHED = _profile(10, latched=True)
"""The present state for late joiners: schedule, policy."""
ACTIONS = _profile(256)
"""The actuator's side of `action`: many workers, each of whose actions is judged."""
