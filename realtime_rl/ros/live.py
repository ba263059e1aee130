"""What the monitor says, for programs that are no nodes: the newest figures, by name."""

from __future__ import annotations

import threading

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor


class LiveFigures:
    """Listens to `/diagnostics` in a thread of its own."""

    def __init__(self, namespace: str) -> None:
        """Listen for the monitor of the graph in `namespace`."""
        self._hardware_id = namespace or "realtime_rl"
        self._context = rclpy.Context()
        rclpy.init(context=self._context,
                   signal_handler_options=rclpy.SignalHandlerOptions.NO)
        self._node = rclpy.create_node("live_view", context=self._context)
        self._node.create_subscription(DiagnosticArray, "/diagnostics", self._on_message, 10)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._newest: dict[str, str] = {}
        self._thread.start()

    @property
    def newest(self) -> dict[str, str]:
        """The newest figures; empty before the first."""
        return self._newest

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

    def _on_message(self, message: DiagnosticArray) -> None:
        ours = [status for status in message.status if status.hardware_id == self._hardware_id]
        if ours:
            self._newest = {pair.key: pair.value for status in ours for pair in status.values}
