"""A whole graph of real processes on a private ROS domain, and a node that watches it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import rclpy
from rclpy.node import Node
from rclpy.task import Future
from sensor_msgs.msg import JointState, Joy
from std_msgs.msg import String

from realtime_rl.core.messages.records import Inference, ScheduleRecord, Timestep, Verdict
from realtime_rl.ros import messages, qos
from realtime_rl.ros.executor import TickExecutor
from realtime_rl.runner.prepare import prepare
from realtime_rl.runner.supervisor import Supervisor

PATIENCE_S = 60.0
"""Only a failing test takes so long."""
_ASKS_ANEW_S = 3.0


def private_domain() -> str:
    """A ROS domain that no other test process here is likely to use, its ports below 32768."""
    return str(1 + os.getpid() % 100)


class Watcher(Node):
    """Keeps every record, and can speak on every topic that a stranger could speak on."""

    def __init__(self, context: rclpy.Context) -> None:
        super().__init__("watcher", context=context)
        self.steps: list[Timestep] = []
        self.verdicts: list[Verdict] = []
        self.inferences: list[Inference] = []
        self.schedules: list[ScheduleRecord] = []
        self.policies: list[str] = []
        self.executor_of_test = TickExecutor(self)
        for topic, kind, kept, profile in (
                ("timestep", Timestep, self.steps, qos.RECORD),
                ("verdict", Verdict, self.verdicts, qos.RECORD),
                ("inference", Inference, self.inferences, qos.RECORD),
                ("schedule", ScheduleRecord, self.schedules, qos.LATCHED)):
            self.create_subscription(
                JointState, topic, lambda m, kind=kind, kept=kept: kept.append(
                    messages.from_scalars(kind, m)), profile)
        self.action = self.create_publisher(Joy, "action", qos.COMMAND)
        self.operator = self.create_publisher(Joy, "operator", qos.COMMAND)
        self.policy = self.create_publisher(String, "policy", qos.LATCHED)

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """Spin until `condition` holds; fail, saying `what` did not happen, when it never does."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"never happened: {what}"
            self.executor_of_test.spin_once(timeout_sec=0.1)

    def wait_for_steps(self, wanted: Callable[[Timestep], bool], count: int, what: str,
                       ) -> list[Timestep]:
        """Wait for `count` steps from now on for which `wanted` holds; return them."""
        seen = len(self.steps)
        self.wait(lambda: sum(map(wanted, self.steps[seen:])) >= count, what)
        return [step for step in self.steps[seen:] if wanted(step)]

    def call(self, kind: type, name: str, request: object) -> object:
        """Call a service and return its answer, as one who asks anew when none comes.

        A killed server is listed for seconds, and a request is lost that comes before the next one
        has met the client: ROS 2 says of no client which of them it has met.
        """
        client = self.create_client(kind, name)
        self.wait(client.service_is_ready, f"service {name} is there")
        asked: list[tuple[float, Future]] = []

        def answered() -> bool:
            if not asked or time.monotonic() - asked[-1][0] > _ASKS_ANEW_S:
                asked.append((time.monotonic(), client.call_async(request)))
            return any(future.done() for _, future in asked)
        self.wait(answered, f"service {name} answers")
        self.destroy_client(client)
        return next(future.result() for _, future in asked if future.done())


class LiveGraph:
    """A running scenario; use it as a context."""

    def __init__(self, folder: Path, config: str, *assignments: str) -> None:
        os.environ["ROS_DOMAIN_ID"] = private_domain()
        os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
        self._folder = folder
        self.prepared = prepare(config, [f"scenario.run_dir={folder / 'policies'}", *assignments])
        self.supervisor = Supervisor(self.prepared.processes(), folder)
        self.output: list[str] = []

    def __enter__(self) -> LiveGraph:
        self._context = rclpy.Context()
        rclpy.init(context=self._context)
        self.watcher = Watcher(self._context)
        self.supervisor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.supervisor.stop()
        self._drain()
        assert not [line for line in self.output if "Traceback" in line], "\n".join(self.output)
        self.watcher.executor_of_test.shutdown()
        self.watcher.destroy_node()
        rclpy.shutdown(context=self._context)

    def pid_of(self, node: str) -> int:
        """The process that runs a node."""
        process = next(each for each in self.prepared.processes()
                       if node in [spec.name for spec in each.nodes])
        return self.supervisor.pids()[process.name]

    def said(self, text: str) -> bool:
        """Whether a node printed a line with `text`; dead nodes are started again meanwhile."""
        self.supervisor.watch()
        self._drain()
        return any(text in line for line in self.output)

    def _drain(self) -> None:
        while not self.supervisor.lines.empty():
            node, line = self.supervisor.lines.get()
            self.output.append(f"{node}: {line}")
