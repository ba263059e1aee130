"""The `plant` node: steps a plant on an absolute time grid and never waits for anyone."""

from __future__ import annotations

import sys
import time
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger

from realtime_rl.core.control.latch import CommandLatch
from realtime_rl.core.figures.counters import joined
from realtime_rl.core.messages import observation_wire, wire
from realtime_rl.core.messages.observation_cdr import PartCodec
from realtime_rl.core.messages.records import Command, CommandOrigin, Timestep
from realtime_rl.core.observations import split
from realtime_rl.core.schedule.tick_grid import TickPacer, TickStart
from realtime_rl.core.settings.parameters import PlantParameters
from realtime_rl.core.types import Transition
from realtime_rl.plants import registry
from realtime_rl.plants.base import remarks_of
from realtime_rl.ros import messages, priorities, qos, runtime
from realtime_rl.ros.commands import command_codec
from realtime_rl.ros.guard import listen, per_tick_hz
from realtime_rl.ros.parameters import NodeParameters
from realtime_rl.ros.presence import OnlyPublisher
from realtime_rl.ros.publishing import publisher_of
from realtime_rl.ros.record_topics import subscribe_records
from realtime_rl.ros.run_clock import RunClock
from realtime_rl.ros.waiting import Waiting

_FIRST_TICK_AFTER_NS = 100_000_000
"""The grid begins a moment after the node is asked for its first tick: until then it was made."""


class PlantNode(Node):
    """A tick: latch the newest command, step, publish the state after it."""

    def __init__(self) -> None:
        """Make the plant that the parameters name; `PlantError` when there is none."""
        super().__init__("plant")
        config = NodeParameters(self, PlantParameters).current
        self._plant = registry.make(config.name, registry.parse_options(list(config.options)),
                                    config.seed)
        spec = self._plant.spec
        self._spec = spec
        self._latch = CommandLatch(spec.actions)
        self._codec = command_codec(config.command_type, spec.actions, config.gamepad_layout)
        self._counted = joined(spec.counters)
        self._remarked = 0
        self._episode = -1
        topics = observation_wire.topics(spec.observation)
        self._parts = [(PartCodec(part), publisher_of(
            self, messages.observation_type(part), topics[part.name], qos.RECORD))
            for part in spec.observation.parts]
        self._timestep = publisher_of(self, JointState, "timestep", qos.RECORD_KEPT)
        tick_hz = per_tick_hz(spec.period_ns)
        if not self._codec.names_origin:  # before `command`: of both, it is then taken first
            subscribe_records(self, "origin", CommandOrigin, self._latch.note, qos.PAIRED,
                              rate_hz=tick_hz)
        listen(self, self._codec.message_type, "command", self._on_command,
               qos.COMMAND if self._codec.names_origin else qos.PAIRED, rate_hz=tick_hz,
               decode=self._codec.decode)
        self.create_service(Trigger, "reset", self._on_reset)
        self._only = OnlyPublisher(self, "timestep", allowed=config.allow_second)
        Waiting(self, "command", period_ns=spec.period_ns)
        self._run_clock = RunClock()
        self._pacer: TickPacer | None = None
        self.get_logger().info(f"plant '{spec.name}' ticks every {spec.period_ns / 1e6:.3f} ms"
                               f"{f': {spec.rate}' if spec.rate else ''}")

    def next_deadline_ns(self) -> int:
        """The next tick's place on the grid."""
        if self._pacer is None:
            self._pacer = TickPacer(self._spec.period_ns,
                                    time.monotonic_ns() + _FIRST_TICK_AFTER_NS)
        return self._pacer.next_due_ns

    def on_deadline(self, now_ns: int) -> None:
        """One tick."""
        if self._pacer is None:
            return
        started = self._pacer.start(now_ns)
        command = self._latch.latch()
        transition = self._plant.step(command.action)
        self._episode += transition.first
        self._publish(started, self._run_clock.at_ns(now_ns), command, transition)
        self._plant.prepare()  # in the time that is left of the tick
        if transition.first:
            self._remark()

    def _remark(self) -> None:
        """Say what the plant remarks that it had not yet."""
        remarks = remarks_of(self._plant)
        for text in remarks[self._remarked:]:
            self.get_logger().warning(text)
        self._remarked = len(remarks)

    def _publish(self, started: TickStart, stamp_ns: int, command: Command,
                 transition: Transition) -> None:
        spec = self._spec
        words = wire.encode_words({"plant": spec.name, "tick": started.tick,
                                   "first": int(transition.first)})
        for (codec, publisher), value in zip(self._parts, split(transition.observation),
                                             strict=True):
            publisher.publish(codec.write(value, stamp_ns, words))
        self._timestep.publish(messages.serialized(Timestep.latching(
            command, stamp_ns=stamp_ns, tick=started.tick, period_ns=spec.period_ns,
            lateness_s=started.lateness_ns / 1e9, missed=started.missed, episode=self._episode,
            reward=transition.reward, discount=transition.discount, first=transition.first,
            last=transition.last, plant=spec.name, counted=self._counted,
            counters=transition.counters)))

    def _on_command(self, message: Any) -> None:  # noqa: ANN401 - of the configured type
        if not self._codec.offer(message, self._latch):
            raise wire.WireError(f"{self._codec.read(message)!r} is not in "
                                 f"'{self._spec.actions}'")

    def _on_reset(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        del request
        self._plant.reset()
        response.success = True
        response.message = "the next tick starts an episode"
        return response

    def close(self) -> None:
        """Release the plant; `ConfigError` when another one ticked beside it."""
        self._plant.close()
        self._only.check()


def main() -> int:
    """Run the node."""
    return runtime.main(PlantNode, priorities.Priority.REALTIME)


if __name__ == "__main__":
    sys.exit(main())
