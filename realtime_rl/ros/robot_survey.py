"""Which topics a robot has, of the types that contracts know; nothing is sent to it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from rclpy.node import Node

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.messages.topics import TOPICS
from realtime_rl.core.robot.facts import Survey, Taken, Told
from realtime_rl.core.robot.message_types import ACTIONS, SOURCES
from realtime_rl.ros import message_classes, transport
from realtime_rl.ros.listening import listening, parameters, spin, topics_of
from realtime_rl.ros.robot_listening import endpoint
from realtime_rl.ros.robot_topics import listen_plainly, sensor_qos

_FIND_S = 6.0
"""In which nodes are found, also where an announcement was lost."""
_QUIET_S = 2.0
"""After which no more of them are expected."""
_OURS = {topic.name for topic in TOPICS}


class _Ear:
    """What came on a topic."""

    def __init__(self, node: Node, topic: str, kind: str) -> None:
        self.topic, self.kind = topic, kind
        self._received_ns: list[int] = []
        self._message: Any = None
        self._names: dict[str, None] = {}
        (first, *_) = node.get_publishers_info_by_topic(topic)
        self._reliability = endpoint(first, sensor_qos(), first.qos_profile).reliability
        listen_plainly(node, kind, topic, self._take)

    def _take(self, message: Any) -> None:  # noqa: ANN401
        self._received_ns.append(time.monotonic_ns())
        self._message = message
        self._names.update(dict.fromkeys(getattr(message, "name", ())))

    def told(self) -> Told:
        """Return what is known."""
        times = self._received_ns
        every_s = (times[-1] - times[0]) / (len(times) - 1) / 1e9 if len(times) > 1 else 0.0
        return Told(self.topic, self.kind, self._reliability, every_s, self._message,
                    tuple(self._names))


def survey(seconds: float) -> Survey:
    """Look around and listen for some seconds; `ConfigError` where ROS does not start."""
    with listening() as (node, executor):
        spin(executor, _FIND_S, _Quiet(node))
        published, listened = map(_single, topics_of(node))
        ears = [_Ear(node, topic, kind) for topic, kind in published.items()
                if kind in SOURCES and _installed(kind)]
        spin(executor, seconds)
        taken = [(topic, kind, endpoint(info, info.qos_profile, info.qos_profile).node)
                 for topic, kind in listened.items()
                 if kind in ACTIONS and topic not in published
                 for info in node.get_subscriptions_info_by_topic(topic)]
        said, _ = parameters(node, executor, {name for *_, name in taken})
        return Survey(tuple(ear.told() for ear in ears),
                      tuple(Taken(*each, said.get(each[2], {})) for each in taken),
                      transport.reach(os.environ))


def _single(topics: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the type of each topic that is not of our own graph, and of one type."""
    return {topic: kinds[0] for topic, kinds in topics.items()
            if not _is_ours(topic) and len(kinds) == 1}


class _Quiet:
    """Whether something was found, and nothing new for a while."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._topics: set[str] = set()
        self._since_s = time.monotonic()

    def __call__(self) -> bool:
        topics = {topic for topic, kinds in self._node.get_topic_names_and_types()
                  if kinds[0] in SOURCES or kinds[0] in ACTIONS}
        if topics != self._topics:
            self._topics, self._since_s = topics, time.monotonic()
        return bool(topics) and time.monotonic() - self._since_s > _QUIET_S


def _is_ours(topic: str) -> bool:
    """Whether a topic is one of this package's own graph, by its name."""
    *_, outer, last = ["", *topic.split("/")]
    return last in _OURS or outer == "observation"


def _installed(kind: str) -> bool:
    try:
        message_classes.find(kind)
    except ConfigError:
        return False
    return True
