"""Subscriptions to topics of records, whose handlers get the records themselves."""

from __future__ import annotations

import functools
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription
from sensor_msgs.msg import JointState

from realtime_rl.ros import messages
from realtime_rl.ros.guard import listen, overhear

Record = TypeVar("Record")
_SHARED = 1024
"""More records than come between two looks at what is watched, of a graph at 1 kHz."""
_SHARED_BYTES = 2048
"""Longer ones are not kept: a stranger may send many of them."""


def subscribe_records(node: Node, topic: str, kind: type[Record],
                      handler: Callable[[Record], None], profile: QoSProfile, *, rate_hz: float
                      ) -> Subscription:
    """Subscribe to a topic of records of type `kind`, as `listen` does; `WireError` is said."""
    return listen(node, JointState, topic, handler, profile, rate_hz=rate_hz,
                  decode=partial(messages.to_record, kind))


def overhear_records(node: Node, topic: str, kind: type[Record],
                     handler: Callable[[Record, int], None], profile: QoSProfile, *,
                     rate_hz: float) -> Subscription:
    """Watch a topic of records of type `kind`, as `overhear` does; `WireError` is said."""
    return overhear(node, JointState, topic, handler, profile, rate_hz=rate_hz,
                    decode=partial(_read_for_all, kind))


def _read_for_all(kind: type, data: bytes) -> Any:  # noqa: ANN401 - a record of that kind
    """Several of a process may watch one topic: a message is read once for all of them."""
    return _read_once(kind, data) if len(data) <= _SHARED_BYTES else messages.to_record(kind, data)


@functools.lru_cache(maxsize=_SHARED)
def _read_once(kind: type, data: bytes) -> Any:  # noqa: ANN401 - a record of that kind
    return messages.to_record(kind, data)
