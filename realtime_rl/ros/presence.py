"""Who else is there: two graphs of one name would take each other's messages for their own."""

from __future__ import annotations

import time
from collections.abc import Iterable

import rclpy
from rclpy.node import Node
from rclpy.topic_endpoint_info import TopicEndpointInfo

from realtime_rl.core.errors import ConfigError
from realtime_rl.ros import environment, steady

_PATIENCE_S = 1.0
"""A process that announces itself ten times a second is found within some tenths."""
_LOOK_EVERY_S = 0.1
_LOOK_AGAIN_S = 0.5
_START_S = 5.0
_TELL_EVERY_S = 10.0
_SOMEBODY = "somebody"


def publishers(topics: Iterable[str], patience_s: float = _PATIENCE_S) -> dict[str, str]:
    """Return those of `topics` that somebody publishes on already, with that node's name.

    Looks from this process, for `patience_s` [s] or until it found one; `ConfigError` where ROS
    cannot be started.
    """
    environment.adopt()
    context = rclpy.Context()
    rclpy.init(args=[], context=context, signal_handler_options=rclpy.SignalHandlerOptions.NO)
    try:
        node = rclpy.create_node("look_around", context=context, enable_rosout=False,
                                 start_parameter_services=False)
        deadline = time.monotonic() + patience_s
        while True:
            found = {topic: nodes[0] for topic in topics if (nodes := _who(node, topic))}
            named = found and _SOMEBODY not in found.values()
            if named or time.monotonic() > deadline:
                return found
            time.sleep(_LOOK_EVERY_S)
    finally:
        rclpy.shutdown(context=context)


class OnlyPublisher:
    """Watches over a topic on which only this node may publish.

    Who finds another one at its own start ends; who was there first says so, now and in the end.
    """

    def __init__(self, node: Node, topic: str, *, allowed: bool) -> None:
        """Look around from now on, while `node` spins; where others are `allowed` only say so."""
        self._node = node
        self._topic = node.resolve_topic_name(topic)
        self._allowed = allowed
        self._began_s = time.monotonic()
        self._disturbed = False
        steady.create_timer(node, _LOOK_AGAIN_S, self._look)

    def check(self) -> None:
        """`ConfigError` when another one was there, as what was recorded is then of no use."""
        if self._disturbed and not self._allowed:
            raise ConfigError(f"another node published '{self._topic}' meanwhile: two graphs of "
                              "one name, and no figure is of either")

    def _look(self) -> None:
        if self._node.count_publishers(self._topic) < 2:
            return
        self._disturbed = True
        problem = (f"more than one node publishes '{self._topic}' "
                   f"({', '.join(_who(self._node, self._topic))}): two graphs of one name disturb "
                   "each other; give one another namespace or ROS_DOMAIN_ID")
        if not self._allowed and time.monotonic() - self._began_s < _START_S:
            raise ConfigError(problem)
        self._node.get_logger().error(problem, throttle_duration_sec=_TELL_EVERY_S)


def _who(node: Node, topic: str) -> list[str]:
    return [name_of(info) for info in node.get_publishers_info_by_topic(topic)]


def name_of(info: TopicEndpointInfo) -> str:
    """Return the full name of the node that an endpoint is of; it is known a moment later."""
    if "_UNKNOWN_" in info.node_name:
        return _SOMEBODY
    return f"'{info.node_namespace.rstrip('/')}/{info.node_name}'"
