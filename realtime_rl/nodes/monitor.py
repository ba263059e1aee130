"""The `monitor` node: live figures on `/diagnostics`, computed as the report computes its own."""

from __future__ import annotations

import sys
import time
from collections import deque
from typing import TypeVar

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import JointState

from realtime_rl.core import wire
from realtime_rl.core.accounting import RunRecords, account
from realtime_rl.core.health import Health, assess
from realtime_rl.core.parameters import MonitorParameters
from realtime_rl.core.records import Inference, Learning, ScheduleRecord, Timestep, Verdict
from realtime_rl.core.types import Cause
from realtime_rl.ros import messages, qos, runtime
from realtime_rl.ros.guard import listen, per_tick_hz
from realtime_rl.ros.parameters import NodeParameters

Record = TypeVar("Record", Timestep, Verdict, Inference, ScheduleRecord, Learning)
_EPISODES = 10


class MonitorNode(Node):
    """Keeps a window of every record and says once a second what is in it."""

    def __init__(self) -> None:
        """Declare parameters and topics."""
        super().__init__("monitor")
        config = NodeParameters(self, MonitorParameters).current
        self._window_s = config.window
        self._tick_hz = per_tick_hz(config.period_ns, config.workers)
        self._kept: dict[type, deque[tuple[float, object]]] = {}
        self._newest: dict[type, object] = {}
        self._returns: deque[float] = deque(maxlen=_EPISODES)
        self._return = 0.0
        self._version = -1
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self._listen("timestep", Timestep, qos.RECORD)
        self._listen("verdict", Verdict, qos.RECORD)
        self._listen("inference", Inference, qos.RECORD)
        self._listen("learning", Learning, qos.RECORD)
        self._listen("schedule", ScheduleRecord, qos.LATCHED)
        self.create_timer(1.0, self._report)

    def _listen(self, topic: str, kind: type[Record], profile: QoSProfile) -> None:
        kept = self._kept[kind] = deque()

        def on_message(message: JointState) -> None:
            try:
                record = messages.from_scalars(kind, message)
            except wire.WireError as error:
                self.get_logger().warning(f"{topic}: {error}", throttle_duration_sec=1.0)
                return
            kept.append((time.monotonic(), record))
            self._newest[kind] = record
            if isinstance(record, Timestep):
                self._follow(record)

        # a verdict for the action and one for the default: twice a tick is the most in order
        listen(self, JointState, topic, on_message, profile, rate_hz=2 * self._tick_hz)

    def _follow(self, step: Timestep) -> None:
        """Add up an episode's reward, and note whose policy acts."""
        self._return = step.reward if step.first else self._return + step.reward
        if step.last:
            self._returns.append(self._return)
        if step.cause is Cause.POLICY:
            self._version = step.version

    def _recent(self, kind: type[Record], window_s: float) -> list[Record]:
        """The records of the last `window_s`; older ones are forgotten."""
        kept = self._kept[kind]
        oldest = time.monotonic() - window_s
        while kept and kept[0][0] < oldest:
            kept.popleft()
        return [record for _, record in kept if isinstance(record, kind)]

    def _report(self) -> None:
        schedule = self._newest.get(ScheduleRecord)
        learning = self._newest.get(Learning)
        figures = account(RunRecords(
            self._recent(Timestep, self._window_s), self._recent(Verdict, self._window_s),
            self._recent(Inference, 2 * self._window_s),
            [schedule] if isinstance(schedule, ScheduleRecord) else []),
            started=self._version >= 0)
        health = assess(figures, schedule if isinstance(schedule, ScheduleRecord) else None,
                        learning if isinstance(learning, Learning) else None, self._returns,
                        self._version)
        message = DiagnosticArray(status=[self._status(item) for item in health])
        message.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(message)

    def _status(self, health: Health) -> DiagnosticStatus:
        return DiagnosticStatus(
            level=bytes([health.level]), name=f"realtime_rl: {health.name}",
            message=health.message, hardware_id=self.get_namespace().strip("/") or "realtime_rl",
            values=[KeyValue(key=key, value=value) for key, value in health.figures.items()])


def main() -> int:
    """Run the node."""
    return runtime.main(MonitorNode, runtime.Priority.BACKGROUND)


if __name__ == "__main__":
    sys.exit(main())
