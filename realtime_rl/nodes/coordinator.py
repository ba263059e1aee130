"""The `coordinator` node: computes the schedule and writes it to the inference nodes.

It is not in the data path: when it dies the last schedule goes on.
"""

from __future__ import annotations

import sys
from functools import partial

from rclpy.event_handler import QoSLivelinessChangedInfo, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.parameter_client import AsyncParameterClient
from rclpy.task import Future
from sensor_msgs.msg import JointState
from std_msgs.msg import Empty

from realtime_rl.core import wire
from realtime_rl.core.coordination import Coordination, CoordinationPolicy, Sizing
from realtime_rl.core.parameters import CoordinatorParameters
from realtime_rl.core.records import (
    Algorithm,
    Dealing,
    Inference,
    ScheduleRecord,
    SlotSource,
    Verdict,
)
from realtime_rl.core.stagger import Schedule
from realtime_rl.ros import messages, qos, runtime, steady
from realtime_rl.ros.parameters import NodeParameters
from realtime_rl.ros.run_clock import RunClock
from realtime_rl.ros.waiting import Waiting


class CoordinatorNode(Node):
    """Wires a `Coordination` to the inference nodes' parameters."""

    def __init__(self) -> None:
        """Declare parameters and topics, and one parameter client an inference node."""
        super().__init__("coordinator")
        config = NodeParameters(self, CoordinatorParameters).current
        self._coordination = Coordination(CoordinationPolicy(
            tuple(range(config.workers)), config.period_ns, round(config.handover * 1e9),
            config.window, config.warmup, most_handover_ns=round(config.handover_max * 1e9),
            algorithm=Algorithm[config.algorithm.upper()],
            dealing=Dealing[config.dealing.upper()],
            slot_source=SlotSource[config.slot_source.upper()], quantile=config.quantile,
            sizing=Sizing(config.sizing == "auto", config.min_workers, config.max_workers,
                          config.headroom, config.target_inaction),
            processes=config.inference_nodes))
        self._run_clock = RunClock()
        self._absurd = 0
        self._parameter_clients = {name: AsyncParameterClient(self, name)
                                   for name in config.inference_nodes}
        self._asked: dict[str, Future] = {}
        self._publisher = self.create_publisher(JointState, "schedule", qos.LATCHED)
        self.create_subscription(JointState, "inference", self._on_inference, qos.RECORD)
        self.create_subscription(JointState, "verdict", self._on_verdict, qos.RECORD)
        for name in config.inference_nodes:
            self.create_subscription(
                Empty, f"{name}/alive", lambda message: None,
                qos.alive(config.alive_lease),
                event_callbacks=SubscriptionEventCallbacks(
                    liveliness=partial(self._on_liveliness, name)))
        steady.create_timer(self, config.evaluate_period, self._evaluate)
        Waiting(self, "inference", period_ns=config.period_ns)

    def _on_liveliness(self, name: str, event: QoSLivelinessChangedInfo) -> None:
        alive = event.alive_count > 0
        self._coordination.on_process(name, alive)
        if alive:
            self._write(name)
            return
        self.get_logger().warning(f"{name} died or hangs: the others take its slots over")
        self._evaluate()

    def _on_inference(self, message: JointState) -> None:
        try:
            self._coordination.on_inference(messages.from_scalars(Inference, message))
        except wire.WireError as error:
            self.get_logger().warning(f"inference: {error}", throttle_duration_sec=1.0)
        if self._coordination.absurd > self._absurd:
            self._absurd = self._coordination.absurd
            self.get_logger().warning(f"{self._absurd} absurd inference duration(s) ignored",
                                      throttle_duration_sec=1.0)

    def _on_verdict(self, message: JointState) -> None:
        try:
            returned = self._coordination.on_verdict(messages.from_scalars(Verdict, message))
        except wire.WireError as error:
            self.get_logger().warning(f"verdict: {error}", throttle_duration_sec=1.0)
            return
        if returned:
            self.get_logger().info(f"{returned} is heard again")
            self._evaluate(returned)

    def _evaluate(self, returned: str = "") -> None:
        """Tell all what changed; else those who need it, as one that returned does."""
        before = self._coordination.schedule.generation
        schedule = self._coordination.evaluate()
        if schedule is not None:
            for name in self._parameter_clients:
                self._write(name)
            if schedule.generation != before:
                self._announce(schedule)
            return
        for name in {returned, *self._coordination.unheard()} & self._parameter_clients.keys():
            self._write(name)

    def _announce(self, schedule: Schedule) -> None:
        self._publisher.publish(messages.to_scalars(ScheduleRecord(
            self._run_clock.now_ns(), schedule.generation, schedule.effective_tick,
            schedule.promised_delay_ticks, self._coordination.required_workers,
            self._coordination.duration_ns, self._coordination.handover_ns, schedule.period_ns,
            schedule.algorithm, schedule.dealing, schedule.slot_source,
            len(self._parameter_clients), schedule.active)))
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
        self._asked[name] = client.set_parameters_atomically([
            Parameter("schedule_generation", value=schedule.generation),
            Parameter("schedule_effective_tick", value=schedule.effective_tick),
            Parameter("schedule_active", value=list(schedule.active)),
            Parameter("schedule_delay", value=schedule.promised_delay_ticks),
            Parameter("schedule_cycle", value=schedule.cycle),
            Parameter("schedule_hold_ns", value=schedule.hold_ns),
            Parameter("schedule_algorithm", value=schedule.algorithm.name.lower()),
            Parameter("schedule_dealing", value=schedule.dealing.name.lower()),
            Parameter("schedule_slot_source", value=schedule.slot_source.name.lower()),
        ], callback=partial(self._on_answer, name))

    def _on_answer(self, name: str, future: Future) -> None:
        answer = future.result()  # None: it was asked anew meanwhile
        if answer is not None and not answer.result.successful:
            self.get_logger().error(f"{name} refused the schedule: {answer.result.reason}")


def main() -> int:
    """Run the node."""
    return runtime.main(CoordinatorNode, runtime.Priority.BACKGROUND)


if __name__ == "__main__":
    sys.exit(main())
