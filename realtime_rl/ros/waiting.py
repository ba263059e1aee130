"""Says what a node waits for, and why: a graph must not stand still silently."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSCompatibility, QoSProfile, qos_check_compatible
from rclpy.subscription import Subscription
from rclpy.topic_endpoint_info import TopicEndpointInfo

from realtime_rl.core.peers.silence import Silence, patience_ns
from realtime_rl.ros import steady, transport
from realtime_rl.ros.guard import Guarded
from realtime_rl.ros.presence import name_of

_LOOK_EVERY_S = 1.0


class Waiting:
    """Warns when a node hears nothing on a topic for 5 s, and says why that may be."""

    def __init__(self, node: Node, *topics: str, first: tuple[str, ...] = (),
                 period_ns: int = 0) -> None:
        """Listen to those subscriptions of `node` that are there and are named.

        Args:
            node: it spins from now on.
            topics: that are heard again and again, by the names that the node gave them.
            first: that nothing more is expected of once a message came.
            period_ns: how often a message comes, where that may be rarely.
        """
        self._node = node
        patience = patience_ns(period_ns)
        named = {node.resolve_topic_name(topic): Silence(patience, first_only=topic in first)
                 for topic in (*topics, *first)}
        self._awaited = [(subscription, named[subscription.topic_name])
                         for subscription in node.subscriptions if subscription.topic_name in named]
        for subscription, silence in self._awaited:
            counting = partial(_counting, silence)
            if isinstance(subscription.callback, Guarded):
                subscription.callback.wrap(counting)
            else:
                subscription.callback = counting(subscription.callback)
        self._clock = Silence()
        self.now: dict[str, str] = {}
        """What is waited for at present, by topic, in words."""
        steady.create_timer(node, _LOOK_EVERY_S, self._look)

    def _look(self) -> None:
        now_ns = time.monotonic_ns()
        for subscription, silence in self._awaited:
            self._tell(subscription.topic_name, silence.look(now_ns), partial(
                why_silent, self._node, subscription.topic_name, _type_of(subscription),
                subscription.qos_profile))
        clock = self._node.get_clock()
        if not clock.ros_time_is_active or clock.now().nanoseconds:
            self._clock.count += 1
        self._tell("/clock", self._clock.look(now_ns), lambda: (
            f"use_sim_time is set, and stamps stand still; {_publishers(self._node, '/clock')}"))

    def _tell(self, topic: str, event: tuple[bool, float] | None, why: Callable[[], str]) -> None:
        if event is None:
            return
        silent, seconds = event
        if silent:
            self.now[topic] = f"nothing heard on '{topic}' for {seconds:.0f} s: {why()}"
            self._node.get_logger().warning(self.now[topic])
        else:
            self.now.pop(topic, None)
            self._node.get_logger().info(f"'{topic}' is heard, after {seconds:.0f} s")


def why_silent(node: Node, topic: str, type_name: str, wanted: QoSProfile) -> str:
    """Say in words why `node` may hear nothing on `topic`: who offers it, and as what."""
    found = node.get_publishers_info_by_topic(topic)
    reasons = [reason for info in found if (reason := _mismatch(info, type_name, wanted))]
    return "; ".join(reasons) if reasons else _publishers(node, topic)


def _mismatch(info: TopicEndpointInfo, type_name: str, wanted: QoSProfile) -> str:
    if info.topic_type != type_name:
        return f"{name_of(info)} publishes {info.topic_type} there, wanted is {type_name}"
    compatible, reason = qos_check_compatible(info.qos_profile, wanted)
    if compatible != QoSCompatibility.ERROR:
        return ""
    return f"{name_of(info)} offers another QoS than is asked for ({reason.strip(' ;')})"


def _publishers(node: Node, topic: str) -> str:
    found = node.get_publishers_info_by_topic(topic)
    if found:
        return f"{', '.join(map(name_of, found))} offers it, and nothing comes"
    return (f"nobody publishes it in ROS domain {os.environ.get('ROS_DOMAIN_ID') or 0}, seen from "
            f"{transport.reach(os.environ, advise=False)}")


def _type_of(subscription: Subscription) -> str:
    kind = subscription.msg_type
    return f"{kind.__module__.split('.')[0]}/msg/{kind.__name__}"


def _counting(silence: Silence, callback: Callable[[Any], None]) -> Callable[[Any], None]:
    def on_message(message: Any) -> None:  # noqa: ANN401 - whatever the topic carries
        silence.count += 1
        callback(message)
    return on_message
