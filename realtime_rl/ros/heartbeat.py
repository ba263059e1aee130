"""Says that a process works, from the loop that does its work: one that hangs is silent."""

from __future__ import annotations

from rclpy.node import Node
from rclpy.publisher import Publisher
from std_msgs.msg import Empty

from realtime_rl.core.schedule.slot_watch import LOOK_NS
from realtime_rl.ros import qos

_BEATS = 3
"""In a lease: one that is late is none that is missed."""


class Heartbeat:
    """Asserts the liveliness of `<node>/alive`, where and as often as its owner comes here."""

    def __init__(self, node: Node, lease_s: float) -> None:
        """Be silent until `start`.

        Args:
            node: whose it is.
            lease_s: a silence of so long counts as death [s].
        """
        self._node = node
        self._lease_s = lease_s
        self._publisher: Publisher | None = None
        self.next_ns: int | None = None
        """When the next beat is due [ns, monotonic]; `None` while it is silent."""

    def start(self, now_ns: int) -> None:
        """Begin to be seen."""
        self.stop()
        self._publisher = self._node.create_publisher(
            Empty, f"{self._node.get_name()}/alive", qos.alive(self._lease_s))
        self.beat(now_ns)

    def beat(self, now_ns: int, alive: bool = True) -> None:
        """Come by: the process works; say so, if it is `alive`."""
        if self._publisher is None:
            return
        if alive:
            self._publisher.assert_liveliness()
        self.next_ns = now_ns + min(round(self._lease_s * 1e9) // _BEATS, LOOK_NS)

    def stop(self) -> None:
        """Be seen no more, at once."""
        if self._publisher is not None:
            self._node.destroy_publisher(self._publisher)
        self._publisher = self.next_ns = None
