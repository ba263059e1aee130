"""Subscriptions to topics of records, whose handlers get the records themselves."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription
from sensor_msgs.msg import JointState

from realtime_rl.ros import messages
from realtime_rl.ros.guard import listen, overhear

Record = TypeVar("Record")


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
                    decode=partial(messages.to_record, kind))
