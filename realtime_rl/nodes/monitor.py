"""The `monitor` node: live figures on `/diagnostics`, computed as the report computes its own."""

from __future__ import annotations

import sys
import time
from typing import TypeVar

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node
from rclpy.qos import QoSProfile

from realtime_rl.core.figures.health import Health, Level
from realtime_rl.core.figures.live_window import LiveWindow
from realtime_rl.core.messages.records import (
    Inference,
    Learning,
    RobotRecord,
    ScheduleRecord,
    Timestep,
    Verdict,
)
from realtime_rl.core.peers.plant_view import PlantView
from realtime_rl.core.settings.parameters import MonitorParameters
from realtime_rl.ros import messages, priorities, qos, runtime, steady
from realtime_rl.ros.guard import per_tick_hz
from realtime_rl.ros.parameters import NodeParameters
from realtime_rl.ros.record_topics import overhear_records
from realtime_rl.ros.run_clock import RunClock
from realtime_rl.ros.waiting import Waiting

Record = TypeVar("Record", Timestep, Verdict, Inference, ScheduleRecord, Learning,
                 RobotRecord)


class MonitorNode(Node):
    """Wires a `LiveWindow` to its topics; says once a second what is in it."""

    def __init__(self) -> None:
        """Declare parameters and topics."""
        super().__init__("monitor")
        config = NodeParameters(self, MonitorParameters).current
        self._window = LiveWindow(round(config.window * 1e9))
        self._plant = PlantView(config.period_ns)
        self._run_clock = RunClock()
        self._tick_hz = per_tick_hz(config.period_ns, config.workers)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self._listen("timestep", Timestep, qos.RECORD)
        self._listen("verdict", Verdict, qos.RECORD)
        self._listen("inference", Inference, qos.RECORD)
        self._listen("learning", Learning, qos.RECORD)
        self._listen("robot", RobotRecord, qos.RECORD)
        self._listen("schedule", ScheduleRecord, qos.LATCHED)
        steady.create_timer(self, 1.0, self._report)
        self._waiting = Waiting(self, "timestep", "verdict", "inference")

    def _listen(self, topic: str, kind: type[Record], profile: QoSProfile) -> None:
        # a verdict for the action and one for the default: twice a tick is the most in order
        overhear_records(self, topic, kind, self._take, profile, rate_hz=2 * self._tick_hz)

    def _take(self, record: Record, arrived_ns: int) -> None:
        if isinstance(record, Timestep):
            self._plant.on_timestep(record, arrived_ns)
        self._window.take(record, arrived_ns)

    def _report(self) -> None:
        health = [*self._window.look(time.monotonic_ns()),
                  *(Health("waiting", Level.WARN, text, {f"waiting for {topic}": text})
                    for topic, text in self._waiting.now.items())]
        message = DiagnosticArray(status=[self._status(item) for item in health])
        message.header.stamp = messages.to_time(self._run_clock.now_ns())
        self._diagnostics.publish(message)

    def _status(self, health: Health) -> DiagnosticStatus:
        return DiagnosticStatus(
            level=bytes([health.level]),
            name=f"{self.get_namespace()}/realtime_rl: {health.name}".strip("/"),
            message=health.message, hardware_id=self.get_namespace().strip("/") or "realtime_rl",
            values=[KeyValue(key=key, value=value) for key, value in health.figures.items()])


def main() -> int:
    """Run the node."""
    return runtime.main(MonitorNode, priorities.Priority.BACKGROUND)


if __name__ == "__main__":
    sys.exit(main())
