"""The `inference` node: staggered workers of one policy, sharing one ONNX Runtime session.

A lifecycle node: configuring loads the policy and warms it up, activating starts the slots.
"""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path

from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.publisher import Publisher
from rclpy.subscription import Subscription
from sensor_msgs.msg import Image, JointState, Joy
from std_msgs.msg import Empty, String

from realtime_rl.core import wire
from realtime_rl.core.errors import PolicyError
from realtime_rl.core.parameters import InferenceParameters
from realtime_rl.core.policy_uri import PolicyUri
from realtime_rl.core.records import Algorithm, Dealing, Inference, SlotSource, Timestep
from realtime_rl.core.stagger import Schedule, workers_of_process
from realtime_rl.core.tick_grid import TickGrid
from realtime_rl.core.types import ActionSpace, ObservationSpec
from realtime_rl.policies.hot_swap import HotSwap, Swap
from realtime_rl.policies.inference_engine import EngineConfig, InferenceEngine
from realtime_rl.policies.latency import Latency, NoLatency
from realtime_rl.policies.onnx_policy import Loader, OnnxPolicy
from realtime_rl.ros import messages, qos, runtime
from realtime_rl.ros.guard import listen, per_tick_hz
from realtime_rl.ros.parameters import NodeParameters
from realtime_rl.ros.staggered_timers import StaggeredTimers


class InferenceNode(LifecycleNode):
    """Wires an `InferenceEngine` to its topics and to the coordinator's parameters."""

    def __init__(self) -> None:
        """Declare parameters and topics; `ConfigError` when they do not fit each other."""
        super().__init__("inference")
        parameters = NodeParameters(self, InferenceParameters, self._on_parameters)
        self._config = config = parameters.current
        self._observation_spec = ObservationSpec.parse(config.observation)
        self._space = ActionSpace.parse(config.actions)
        self._latency = Latency.parse(config.latency)
        self._workers = workers_of_process(config.process, config.processes, config.workers)
        self._grid = TickGrid(config.period_ns)
        self._active = False
        self._alive: Publisher | None = None
        self._timestep: Subscription | None = None
        self._failure = "the node could not be configured"
        self._engine: InferenceEngine | None = None
        self._policies: HotSwap[OnnxPolicy] | None = None
        self._timers_of_workers = StaggeredTimers(
            self, self._grid, round(config.timer_phase * 1e9), self._on_worker_timer)
        self._woken = self.create_guard_condition(self._on_result)
        self._action = self.create_publisher(Joy, "action", qos.COMMAND)
        self._inference = self.create_publisher(JointState, "inference", qos.RECORD_KEPT)
        self._tick_hz = per_tick_hz(config.period_ns)
        listen(self, messages.observation_type(self._observation_spec), "observation",
               self._on_observation, qos.NEWEST, rate_hz=self._tick_hz,
               most_bytes=messages.most_bytes(self._observation_spec))
        listen(self, String, "policy", self._on_policy, qos.LATCHED, rate_hz=1.0)
        if config.autostart:
            self._autostart()

    def _autostart(self) -> None:
        self.trigger_configure()
        if self._policies is None or (self._config.policy and self._policies.current is None):
            raise PolicyError(self._failure)
        self.trigger_activate()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load and warm up the policy to start from, if one was given."""
        del state
        config = self._config
        loader = Loader((self._observation_spec, self._space), config.provider, config.threads,
                        config.sessions)
        ordinary = partial(runtime.take_priority, runtime.Priority.NORMAL)
        self._policies = HotSwap(loader, time.monotonic_ns, on_swap=self._on_swap,
                                 on_failure=self._on_swap_failure, prepare_thread=ordinary)
        self._engine = InferenceEngine(
            EngineConfig(self.get_name(), self._workers, self._space, self._latency, config.seed,
                         config.exploration_hold, config.learning_order,
                         round(config.learning_time * 1e9)),
            self._schedule(config), self._policies, self._woken.trigger,
            ordinary)
        if not isinstance(self._latency, NoLatency):
            self.get_logger().warning(f"EMULATED accelerator: every result is held until "
                                      f"{self._latency} has passed")
        if config.policy:
            self._policies.request(_uri(config.policy), time.monotonic_ns())
            self._policies.wait_idle()
            if self._policies.current is None:
                return TransitionCallbackReturn.FAILURE
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Take slots from now on, and be seen to live."""
        self._active = True
        self._alive = self.create_publisher(
            Empty, f"{self.get_name()}/alive", qos.alive(self._config.alive_lease))
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Take no more slots; what is under way still leaves."""
        self._active = False
        if self._alive is not None:
            self.destroy_publisher(self._alive)
            self._alive = None
        self._timers_of_workers.stop()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Let go of the policy."""
        del state
        self.close()
        return TransitionCallbackReturn.SUCCESS

    def next_deadline_ns(self) -> int | None:
        """When an action must leave."""
        return None if self._engine is None else self._engine.next_due_ns()

    def on_deadline(self, now_ns: int) -> None:
        """Actions leave."""
        if self._engine is None:
            return
        for action, record, error in self._engine.due(now_ns):
            if action is not None:
                self._action.publish(messages.to_joy(wire.encode_action(action, self._space)))
            self._inference.publish(messages.to_scalars(record))
            if error:
                self.get_logger().error(f"inference failed: {error}", throttle_duration_sec=1.0)
        self._engine.start_idle(now_ns)

    def _on_observation(self, message: Image | JointState) -> None:
        now_ns = time.monotonic_ns()
        tick, first = wire.observation_words(message.header.frame_id)
        stamp_ns = messages.to_ns(message.header.stamp)
        observation = messages.from_observation(message, self._observation_spec)
        self._grid.observe(tick, now_ns)
        if self._engine is None or not self._active:
            return
        self._engine.observe(tick, stamp_ns, first, observation)
        if self._engine.wants_applied and self._timestep is None:
            self._timestep = listen(self, JointState, "timestep", self._on_timestep, qos.RECORD,
                                    rate_hz=self._tick_hz)
        if self._engine.pool.schedule_at(tick).slot_source is SlotSource.TICK:
            self._report(self._engine.start(now_ns, self._age_ns(stamp_ns)))

    def _on_timestep(self, message: JointState) -> None:
        """Only a policy that takes applied actions needs them: others save the time."""
        step = messages.from_scalars(Timestep, message)
        if self._engine is not None:
            self._engine.applied(step.tick, step.action)

    def _on_worker_timer(self, worker: int) -> None:
        if self._engine is not None and self._active and self._engine.newest is not None:
            self._report(self._engine.start_worker(worker, time.monotonic_ns(),
                                                   self._age_ns(self._engine.newest[1])))

    def _age_ns(self, stamp_ns: int) -> int:
        return int(self.get_clock().now().nanoseconds) - stamp_ns

    def _on_result(self) -> None:
        if self._engine is not None:
            self._engine.collect()

    def _report(self, missed: list[Inference]) -> None:
        for record in missed:
            self._inference.publish(messages.to_scalars(record))

    def _on_policy(self, message: String) -> None:
        if self._policies is not None:
            self._policies.request(message.data, time.monotonic_ns())

    def _on_swap(self, swap: Swap[OnnxPolicy]) -> None:
        policy, logger = swap.policy, self.get_logger()
        took_ms = (swap.ready_ns - swap.announced_ns) / 1e6
        logger.info(f"policy version {policy.version} on {policy.provider}, "
                    f"ready after {took_ms:.0f} ms")
        for warning in (*policy.warnings, policy.fallback):
            if warning:
                logger.warning(warning)
        if self._config.threads == 1:  # more of them would inherit this thread's priority
            # later policies are made beside inference, which must not wait for that
            runtime.take_priority(runtime.Priority.BACKGROUND)

    def _on_swap_failure(self, uri: str, error: str) -> None:
        self._failure = error
        kept = self._policies.current if self._policies is not None else None
        keeps = f"version {kept.policy.version} stays" if kept else "there is none to fall back on"
        self.get_logger().error(f"policy refused, {keeps}: {error}")

    def _on_parameters(self, config: InferenceParameters) -> None:
        self._config = config
        if self._engine is None:
            return
        schedule = self._schedule(config)
        self._engine.pool.set_schedule(schedule)
        if schedule.slot_source is SlotSource.TIMER and self._active and self._grid.known:
            self._timers_of_workers.follow(schedule, self._workers)
        else:
            self._timers_of_workers.stop()

    def _schedule(self, config: InferenceParameters) -> Schedule:
        return Schedule(
            config.schedule_active or tuple(range(config.workers)), config.period_ns,
            config.schedule_generation, config.schedule_effective_tick, config.schedule_delay,
            config.schedule_hold_ns, Algorithm[config.schedule_algorithm.upper()],
            Dealing[config.schedule_dealing.upper()],
            SlotSource[config.schedule_slot_source.upper()], config.schedule_cycle)

    def close(self) -> None:
        """Release threads and session. Calling it twice is harmless."""
        self._active = False
        if self._engine is not None:
            self._engine.close()
        if self._policies is not None:
            self._policies.close()
        self._engine = self._policies = None


def _uri(policy: str) -> str:
    return policy if "://" in policy else str(PolicyUri(Path(policy).resolve()))


def main() -> int:
    """Run the node."""
    return runtime.main(InferenceNode, runtime.Priority.REALTIME)


if __name__ == "__main__":
    sys.exit(main())
