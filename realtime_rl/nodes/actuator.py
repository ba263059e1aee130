"""The `actuator` node: forwards admissible actions at once, fills silence, reports every fate."""

from __future__ import annotations

import sys
import time

from rclpy.node import Node
from sensor_msgs.msg import JointState, Joy
from std_srvs.srv import SetBool

from realtime_rl.core import default_policy, wire
from realtime_rl.core.arbiter import Arbiter, ArbiterLimits, Decision
from realtime_rl.core.gamepad import GamepadLayout
from realtime_rl.core.parameters import ActuatorParameters
from realtime_rl.core.records import Fate, Reason, Timestep
from realtime_rl.core.types import Action, ActionSpace
from realtime_rl.ros import messages, qos, runtime
from realtime_rl.ros.commands import command_codec
from realtime_rl.ros.parameters import NodeParameters
from realtime_rl.ros.waiting import Waiting

_ORDINARY = (Reason.LATE, Reason.DUPLICATE)
"""Reasons that staggered workers give now and then; the verdicts count them."""


class ActuatorNode(Node):
    """Wires an `Arbiter` to its topics."""

    def __init__(self) -> None:
        """Declare parameters and topics; `ConfigError` when they do not fit each other."""
        super().__init__("actuator")
        config = NodeParameters(self, ActuatorParameters).current
        self._space = ActionSpace.parse(config.actions)
        self._operator_button = config.operator_button
        self._codec = command_codec(config.command_type, self._space, config.gamepad_layout)
        self._pad = (GamepadLayout.parse(config.gamepad_layout, self._space)
                     if self._space.discrete else None)
        default = default_policy.make(config.default_policy, self._space, config.default_action,
                                      config.seed)
        limits = ArbiterLimits(
            config.period_ns, config.max_delay_ticks, round(config.deadline_margin * 1e9),
            round(config.operator_timeout * 1e9))
        self._arbiter = Arbiter(self._space, default, limits, time.monotonic_ns())
        self._command = self.create_publisher(self._codec.message_type, "command", qos.COMMAND)
        self._verdict = self.create_publisher(JointState, "verdict", qos.RECORD_KEPT)
        self.create_subscription(JointState, "timestep", self._on_timestep, qos.RECORD)
        self.create_subscription(Joy, "action", self._on_action, qos.ACTIONS)
        self.create_subscription(Joy, "operator", self._on_operator, qos.COMMAND)
        self.create_service(SetBool, "stop", self._on_stop)
        Waiting(self, "timestep", "action", period_ns=config.period_ns)
        # rclpy takes some 100 ms for the first line of a process: not when an action is due
        self.get_logger().info(f"'{config.default_policy}' acts where no action arrives in time")

    def next_deadline_ns(self) -> int | None:
        """When the next tick must have a command."""
        return self._arbiter.next_deadline_ns()

    def on_deadline(self, now_ns: int) -> None:
        """A tick is about to start."""
        self._carry_out(self._arbiter.on_deadline(now_ns))

    def _on_timestep(self, message: JointState) -> None:
        try:
            step = messages.from_scalars(Timestep, message)
        except wire.WireError as error:
            self.get_logger().warning(f"timestep: {error}", throttle_duration_sec=1.0)
            return
        self._carry_out(self._arbiter.on_timestep(step, time.monotonic_ns()))

    def _on_action(self, message: Joy) -> None:
        now_ns = time.monotonic_ns()
        try:
            action = wire.decode_action(messages.from_joy(message), self._space)
        except wire.WireError as error:
            self.get_logger().warning(f"action rejected, malformed: {error}",
                                      throttle_duration_sec=1.0)
            self._carry_out(self._arbiter.on_malformed(now_ns))
            return
        decision = self._arbiter.on_action(action, now_ns)
        for verdict in decision.verdicts:
            if verdict.fate is Fate.REJECTED and verdict.reason not in _ORDINARY:
                self.get_logger().warning(
                    f"action rejected, {verdict.reason.name.lower()}: {action!r}",
                    throttle_duration_sec=1.0)
        self._carry_out(decision)

    def _on_operator(self, message: Joy) -> None:
        action, engaged = self._read_operator(message)
        if self._space.problem(action) is not None:
            self.get_logger().warning(f"operator input refused: {action!r} is not in "
                                      f"'{self._space}'", throttle_duration_sec=1.0)
            return
        self._carry_out(self._arbiter.on_operator(action, engaged, time.monotonic_ns()))

    def _read_operator(self, message: Joy) -> tuple[Action, bool]:
        """A person's action, and whether it takes over: the button is held, or anything is."""
        buttons, axes = tuple(message.buttons), tuple(message.axes)
        action = self._pad.decode(axes, buttons) if self._pad is not None else axes
        if self._operator_button >= 0:
            held = self._operator_button < len(buttons) and buttons[self._operator_button] != 0
            return action, held
        return action, action != self._space.noop

    def _on_stop(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._carry_out(self._arbiter.set_stop(request.data, time.monotonic_ns()))
        response.success = True
        response.message = "stopped: the safe command is held" if request.data else "released"
        self.get_logger().warning(response.message)
        return response

    def _carry_out(self, decision: Decision) -> None:
        for command in decision.commands:
            self._command.publish(self._codec.encode(command))
        for verdict in decision.verdicts:
            self._verdict.publish(messages.to_scalars(verdict))


def main() -> int:
    """Run the node."""
    return runtime.main(ActuatorNode, runtime.Priority.REALTIME)


if __name__ == "__main__":
    sys.exit(main())
