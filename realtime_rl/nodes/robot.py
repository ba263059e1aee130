"""The `robot` node: stands where the plant stands, for a robot with topics of its own.

A tick: latch the newest command, send the robot what its contract and limits make of it, and
publish what its sensors say. Never waits for anyone, and moves nothing unasked.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger

from realtime_rl import strict_json
from realtime_rl.core.control.latch import CommandLatch
from realtime_rl.core.messages import observation_wire, wire
from realtime_rl.core.messages.observation_cdr import PartCodec
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.observations import split
from realtime_rl.core.robot.contract import Contract, SourceSpec
from realtime_rl.core.robot.robot import Robot, RobotTick
from realtime_rl.core.schedule.tick_grid import TickPacer, TickStart
from realtime_rl.ros import messages, priorities, qos, runtime
from realtime_rl.ros.aside import Aside
from realtime_rl.ros.commands import command_codec
from realtime_rl.ros.guard import listen, per_tick_hz
from realtime_rl.ros.parameters import allow_what_is
from realtime_rl.ros.presence import OnlyPublisher
from realtime_rl.ros.publishing import publisher_of
from realtime_rl.ros.robot_images import PictureReader
from realtime_rl.ros.robot_parameters import contract_of, refuse_changes, written
from realtime_rl.ros.robot_topics import CommandTopics, Show, listen_plainly, listen_to_sources
from realtime_rl.ros.run_clock import RunClock
from realtime_rl.ros.stop_memory import StopMemory, stop_path
from realtime_rl.ros.throttled import Throttled
from realtime_rl.ros.waiting import Waiting

_FIRST_TICK_AFTER_NS = 100_000_000
"""The grid begins a moment after all is there: others may not have met this node yet."""
_LOOK_NS = 10_000_000
"""How often to look whether all sources have spoken, before the first tick."""
_SAY_MISSING_NS = 2_000_000_000
_BOOL = "std_msgs/msg/Bool"
Reply = Callable[[], str]
"""Does what a service asks for; returns what hinders it, empty when nothing does."""


class RobotNode(Node):
    """Wires a `Robot` to its topics."""

    def __init__(self) -> None:
        """Read the contract from the parameters; `ConfigError` when it cannot be kept."""
        super().__init__("robot", automatically_declare_parameters_from_overrides=True)
        self._contract = contract = contract_of(self)
        allow_what_is(self)
        self.add_on_set_parameters_callback(partial(refuse_changes, self))
        self._spec = contract.spec
        self._memory = StopMemory(stop_path(contract.robot.stop_file,
                                            self.get_fully_qualified_name(), os.environ))
        self._robot = Robot(contract, _read_stops(self._memory))
        self._stops = self._robot.stops
        self._latch = CommandLatch(self._spec.actions)
        self._codec = command_codec("joy", self._spec.actions, contract.robot.gamepad_layout)
        self._commands = CommandTopics(self, contract)
        topics = observation_wire.topics(self._spec.observation)
        self._parts = [(PartCodec(part), publisher_of(
            self, messages.observation_type(part), topics[part.name], qos.RECORD))
            for part in self._spec.observation.parts]
        self._timestep = publisher_of(self, JointState, "timestep", qos.RECORD_KEPT)
        self._record = self.create_publisher(JointState, "robot", qos.RECORD_KEPT)
        self._tell = self.create_publisher(String, "contract", qos.LATCHED)
        self._tell.publish(String(data=written(self)))
        listen(self, self._codec.message_type, "command", self._on_command, qos.COMMAND,
               rate_hz=per_tick_hz(self._spec.period_ns), decode=self._codec.decode)
        self._aside = Aside("aside")
        listen_to_sources(self, contract, self._robot.observer.offer, _show, self._aside)
        self._listen_beside(contract)
        for name, action in (("reset", self._reset), ("start", self._start),
                             ("release", self._release)):
            self.create_service(Trigger, name, _service(action))
        self.create_service(SetBool, "end_episode", self._on_end)
        self._only = OnlyPublisher(self, "timestep", allowed=contract.robot.allow_second)
        Waiting(self, "command", *(source.config.topic for source in contract.sources),
                period_ns=self._spec.period_ns)
        self._remarks = Throttled(self, "{last} ({count} since the last such line)")
        self._run_clock = RunClock()
        self._pacer: TickPacer | None = None
        self._look_ns = self._said_ns = 0
        self._introduce()

    def _introduce(self) -> None:
        self.get_logger().info(
            f"robot '{self._spec.name}' ticks every {self._spec.period_ns / 1e6:.3f} ms, once "
            f"there are {', '.join(source.config.topic for source in self._contract.sources)}")
        if self._memory.held:
            self.get_logger().warning(f"starts STOPPED, as it was when it ended "
                                      f"({self._memory.path}): call the service 'release'")

    def _listen_beside(self, contract: Contract) -> None:
        """Subscribe to what is no source: rewards, the episode's end, deadman, emergency stop."""
        robot = self._robot
        for name, reward in contract.rewards.items():
            if reward.topic:
                listen_plainly(self, reward.type, reward.topic,
                               partial(robot.episodes.on_reward, name))
        if contract.episode.topic:
            listen_plainly(self, _BOOL, contract.episode.topic,
                           lambda message: robot.episodes.on_done(message.data))
        if contract.estop.topic:
            listen_plainly(self, _BOOL, contract.estop.topic,
                           lambda message: robot.guards.on_estop(message.data,
                                                                 time.monotonic_ns()))
        if contract.deadman.topic:
            listen_plainly(self, "sensor_msgs/msg/Joy", contract.deadman.topic,
                           lambda message: robot.guards.on_deadman(message.buttons,
                                                                   time.monotonic_ns()))

    def next_deadline_ns(self) -> int:
        """The next tick's place on the grid; before the first one, when to look again."""
        return self._look_ns if self._pacer is None else self._pacer.next_due_ns

    def on_deadline(self, now_ns: int) -> None:
        """One tick."""
        self._aside.finish()
        if self._pacer is None:
            self._look(now_ns)
            return
        started = self._pacer.start(now_ns)
        tick = self._robot.tick(self._latch.latch(), now_ns, overdue=started.missed)
        try:
            self._commands.send(tick.sent.values, self.get_clock().now().nanoseconds)
        except wire.WireError as error:
            self._robot.guards.on_fault(str(error))
        self._publish(started, self._run_clock.at_ns(now_ns), tick)
        if tick.remark:
            self._remarks.note(tick.remark)
        if self._robot.stops != self._stops:
            self._remember()

    def _remember(self) -> None:
        """A stop that stays until it is released stays over a restart."""
        self._stops = stops = self._robot.stops
        self._aside.do("stop", lambda: self._memory.set(bool(stops), strict_json.dumps(stops)),
                       self._on_remembered, self._on_remembered)

    def _on_remembered(self, hindered: str) -> None:
        if hindered:
            self.get_logger().error(f"the stop is NOT remembered for a restart ({hindered})")

    def _look(self, now_ns: int) -> None:
        """Begin once all sources have spoken."""
        missing = self._robot.missing()
        if not missing:
            self._pacer = TickPacer(self._spec.period_ns, now_ns + _FIRST_TICK_AFTER_NS)
            self.get_logger().info("all sources are heard: the robot is held where it is")
            return
        self._look_ns = now_ns + _LOOK_NS
        self._said_ns = self._said_ns or now_ns
        if now_ns - self._said_ns >= _SAY_MISSING_NS:
            self._said_ns = now_ns
            self.get_logger().warning(f"nothing is sent: {missing}")

    def _publish(self, started: TickStart, stamp_ns: int, tick: RobotTick) -> None:
        words = wire.encode_words({"plant": self._spec.name, "tick": started.tick,
                                   "first": int(tick.outcome.first)})
        if tick.observation is not None:
            for (codec, publisher), value in zip(self._parts, split(tick.observation),
                                                 strict=True):
                publisher.publish(codec.write(value, stamp_ns, words))
        outcome = tick.outcome
        self._timestep.publish(messages.serialized(Timestep.latching(
            tick.command, stamp_ns=stamp_ns, tick=started.tick, period_ns=self._spec.period_ns,
            lateness_s=started.lateness_ns / 1e9, missed=started.missed, episode=outcome.episode,
            reward=outcome.reward, discount=outcome.discount, first=outcome.first,
            last=outcome.last, plant=self._spec.name)))
        self._record.publish(messages.serialized(tick.record(
            stamp_ns, started.tick, self._contract.elements)))

    def _on_command(self, message: Any) -> None:  # noqa: ANN401 - of the codec's type
        if not self._codec.offer(message, self._latch):
            raise wire.WireError(f"{self._codec.read(message)!r} is not in "
                                 f"'{self._spec.actions}'")

    def _on_end(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._robot.episodes.end(success=request.data)
        response.success = True
        response.message = "the episode ends at the next tick"
        return response

    def _reset(self) -> str:
        self._robot.episodes.reset()
        return ""

    def _start(self) -> str:
        self._robot.motion.start()
        return ""

    def _release(self) -> str:
        return "; ".join(self._robot.guards.release(time.monotonic_ns()))

    def close(self) -> None:
        """`ConfigError` when another one ticked beside it."""
        self._aside.close()
        self._only.check()


def _show(spec: SourceSpec) -> Show:
    assert spec.image is not None
    return PictureReader(spec.image).read


def _read_stops(memory: StopMemory) -> dict[str, str]:
    if not memory.held:
        return {}
    try:
        return {str(cause): str(why) for cause, why in strict_json.loads(memory.said).items()}
    except (ValueError, AttributeError):
        return {"fault": f"{memory.path} says that it was stopped"}


def _service(action: Reply) -> Callable[[Trigger.Request, Trigger.Response], Trigger.Response]:
    def answer(request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        del request
        hindered = action()
        response.success = not hindered
        response.message = hindered or "done"
        return response

    return answer


def main() -> int:
    """Run the node."""
    return runtime.main(RobotNode, priorities.Priority.REALTIME)


if __name__ == "__main__":
    sys.exit(main())
