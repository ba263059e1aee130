"""The `actuator` node: forwards admissible actions at once, fills silence, reports every fate."""

from __future__ import annotations

import os
import sys
import time

from rclpy.node import Node
from sensor_msgs.msg import JointState, Joy
from std_srvs.srv import SetBool

from realtime_rl.core.control import default_policy
from realtime_rl.core.control.arbiter import Arbiter
from realtime_rl.core.control.arbiter_limits import ArbiterLimits, usable_margin_ns
from realtime_rl.core.control.decision import Decision
from realtime_rl.core.control.gamepad import pad_layout
from realtime_rl.core.control.operator_input import OperatorInput
from realtime_rl.core.enumerations import Fate, MergeRule, Reason
from realtime_rl.core.messages import cdr, joy_wire, wire
from realtime_rl.core.messages.joy_wire import JoyValues
from realtime_rl.core.messages.plan import encode_plan
from realtime_rl.core.messages.records import Command, CommandOrigin, Timestep
from realtime_rl.core.peers.plant_view import PlantView
from realtime_rl.core.peers.rate_limit import TokenBucket
from realtime_rl.core.schedule.tick_grid import ticks_in
from realtime_rl.core.settings.chunks import chunking_of
from realtime_rl.core.settings.parameters import ActuatorParameters
from realtime_rl.core.types import ActionSpace
from realtime_rl.ros import messages, priorities, qos, runtime
from realtime_rl.ros.commands import command_codec
from realtime_rl.ros.guard import listen, per_tick_hz
from realtime_rl.ros.parameters import NodeParameters
from realtime_rl.ros.publishing import publisher_of
from realtime_rl.ros.record_topics import subscribe_records
from realtime_rl.ros.spinning import newest_first
from realtime_rl.ros.stop_memory import StopMemory, stop_path
from realtime_rl.ros.throttled import Throttled
from realtime_rl.ros.waiting import Waiting

_PAD_HZ = 250.0
"""More than gamepads send."""
_NOBODYS = (Reason.MALFORMED, Reason.UNKNOWN_WORKER)
"""Reasons of actions that are none of the graph's: how many there are is for whoever sends them."""
_NOBODYS_HZ = 10.0
_ORDINARY = (Reason.LATE, Reason.DUPLICATE)
"""Reasons that staggered workers give now and then; the verdicts count them."""


class ActuatorNode(Node):
    """Wires an `Arbiter` to its topics."""

    def __init__(self) -> None:
        """Declare parameters and topics; `ConfigError` when they do not fit each other."""
        super().__init__("actuator")
        config = NodeParameters(self, ActuatorParameters).current
        self._space = ActionSpace.parse(config.actions)
        self._codec = command_codec(config.command_type, self._space, config.gamepad_layout)
        self._pad = OperatorInput(
            self._space, pad_layout(config.gamepad_layout, self._space, config.operator_deadzone),
            config.operator_button, robot=config.robot or config.command_type != "joy")
        default = default_policy.make(config.default_policy, self._space, config.default_action,
                                      config.seed)
        limits = ArbiterLimits(
            config.period_ns, ticks_in(config.stale_after, config.period_ns),
            round(config.deadline_margin * 1e9), round(config.operator_timeout * 1e9),
            config.workers, chunking_of(config, self._space, config.period_ns,
                                        max(1, config.chunk_interval)))
        self._stop = StopMemory(stop_path(config.stop_file, self.get_fully_qualified_name(),
                                          os.environ))
        self._arbiter = Arbiter(self._space, default, limits, time.monotonic_ns(),
                                stopped=self._stop.held)
        self._plant = PlantView(config.period_ns)
        self._frame = config.command_frame
        self._origin = (None if self._codec.names_origin
                        else publisher_of(self, JointState, "origin", qos.PAIRED))
        self._command = publisher_of(
            self, self._codec.message_type, "command",
            qos.COMMAND if self._codec.names_origin else qos.PAIRED)
        self._verdict = publisher_of(self, JointState, "verdict", qos.RECORD_KEPT)
        self._plan = (publisher_of(self, Joy, "plan", qos.PAIRED)
                      if limits.chunking.merge.rule is MergeRule.PREFIX else None)
        self._rejected = {
            reason: Throttled(self, f"action rejected, {reason.word}: {{last}} ({{count}} "
                              "since the last such line)") for reason in Reason}
        self._nobodys = TokenBucket(_NOBODYS_HZ, _NOBODYS_HZ, _NOBODYS_HZ, time.monotonic_ns())
        self._ignored = Throttled(self, "operator ignored ({count}): {last}")
        tick_hz = per_tick_hz(config.period_ns)
        subscribe_records(self, "timestep", Timestep, self._on_timestep, qos.RECORD,
                          rate_hz=tick_hz)
        listen(self, Joy, "action", self._on_action, qos.ACTIONS,
               rate_hz=per_tick_hz(config.period_ns, config.workers),
               decode=messages.to_joy_values)
        listen(self, Joy, "operator", self._on_operator, qos.COMMAND, rate_hz=_PAD_HZ)
        self.create_service(SetBool, "stop", self._on_stop)
        Waiting(self, "timestep", "action", period_ns=config.period_ns)
        # rclpy takes some 100 ms for the first line of a process: not when an action is due
        self._introduce(config, usable_margin_ns(limits.margin_ns, limits.period_ns))

    def _introduce(self, config: ActuatorParameters, margin_ns: int) -> None:
        logger, margin_ms = self.get_logger(), margin_ns / 1e6
        logger.info(f"'{config.default_policy}' acts where no action came {margin_ms:.3g} ms "
                    "before its tick")
        if margin_ns < round(config.deadline_margin * 1e9):
            logger.warning(f"deadline_margin {config.deadline_margin * 1e3:g} ms is clamped to "
                           f"{margin_ms:.3g} ms: the period is {config.period_ns / 1e6:g} ms")
        if self._arbiter.stopped:
            logger.warning(f"starts STOPPED, as it was when it ended ({self._stop.path}): call the "
                           "service 'stop' with false to release")

    def next_deadline_ns(self) -> int | None:
        """When the next tick must have a command."""
        return self._arbiter.next_deadline_ns()

    def on_deadline(self, now_ns: int) -> None:
        """A tick is about to start."""
        self._carry_out(self._arbiter.on_deadline(now_ns))

    def _on_timestep(self, step: Timestep) -> None:
        now_ns = time.monotonic_ns()
        self._plant.on_timestep(step, now_ns)
        self._carry_out(self._arbiter.on_timestep(step, now_ns))

    @newest_first
    def _on_action(self, joy: JoyValues) -> None:
        now_ns = time.monotonic_ns()
        try:
            action = joy_wire.decode_action(joy, self._space)
        except wire.WireError as error:
            self._rejected[Reason.MALFORMED].note(str(error))
            self._carry_out(self._arbiter.on_malformed(now_ns))
            return
        decision = self._arbiter.on_action(action, now_ns)
        for verdict in decision.verdicts:
            if verdict.fate is Fate.REJECTED and verdict.reason not in _ORDINARY:
                self._rejected[verdict.reason].note(repr(action))
        self._carry_out(decision)

    def _on_operator(self, message: Joy) -> None:
        read = self._pad.read(message.axes, message.buttons)
        if read.refused:
            self._ignored.note(read.refused)
        self._carry_out(self._arbiter.on_operator(read.action, read.engaged,
                                                  time.monotonic_ns()))

    def _on_stop(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._carry_out(self._arbiter.set_stop(request.data, time.monotonic_ns()))
        hindered = self._stop.set(request.data)
        response.success = True
        response.message = "stopped: the safe command is held" if request.data else "released"
        if hindered:
            response.message += f"; NOT remembered for a restart ({hindered})"
        self.get_logger().warning(response.message)
        return response

    def _carry_out(self, decision: Decision) -> None:
        for command in decision.commands:
            self._send(command)
        if self._plan is not None:
            for plan in decision.plans:
                self._plan.publish(cdr.write_joy(encode_plan(plan, self._space)))
        for verdict in decision.verdicts:
            # a flood of them would push out of the queues what is told of the graph's own
            if verdict.reason not in _NOBODYS or self._nobodys.take(time.monotonic_ns()):
                self._verdict.publish(messages.serialized(verdict))

    def _send(self, command: Command) -> None:
        sent_ns = self.get_clock().now().nanoseconds
        if self._origin is not None:
            self._origin.publish(messages.serialized(CommandOrigin.of(command, sent_ns)))
        self._command.publish(self._codec.encode(command, sent_ns, self._frame))


def main() -> int:
    """Run the node."""
    return runtime.main(ActuatorNode, priorities.Priority.REALTIME)


if __name__ == "__main__":
    sys.exit(main())
