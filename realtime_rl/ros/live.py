"""What the monitor says, for programs that are no nodes: the newest figures, by name."""

from __future__ import annotations

import threading
import time

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

from realtime_rl.core.figures.health import Health, Level
from realtime_rl.core.messages.observation_cdr import PartCodec
from realtime_rl.core.messages.wire import WireError
from realtime_rl.core.observations import Observation, ObservationSpec
from realtime_rl.core.peers.silence import PATIENCE_NS
from realtime_rl.ros import environment
from realtime_rl.ros.messages import to_part
from realtime_rl.ros.waiting import why_silent

_TOPIC, _QOS = "/diagnostics", QoSProfile(depth=10)
_SEEN = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
"""Of pictures: nobody waits for who only looks."""


class LiveFigures:
    """Listens to `/diagnostics` in a thread of its own."""

    def __init__(self, namespace: str) -> None:
        """Listen for the monitor of the graph in `namespace`."""
        self._hardware_id = namespace or "realtime_rl"
        environment.adopt()  # as far as the nodes reach, and no further
        self._context = rclpy.Context()
        rclpy.init(args=[], context=self._context,
                   signal_handler_options=rclpy.SignalHandlerOptions.NO)
        self._node = rclpy.create_node("live_view", context=self._context)
        self._node.create_subscription(DiagnosticArray, _TOPIC, self._on_message, _QOS)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._newest: list[Health] = []
        self._arrived_ns: int | None = None
        self._began_ns = time.monotonic_ns()
        self._codec: PartCodec | None = None
        self._seen: bytes | None = None
        self._thread.start()

    def watch(self, topic: str, part: ObservationSpec) -> None:
        """Listen for pictures as well; they are decoded only when they are looked at."""
        self._codec = PartCodec(part)
        self._node.create_subscription(Image, topic, self._on_picture, _SEEN, raw=True)

    @property
    def picture(self) -> Observation | None:
        """The newest picture, `(1 or 3, height, width)`; `None`: none came that could be read."""
        if self._codec is None or self._seen is None:
            return None
        try:
            return to_part(self._codec, self._seen).value
        except WireError:
            return None

    @property
    def newest(self) -> list[Health]:
        """What was said last; empty before the first."""
        return self._newest

    @property
    def waiting(self) -> str:
        """What is waited for, in words; empty while the monitor is heard."""
        now_ns = time.monotonic_ns()
        silent_ns = now_ns - (self._arrived_ns or self._began_ns)
        if silent_ns > PATIENCE_NS:
            why = why_silent(self._node, _TOPIC, "diagnostic_msgs/msg/DiagnosticArray", _QOS)
            return f"nothing heard of the monitor for {silent_ns / 1e9:.0f} s: {why}"
        return "" if self._arrived_ns else "waiting for the monitor …"

    def close(self) -> None:
        """Stop listening."""
        rclpy.shutdown(context=self._context)
        self._thread.join()

    def _spin(self) -> None:
        executor = SingleThreadedExecutor(context=self._context)
        executor.add_node(self._node)
        try:
            executor.spin()
        except ExternalShutdownException:
            return

    def _on_picture(self, data: bytes) -> None:
        self._seen = data

    def _on_message(self, message: DiagnosticArray) -> None:
        ours = [status for status in message.status if status.hardware_id == self._hardware_id]
        if ours:
            self._newest = [
                Health(status.name.rpartition(": ")[2], Level(status.level[0]), status.message,
                       {pair.key: pair.value for pair in status.values}) for status in ours]
            self._arrived_ns = time.monotonic_ns()
