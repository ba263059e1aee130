"""The `learner` node: assembles transitions, trains, announces refreshed ONNX weights.

What trains has the lowest CPU priority there is: plant, inference and actuator go first. The
thread that takes messages has not: a starved reader can hold up those who write to it.
"""

from __future__ import annotations

import dataclasses
import importlib
import os
import re
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import String

from realtime_rl import free_memory
from realtime_rl.core import observations
from realtime_rl.core.errors import RealtimeRlError
from realtime_rl.core.experience.admission import Admission
from realtime_rl.core.experience.assembler import Assembler, SemiMdpTransition
from realtime_rl.core.experience.gathering import Whole
from realtime_rl.core.messages.policy_uri import PolicyUri
from realtime_rl.core.messages.records import Learning, ScheduleRecord, Timestep
from realtime_rl.core.peers.plant_view import PlantView
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.core.settings.parameters import LearnerParameters
from realtime_rl.core.types import ActionSpace, Cause
from realtime_rl.ros import messages, priorities, qos, runtime, steady
from realtime_rl.ros.guard import per_tick_hz
from realtime_rl.ros.observing import Observing
from realtime_rl.ros.parameters import NodeParameters
from realtime_rl.ros.record_topics import subscribe_records
from realtime_rl.ros.run_clock import RunClock
from realtime_rl.ros.throttled import Throttled
from realtime_rl.ros.waiting import Waiting

if TYPE_CHECKING:
    from realtime_rl.learning.trainer import Trainer

_VERSION = re.compile(r"policy-(\d+)\.onnx")


class LearnerNode(Node):
    """Wires an `Assembler` and a `Trainer` to their topics."""

    def __init__(self) -> None:
        """Declare parameters and topics, take up the newest weights, start training."""
        super().__init__("learner")
        config = NodeParameters(self, LearnerParameters).current
        self._run_clock = RunClock()
        self._spec = observations.parse(config.observation)
        self._admission = Admission(self._spec, ActionSpace.parse(config.actions))
        self._not_learned = Throttled(
            self, "{count} message(s) not learned from; the newest: {last}")
        self._ticked = PlantView(config.period_ns)
        self._failure = ""
        self._failed = self.create_guard_condition(self._end)
        self._assembler = Assembler(stack=config.stack, gamma=config.gamma,
                                    history=config.action_history)
        self._trainer = self._make_trainer(config)
        self._policy = self.create_publisher(String, "policy", qos.LATCHED)
        self._learning = self.create_publisher(JointState, "learning", qos.RECORD)
        tick_hz = per_tick_hz(config.period_ns)
        observing = Observing(self, self._spec, self._on_observation, lambda lost: None,
                              qos.RECORD, period_ns=config.period_ns)
        subscribe_records(self, "timestep", Timestep, self._on_timestep, qos.RECORD,
                          rate_hz=tick_hz)
        subscribe_records(self, "schedule", ScheduleRecord, self._on_schedule, qos.LATCHED,
                          rate_hz=tick_hz)
        steady.create_timer(self, 1.0, self._report)
        Waiting(self, *observing.topics, "timestep", period_ns=config.period_ns)
        self._trainer.start()

    def _make_trainer(self, config: LearnerParameters) -> Trainer:
        from realtime_rl.learning import memory_needed, torch_process
        from realtime_rl.learning.dqn import DqnLearner
        from realtime_rl.learning.onnx_export import PolicyExporter
        from realtime_rl.learning.onnx_import import load_weights
        from realtime_rl.learning.pool import LearningPool
        from realtime_rl.learning.trainer import Trainer

        torch_process.prepare(config.threads)
        settings = {field.name: getattr(config, field.name)
                    for field in dataclasses.fields(DqnConfig)}
        actions = ActionSpace.parse(config.actions)
        folder = Path(config.run_dir or ".").resolve()
        learner: DqnLearner | LearningPool
        if config.processes > 1:
            learner = LearningPool(DqnConfig(**settings), self._spec, actions, config.processes,
                                   folder=folder, threads=config.threads,
                                   tell=self.get_logger().error)
        else:
            learner = DqnLearner(DqnConfig(**settings), self._spec, actions)
        text, fits = memory_needed.replay_memory(config, self._spec, free_memory.available_bytes())
        (self.get_logger().info if fits else self.get_logger().warning)(text)
        found = sorted(folder.glob("policy-*.onnx"))
        newest = found[-1] if found else Path(config.policy) if config.policy else None
        if newest is not None:
            said = load_weights(learner.network, newest, learner.metadata(0))
            if said is not None:
                learner.resume_exploration(said.epsilon)
            self.get_logger().info(f"learning goes on from {newest.name}, with exploration "
                                   f"{learner.epsilon:.2f}")
        versions = [int(match[1]) for path in found if (match := _VERSION.fullmatch(path.name))]
        return Trainer(
            learner, PolicyExporter(learner.network, folder, config.keep,
                                    earlier=[each for each in versions if each > 0]),
            folder=folder,
            now=time.monotonic_ns, export_interval_ns=round(config.export_interval * 1e9),
            updates_per_transition=config.updates_per_transition,
            first_version=max(versions, default=0) + 1,
            on_export=self._on_export, on_failure=self._on_failure,
            on_trouble=self._on_trouble, max_lag=config.max_lag, prepare_thread=_step_back)

    def _on_observation(self, whole: Whole) -> None:
        if self._admitted("observation", self._admission.observation(whole.value)):
            self._learn_from(self._assembler.observe(whole.tick, whole.value, whole.first))

    def _on_timestep(self, step: Timestep) -> None:
        self._ticked.on_timestep(step, time.monotonic_ns())
        if not self._admitted("timestep", self._admission.step(step)):
            return
        if step.cause is Cause.POLICY:
            self._trainer.acted(step.version)
        elif step.cause in (Cause.OPERATOR, Cause.STOP):
            self._trainer.acted(None)
        self._learn_from(self._assembler.step(step))

    def _on_schedule(self, schedule: ScheduleRecord) -> None:
        """What a person does counts as the policy's action of that delay."""
        self._assembler.operator_delay = max(1, schedule.promised_delay_ticks)

    def _admitted(self, topic: str, problem: str | None) -> bool:
        """Whether to learn from a message; if not, say why."""
        if problem is not None:
            self._not_learned.note(f"{topic}: {problem}")
        return problem is None

    def _learn_from(self, transitions: list[SemiMdpTransition]) -> None:
        for transition in transitions:
            self._trainer.add(transition)

    def _on_export(self, uri: PolicyUri, version: int) -> None:
        self._policy.publish(String(data=str(uri)))
        self.get_logger().info(f"policy version {version} announced")

    def _on_failure(self, reason: str) -> None:
        """Called from the trainer's thread; a callback ends the process."""
        self._failure = reason
        self._failed.trigger()

    def _end(self) -> None:
        raise RealtimeRlError(f"training ended, the last policy stays: {self._failure}")

    def _on_trouble(self, reason: str) -> None:
        self.get_logger().warning(reason)

    def _report(self) -> None:
        progress = self._trainer.progress()
        lag_s = ((time.monotonic_ns() - progress.exported_ns) / 1e9 if progress.exported_ns
                 else float("nan"))
        self._learning.publish(messages.serialized(Learning(
            self._run_clock.now_ns(), progress.updates, progress.transitions,
            progress.loss, progress.epsilon, progress.version, lag_s)))

    def close(self) -> None:
        """End the training."""
        self._trainer.close()


def _step_back() -> None:
    priorities.take_priority(priorities.Priority.IDLE)


def _import_torch() -> None:
    """Importing torch keeps a core busy for seconds."""
    _step_back()
    importlib.import_module("realtime_rl.learning.trainer")


def main() -> int:
    """Run the node."""
    importing = threading.Thread(target=_import_torch)
    importing.start()
    try:
        importing.join()
    except KeyboardInterrupt:
        os._exit(0)  # nothing was begun; waiting for the import would take seconds
    return runtime.main(LearnerNode, priorities.Priority.BACKGROUND)


if __name__ == "__main__":
    sys.exit(main())
