"""The `recorder` node: writes a rosbag2 bag where `ros2 bag` is not installed.

Messages are recorded as they come off the wire, undecoded, and flushed once a second.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from realtime_rl.bags.in_order import InOrder
from realtime_rl.bags.metadata import OfferedQos
from realtime_rl.bags.writer import BagWriter, TopicInfo
from realtime_rl.core.errors import ConfigError, choices
from realtime_rl.core.messages.topics import RECORDED_DEPTH, recorded
from realtime_rl.core.settings.parameters import RecorderParameters
from realtime_rl.ros import message_classes, priorities, runtime, steady
from realtime_rl.ros.parameters import NodeParameters
from realtime_rl.ros.run_clock import RunClock
from realtime_rl.ros.spinning import BATCH_EVERY_NS, batched, received_ns

_LOOK_EVERY_S = 0.1
_WARN_EVERY_S = 5.0


class RecorderNode(Node):
    """Subscribes to the graph's topics as they appear, whatever their types."""

    def __init__(self) -> None:
        """Make the bag; `BagError` when it cannot be made."""
        super().__init__("recorder")
        config = NodeParameters(self, RecorderParameters).current
        if not config.bag:
            raise ConfigError("bag: empty; name a new folder")
        self._run_clock = RunClock()
        self._writer = BagWriter(Path(config.bag))
        self._wanted = {self.resolve_topic_name(topic.name): topic.types
                        for topic in recorded(observations=config.observations,
                                              parts=config.parts, robot=config.robot_topics)}
        self._newest_ns: dict[str, int] = {}
        """When the newest message of each topic came."""
        self._taken: InOrder[tuple[str, bytes]] = InOrder()
        steady.create_timer(self, _LOOK_EVERY_S, self._go_on)
        steady.create_timer(self, 1.0, self._writer.flush)
        self.get_logger().info(f"recording to {config.bag}")

    def _go_on(self) -> None:
        self._look()
        self._write_what_is_old()

    def _look(self) -> None:
        """Begin to record what is newly there; a stranger's other type is passed over."""
        for topic, kinds in [*self._wanted.items()]:
            if not self.count_publishers(topic):  # who offers it is dearer to ask
                continue
            found = self.get_publishers_info_by_topic(topic)
            kind = next((each for each in kinds
                         if each in {info.topic_type for info in found}), None)
            if kind is not None:
                del self._wanted[topic]
                self._record(topic, kind, [info.qos_profile for info in found
                                           if info.topic_type == kind])
            elif found:
                self.get_logger().warning(
                    f"{topic} is not recorded: it is {found[0].topic_type}, not one of "
                    f"{choices(kinds)}", throttle_duration_sec=_WARN_EVERY_S)

    def _record(self, topic: str, kind: str, offered: Sequence[QoSProfile]) -> None:
        """Ask for what everybody offers: who offers less than is asked for is not heard."""
        self._writer.add_topic(TopicInfo(topic, kind, _offered(offered[0])))
        each_is = [_offered(profile) for profile in offered]
        wanted = QoSProfile(
            depth=RECORDED_DEPTH,
            reliability=(ReliabilityPolicy.RELIABLE if all(each.reliable for each in each_is)
                         else ReliabilityPolicy.BEST_EFFORT),
            durability=(DurabilityPolicy.TRANSIENT_LOCAL
                        if all(each.transient_local for each in each_is)
                        else DurabilityPolicy.VOLATILE))
        self.create_subscription(message_classes.find(kind), topic,
                                 batched(partial(self._on_message, topic)), wanted, raw=True)

    def _on_message(self, topic: str, message: bytes, info: Mapping[str, Any]) -> None:
        # what a late subscriber is given is received in any order, and taken in that of its sender
        came_ns = max(self._run_clock.at_ns(received_ns(info)), self._newest_ns.get(topic, 0))
        self._newest_ns[topic] = came_ns
        self._taken.put(came_ns, (topic, message))

    def _write_what_is_old(self) -> None:
        """Topics are taken one after another: what one had, another may have had before."""
        self._write(self._run_clock.now_ns() - 2 * BATCH_EVERY_NS)

    def _write(self, until_ns: float) -> None:
        for came_ns, (topic, message) in self._taken.until(until_ns):
            self._writer.write(topic, message, came_ns)

    def close(self) -> None:
        """Finish the bag."""
        try:
            self._write(math.inf)
        finally:
            self._writer.close()


def _offered(profile: QoSProfile) -> OfferedQos:
    return OfferedQos(profile.depth, profile.reliability is ReliabilityPolicy.RELIABLE,
                      profile.durability is DurabilityPolicy.TRANSIENT_LOCAL)


def main() -> int:
    """Run the node."""
    return runtime.main(RecorderNode, priorities.Priority.BACKGROUND)


if __name__ == "__main__":
    sys.exit(main())
