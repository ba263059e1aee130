"""The `recorder` node: writes a rosbag2 bag where `ros2 bag` is not installed.

Messages are recorded as they come off the wire, undecoded, and flushed once a second.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import TwistStamped
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image, JointState, Joy
from std_msgs.msg import Float64MultiArray, String
from trajectory_msgs.msg import JointTrajectory

from realtime_rl.bags.metadata import OfferedQos
from realtime_rl.bags.writer import BagWriter, TopicInfo
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.parameters import RecorderParameters
from realtime_rl.ros import runtime, steady
from realtime_rl.ros.parameters import NodeParameters
from realtime_rl.ros.run_clock import RunClock

_TYPES = {f"{kind.__module__.split('.')[0]}/msg/{kind.__name__}": kind
          for kind in (Image, JointState, Joy, TwistStamped, JointTrajectory, Float64MultiArray,
                       String, DiagnosticArray)}
_TOPICS = ("observation", "action", "command", "origin", "timestep", "verdict", "inference",
           "schedule", "learning", "policy", "operator")
_DEPTH = 2000
"""Messages that may wait while the disk is slow."""
_LOOK_EVERY_S = 0.1


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
        wanted = [name for name in _TOPICS if name != "observation" or config.observations]
        self._wanted = {self.resolve_topic_name(name) for name in wanted}
        steady.create_timer(self, _LOOK_EVERY_S, self._look)
        steady.create_timer(self, 1.0, self._writer.flush)
        self.get_logger().info(f"recording to {config.bag}")

    def _look(self) -> None:
        """Begin to record what is newly there."""
        for topic, types in self.get_topic_names_and_types():
            if topic not in self._wanted or types[0] not in _TYPES:
                continue
            publishers = self.get_publishers_info_by_topic(topic)
            if publishers:
                self._wanted.discard(topic)
                self._record(topic, types[0], publishers[0].qos_profile)

    def _record(self, topic: str, kind: str, offered: QoSProfile) -> None:
        self._writer.add_topic(TopicInfo(topic, kind, _offered(offered)))
        wanted = QoSProfile(depth=_DEPTH, reliability=offered.reliability,
                            durability=offered.durability)
        self.create_subscription(_TYPES[kind], topic, partial(self._on_message, topic), wanted,
                                 raw=True)

    def _on_message(self, topic: str, message: bytes) -> None:
        self._writer.write(topic, message, self._run_clock.now_ns())

    def close(self) -> None:
        """Finish the bag."""
        self._writer.close()


def _offered(profile: QoSProfile) -> OfferedQos:
    return OfferedQos(profile.depth, profile.reliability is ReliabilityPolicy.RELIABLE,
                      profile.durability is DurabilityPolicy.TRANSIENT_LOCAL)


def main() -> int:
    """Run the node."""
    return runtime.main(RecorderNode, runtime.Priority.BACKGROUND)


if __name__ == "__main__":
    sys.exit(main())
