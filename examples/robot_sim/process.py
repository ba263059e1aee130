"""The robot as a ROS node: its loop goes by a clock of its own, and waits for nobody."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rclpy
from geometry_msgs.msg import PointStamped
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Joy
from std_msgs.msg import Bool, Float64, String
from std_srvs.srv import Trigger

from examples.robot_sim import faults, messages
from examples.robot_sim.errors import SimulatorError
from examples.robot_sim.log import Log
from examples.robot_sim.robot import Asked, CommandTopic, Robot, Source

PRIVATE = "robot_sim"
"""Under this name stand the topics and services that a robot would not have."""
_MOST_BEHIND_S = 0.5
_DEPTH = 1000
"""Commands that may wait: none is to be missed in the log."""
_PRIORITY = -10
_SWITCH_S = 0.001


@dataclass(frozen=True, slots=True)
class ProcessOptions:
    """What concerns the process, whichever robot it is."""

    namespace: str = ""
    reliable: bool = False
    rate_hz: float = 500.0
    log: Path | None = None
    faults: tuple[str, ...] = ()
    joy: bool = True
    seed: int = 0


class _Outlet:
    """A source with its publishers."""

    def __init__(self, source: Source, node: Any, profile: QoSProfile) -> None:  # noqa: ANN401
        self.source, self._node, self._profile = source, node, profile
        self._publishers: dict[str, Any] = {}
        self._last: dict[str, Any] = {}
        self._count = 0
        self.open()

    def open(self) -> None:
        self._publishers = {topic: self._node.create_publisher(kind, topic, self._profile)
                            for topic, kind in self.source.topics.items()}

    def due(self, now_s: float) -> bool:
        """Whether the next message is due; what was missed is not made up for."""
        count = int(now_s * self.source.rate_hz)
        due, self._count = count > self._count, max(count, self._count)
        return due

    def publish(self, treatment: faults.Treatment, clock_ns: int) -> None:
        if treatment.gone != (not self._publishers):
            self._go_or_return(treatment.gone)
        if not treatment.sent:
            return
        listened = frozenset(topic for topic, publisher in self._publishers.items()
                             if publisher.get_subscription_count())
        if self.source.lazy and not listened:
            return
        stamp = messages.to_time(clock_ns - round(treatment.back_s * 1e9))
        if not treatment.frozen or not listened <= set(self._last):
            self._last = self.source.make(Asked(stamp, listened, treatment.half_size))
            if treatment.unit:
                for message in self._last.values():
                    messages.in_other_units(message)
        for topic, message in self._last.items():
            messages.restamp(message, stamp)
            if treatment.nan:
                messages.spoil(message)
            self._publishers[topic].publish(message)

    def _go_or_return(self, gone: bool) -> None:
        if not gone:
            self.open()
            return
        for publisher in self._publishers.values():
            self._node.destroy_publisher(publisher)
        self._publishers = {}


class _Pause:
    """Lets the executor do something else meanwhile, though not more than it must."""

    def __await__(self) -> Generator[None, None, None]:
        time.sleep(0.005)
        yield


class Process:
    """Steps a robot, publishes what its sensors say, takes its commands, keeps its log."""

    def __init__(self, robot: Robot, options: ProcessOptions, context: Any) -> None:  # noqa: ANN401
        self._robot, self._options = robot, options
        sources = (*robot.sources, *self._common())
        self.source_names = tuple(source.name for source in sources)
        self._faults = faults.Faults([faults.parse(text, self.source_names)
                                      for text in options.faults], options.seed)
        self._node = node = rclpy.create_node("robot_sim", namespace=options.namespace,
                                              context=context, enable_rosout=False,
                                              start_parameter_services=False)
        self._executor = SingleThreadedExecutor(context=context)
        self._executor.add_node(node)
        self._outlets = [_Outlet(source, node, QoSProfile(
            depth=5, reliability=ReliabilityPolicy.BEST_EFFORT
            if source.sensor and not options.reliable else ReliabilityPolicy.RELIABLE))
            for source in sources]
        self._log = Log(options.log)
        self._noted: Any = None
        self._lock = threading.Lock()
        self._begin_ns = time.monotonic_ns()
        self._stopping = threading.Event()
        self._problem: BaseException | None = None
        self._controllers = [self._controller(command, context) for command in robot.commands]
        node.create_subscription(String, f"{PRIVATE}/fault", self._on_fault, 10)
        node.create_service(Trigger, f"{PRIVATE}/reset", self._on_reset)
        node.create_service(Trigger, f"{PRIVATE}/new_target", self._on_new_target)
        self._log.write("robot", 0, joints=list(robot.joints), rate_hz=options.rate_hz,
                        commands=[command.topic for command in robot.commands],
                        clock_ns=time.time_ns())

    def _controller(self, command: CommandTopic, context: Any) -> Any:  # noqa: ANN401 - rclpy's
        """Make the node that takes a command, and says what it is set up for."""
        node = rclpy.create_node(command.controller, namespace=self._options.namespace,
                                 context=context, enable_rosout=False)
        for name, value in command.parameters.items():
            node.declare_parameter(name, value, ParameterDescriptor(read_only=True))
        node.create_subscription(command.type, command.topic, self._taker(command), _DEPTH)
        self._executor.add_node(node)
        return node

    def _common(self) -> tuple[Source, ...]:
        """What every robot here says beside its sensors."""
        target = self._robot.target
        common = (
            Source("target", {"target": PointStamped}, 20.0, lambda asked: {
                "target": messages.point(asked.stamp, target.frame, target.place)}, sensor=False),
            Source("reward", {"reward": Float64}, 50.0, lambda asked: {
                "reward": Float64(data=-target.distance_m)}, sensor=False),
            Source("reached", {"reached": Bool}, 20.0, lambda asked: {
                "reached": Bool(data=target.reached)}, sensor=False),
            Source("estop", {"estop": Bool}, 10.0, lambda asked: {
                "estop": Bool(data=self._holds("estop"))}, sensor=False),
            Source("joy", {"joy": Joy}, 20.0, lambda asked: {
                "joy": messages.joy(asked.stamp, held=not self._holds("released"))}, sensor=False))
        return common if self._options.joy else common[:-1]

    def _holds(self, kind: str) -> bool:
        return self._faults.holds(kind, self._now_ns() / 1e9)

    def _now_ns(self) -> int:
        return time.monotonic_ns() - self._begin_ns

    def _clock_ns(self, now_ns: int) -> int:
        """Return what the robot's clock says, without the faults of single sources."""
        return time.time_ns() - round(self._faults.clock_s(now_ns / 1e9) * 1e9)

    def run(self) -> None:
        """Go on until `stop`."""
        sys.setswitchinterval(_SWITCH_S)  # commands and control loop hinder each other less
        with contextlib.suppress(OSError):  # a robot has a computer of its own
            os.setpriority(os.PRIO_PROCESS, 0, _PRIORITY)
        loop = threading.Thread(target=self._loop, name="control")
        loop.start()
        try:
            while not self._stopping.is_set():
                self._executor.spin_once(timeout_sec=0.2)
        finally:
            self.stop()
            loop.join()
            self._executor.shutdown()
            for node in (self._node, *self._controllers):
                node.destroy_node()
            self._log.close()
        if self._problem is not None:
            raise self._problem

    def stop(self) -> None:
        """End `run`; any thread and a signal handler may call it."""
        self._stopping.set()

    def _loop(self) -> None:
        try:
            self._control()
        except BaseException as error:
            self._problem = error
            self.stop()

    def _control(self) -> None:
        """Step on an absolute grid; what is behind is made up for at once."""
        count = max(1, round(1 / (self._options.rate_hz * self._robot.step_s)))
        period_ns = round(count * self._robot.step_s * 1e9)
        due_ns = self._now_ns()
        while not self._stopping.is_set():
            now_ns = self._now_ns()
            if now_ns < due_ns:
                time.sleep((due_ns - now_ns) / 1e9)
            elif now_ns - due_ns > _MOST_BEHIND_S * 1e9:
                self._log.write("behind", now_ns, seconds=(now_ns - due_ns) / 1e9)
                due_ns = now_ns
            self._cycle(self._now_ns(), count)
            due_ns += period_ns

    def _cycle(self, now_ns: int, count: int) -> None:
        now_s = now_ns / 1e9
        with self._lock:
            for fault, begins in self._faults.changes(now_s):
                self._log.write("fault", now_ns, fault=str(fault), begins=begins)
            self._robot.step(now_ns, count)
            self._log.write("state", now_ns, **self._robot.state(now_ns))
            self._note_target(now_ns)
            for outlet in self._outlets:
                if outlet.due(now_s):
                    outlet.publish(self._faults.treat(outlet.source.name, now_s), time.time_ns())

    def _note_target(self, now_ns: int) -> None:
        if self._robot.target.place is not self._noted:
            self._noted = self._robot.target.place
            self._log.write("target", now_ns, place=self._noted.tolist())

    def _taker(self, command: CommandTopic) -> Callable[[Any], None]:
        def take(message: Any) -> None:  # noqa: ANN401 - of the command's type
            now_ns = self._now_ns()
            if self._faults.holds("deaf", now_ns / 1e9):
                return
            with self._lock:
                got = command.take(message, now_ns, self._clock_ns(now_ns))
            self._log.write("command", now_ns, topic=command.topic, names=list(got.names),
                            values=list(got.values), stamp=got.stamp_ns or None,
                            problem=got.problem)
        return take

    def _on_fault(self, message: String) -> None:
        """Take `KIND[=SOURCE][:DURATION]`, which begins now, `clear` or `clear KIND[=SOURCE]`."""
        word, _, rest = message.data.strip().partition(" ")
        try:
            with self._lock:
                if word == "clear":
                    self._faults.clear(rest.strip())
                else:
                    self._faults.add(faults.parse(message.data, self.source_names,
                                                  self._now_ns() / 1e9))
        except SimulatorError as error:
            print(f"robot_sim: {error}", file=sys.stderr, flush=True)

    async def _on_reset(self, request: Trigger.Request, response: Trigger.Response,
                        ) -> Trigger.Response:
        """Answer when the robot is back where it starts."""
        del request
        with self._lock:
            self._robot.begin_reset(self._now_ns())
        self._log.write("reset", self._now_ns())
        while self._robot.resetting and not self._stopping.is_set():
            await _Pause()
        response.success = True
        return response

    def _on_new_target(self, request: Trigger.Request, response: Trigger.Response,
                       ) -> Trigger.Response:
        del request
        with self._lock:
            self._robot.target.renew()
        response.success = True
        return response
