"""A node that ticks 40 times; its system clock is set in the midst of a wait. Run by a test."""

from __future__ import annotations

import json
import os
import sys
import threading
import time

import rclpy
from rclpy.node import Node

from benchmarks.running import set_clock
from realtime_rl.ros import runtime, steady
from realtime_rl.ros.run_clock import RunClock

PERIOD_NS = 20_000_000
SET_AT, TICKS = 10, 40
THROTTLE_S = 0.1


class Ticking(Node):
    """Ticks; a timer and a throttled warning go on beside."""

    def __init__(self, by_s: float) -> None:
        super().__init__("ticking")
        self._by_s = by_s
        self._run_clock = RunClock()
        self._due_ns = time.monotonic_ns() + PERIOD_NS
        self.stamps: list[float] = []
        self.timer_after: list[int] = []
        self.warned_after: list[int] = []
        self.stop = runtime.StopSignals()
        steady.create_timer(self, 0.05, self._on_timer)

    def next_deadline_ns(self) -> int:
        return self._due_ns

    def on_deadline(self, now_ns: int) -> None:
        self.stamps.append(self._run_clock.at_ns(now_ns) / 1e9)
        self._due_ns += PERIOD_NS
        if len(self.stamps) == SET_AT:
            # a moment later this thread waits for the next tick
            threading.Timer(PERIOD_NS / 2e9, set_clock, (os.environ, self._by_s)).start()
        if self.get_logger().warning("now and then", throttle_duration_sec=THROTTLE_S) \
                and len(self.stamps) > SET_AT + 1:
            self.warned_after.append(len(self.stamps))
        self.stop.asked = len(self.stamps) >= TICKS

    def _on_timer(self) -> None:
        if len(self.stamps) > SET_AT + 1:
            self.timer_after.append(len(self.stamps))


def main() -> None:
    steady.throttle_logs()
    rclpy.init(signal_handler_options=rclpy.SignalHandlerOptions.NO)
    before_s = time.time()
    node = Ticking(float(sys.argv[1]))
    runtime.spin([node], node.stop)
    print(json.dumps({"stamps": node.stamps, "timer": node.timer_after,
                      "warned": node.warned_after, "system_clock": [before_s, time.time()]}))


if __name__ == "__main__":
    main()
