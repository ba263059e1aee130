"""The `coordinator` node: computes the schedule and writes it to the inference nodes.

It is not in the data path: when it dies the last schedule goes on.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Mapping
from functools import partial
from typing import Any

from rcl_interfaces.msg import ParameterEvent
from rclpy.event_handler import QoSLivelinessChangedInfo, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.parameter_client import AsyncParameterClient
from rclpy.qos import qos_profile_parameter_events
from rclpy.task import Future
from sensor_msgs.msg import JointState
from std_msgs.msg import Empty

from realtime_rl.core.messages.records import Inference, Timestep, Verdict
from realtime_rl.core.messages.wire import WireError
from realtime_rl.core.schedule.coordination import Coordination
from realtime_rl.core.schedule.stagger import Schedule
from realtime_rl.core.settings.coordinator import CoordinatorParameters, policy_of
from realtime_rl.ros import messages, priorities, qos, runtime, schedule_parameters, steady
from realtime_rl.ros.guard import per_tick_hz
from realtime_rl.ros.parameters import NodeParameters
from realtime_rl.ros.publisher_watch import full_name, watch_publishers
from realtime_rl.ros.record_topics import overhear_records
from realtime_rl.ros.run_clock import RunClock
from realtime_rl.ros.spinning import batched, received_ns
from realtime_rl.ros.throttled import Throttled
from realtime_rl.ros.waiting import Waiting

_WRITTEN = 4
"""Schedules of a process that its events may still tell of."""


class CoordinatorNode(Node):
    """Wires a `Coordination` to the inference nodes' parameters."""

    def __init__(self) -> None:
        """Declare parameters and topics, and one parameter client an inference node."""
        super().__init__("coordinator")
        config = NodeParameters(self, CoordinatorParameters, self._on_parameters).current
        self._coordination = Coordination(policy_of(config))
        self._run_clock = RunClock()
        self._said = (0, 0, False)
        self._shortage = ""
        self._parameter_clients = {name: AsyncParameterClient(self, name)
                                   for name in config.inference_nodes}
        self._asked: dict[str, Future] = {}
        self._written: dict[str, deque[schedule_parameters.Values]] = {
            name: deque(maxlen=_WRITTEN) for name in config.inference_nodes}
        self._unread: tuple[bytes, int] | None = None
        self._unreadable = Throttled(
            self, "timestep: {count} message(s) refused; the newest: {last}")
        self._out_of_sync = Throttled(
            self, "somebody else set the schedule of {last}: it is told ours again; set "
            f"{', '.join(schedule_parameters.ASKED_FOR)} or sizing of {self.get_name()} instead")
        self._publisher = self.create_publisher(JointState, "schedule", qos.LATCHED)
        self._listen(config)
        watch_publishers(self, config.inference_nodes, config.parts)
        steady.create_timer(self, config.evaluate_period, self._evaluate)
        Waiting(self, "inference", period_ns=config.period_ns)

    def _listen(self, config: CoordinatorParameters) -> None:
        tick_hz = per_tick_hz(config.period_ns, config.workers)
        # the newest tick, of which there is one to take, before what refers to it
        self.create_subscription(JointState, "timestep", self._on_timestep, qos.COMMAND, raw=True)
        overhear_records(self, "inference", Inference, self._on_inference, qos.RECORD,
                         rate_hz=tick_hz)
        # one for an action and one for a default
        overhear_records(self, "verdict", Verdict, self._on_verdict, qos.RECORD,
                         rate_hz=2 * tick_hz)
        self.create_subscription(ParameterEvent, "/parameter_events", self._on_parameter_event,
                                 qos_profile_parameter_events)
        for name in config.inference_nodes:
            self.create_subscription(
                Empty, f"{name}/alive", lambda message: None,
                qos.alive(config.alive_lease),
                event_callbacks=SubscriptionEventCallbacks(
                    liveliness=partial(self._on_liveliness, name)))

    def _on_parameters(self, config: CoordinatorParameters) -> None:
        """Somebody wants another schedule: a new generation, which the record tells of."""
        self._coordination.follow(policy_of(config))
        self._evaluate()

    def _on_liveliness(self, name: str, event: QoSLivelinessChangedInfo) -> None:
        alive = event.alive_count > 0
        self._coordination.on_process(name, alive)
        if alive:
            self._write(name)
            return
        over = ": the others take its slots over" if len(self._parameter_clients) > 1 else ""
        if event.not_alive_count_change > 0:
            self.get_logger().warning(f"{name} died or hangs{over}")
        else:  # it has said itself that it leaves
            self.get_logger().info(f"{name} was deactivated, or has ended{over}")
        self._evaluate()

    @batched
    def _on_timestep(self, data: bytes, info: Mapping[str, Any]) -> None:
        """Only the newest counts, and only when it is asked for: the rest is never read."""
        self._unread = data, received_ns(info)

    def _read_tick(self) -> None:
        unread, self._unread = self._unread, None
        if unread is None:
            return
        try:
            step = messages.to_record(Timestep, unread[0])
            self._coordination.on_timestep(step, unread[1])
        except WireError as error:
            self._unreadable.note(str(error))

    def _on_inference(self, inference: Inference, arrived_ns: int) -> None:
        if inference.tick > self._coordination.plant_tick:
            self._read_tick()
        problem = self._coordination.on_inference(inference, arrived_ns)
        if problem is not None:
            raise WireError(problem)

    def _on_verdict(self, verdict: Verdict, arrived_ns: int) -> None:
        del arrived_ns
        returned = self._coordination.on_verdict(verdict)
        if returned:
            self.get_logger().info(f"{returned} is heard again")
            self._evaluate(returned)

    def _on_parameter_event(self, event: ParameterEvent) -> None:
        """Somebody set parameters, of whatever node."""
        name = event.node.rpartition("/")[2]
        if event.node != full_name(self, name) or not self._written.get(name):
            return
        changed = schedule_parameters.changed(event.changed_parameters)
        if not any(changed.items() <= written.items() for written in self._written[name]):
            self._coordination.mark_out_of_sync(name)

    def _evaluate(self, returned: str = "") -> None:
        """Tell all what changed; else those who need it, as one that returned does."""
        self._read_tick()
        before = self._coordination.schedule.generation
        schedule = self._coordination.evaluate()
        out_of_sync = self._coordination.out_of_sync()
        for name in out_of_sync:
            self._out_of_sync.note(name)
        self._say_what_does_not_count()
        if schedule is not None:
            for name in self._parameter_clients:
                self._write(name)
            if schedule.generation != before:
                self._announce(schedule)
            return
        silent = {returned, *out_of_sync, *self._coordination.to_resend()}
        for name in silent & self._parameter_clients.keys():
            self._write(name)

    def _say_what_does_not_count(self) -> None:
        coordination, logger = self._coordination, self.get_logger()
        absurd, left_out, at_most = self._said
        self._said = coordination.absurd, coordination.left_out, coordination.at_most
        if coordination.shortage and coordination.shortage != self._shortage:
            logger.error(coordination.shortage)
        self._shortage = coordination.shortage
        if coordination.absurd > absurd:
            logger.warning(f"{coordination.absurd} absurd inference duration(s) ignored")
        if coordination.left_out > left_out:
            logger.info(f"{coordination.left_out - left_out} inference(s) took long while their "
                        "process stood still: they do not count")
        if coordination.at_most and not at_most:
            logger.warning(
                f"inferences take longer than {coordination.duration_ns / 1e9:.1f} s: D stays at "
                f"{coordination.schedule.promised_delay_ticks} ticks, the most that delay_max and "
                "actuator.stale_after allow, and their actions are late")

    def _announce(self, schedule: Schedule) -> None:
        self._publisher.publish(messages.serialized(self._coordination.record(
            self._run_clock.now_ns(), processes=len(self._parameter_clients))))
        self.get_logger().info(
            f"schedule {schedule.generation} from tick {schedule.effective_tick}: "
            f"N={len(schedule.active)} D={schedule.promised_delay_ticks} "
            f"T={self._coordination.duration_ns / 1e6:.1f} ms "
            f"h={self._coordination.handover_ns / 1e6:.1f} ms")

    def _write(self, name: str) -> None:
        """Ask one node to take its schedule, all of it or nothing; never wait for the answer."""
        schedule = self._coordination.schedule_for(name)
        asked = self._asked.get(name)
        if asked is not None and not asked.done():
            asked.cancel()  # a hung node must not pile up questions
        client = self._parameter_clients[name]
        if not client.services_are_ready():
            return
        written = schedule_parameters.to_parameters(schedule)
        self._written[name].append(schedule_parameters.values_of(written))
        self._asked[name] = client.set_parameters_atomically(
            written, callback=partial(self._on_answer, name))

    def _on_answer(self, name: str, future: Future) -> None:
        answer = future.result()  # None: it was asked anew meanwhile
        if answer is not None and not answer.result.successful:
            self.get_logger().error(f"{name} refused the schedule: {answer.result.reason}")


def main() -> int:
    """Run the node."""
    return runtime.main(CoordinatorNode, priorities.Priority.BACKGROUND)


if __name__ == "__main__":
    sys.exit(main())
