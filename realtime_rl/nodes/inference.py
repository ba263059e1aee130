"""The `inference` node: staggered workers of one policy, sharing one ONNX Runtime session.

A lifecycle node: configuring loads the policy and warms it up, activating starts the slots.
"""

from __future__ import annotations

import os
import sys
import time

import numpy as np
from rcl_interfaces.msg import SetParametersResult
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.subscription import Subscription
from sensor_msgs.msg import JointState, Joy
from std_msgs.msg import Float64MultiArray, String

from realtime_rl.core.enumerations import MergeRule
from realtime_rl.core.errors import PolicyError
from realtime_rl.core.experience.gathering import Lost, Whole
from realtime_rl.core.messages import cdr, joy_wire
from realtime_rl.core.messages.joy_wire import JoyValues
from realtime_rl.core.messages.plan import decode_plan
from realtime_rl.core.messages.records import Inference, Timestep
from realtime_rl.core.messages.wire import WireError
from realtime_rl.core.peers.plant_view import PlantView
from realtime_rl.core.policy import goals
from realtime_rl.core.schedule.tick_grid import TickGrid
from realtime_rl.core.settings.inference import InferenceParameters, schedule_of
from realtime_rl.policies.host import InferenceHost, Surroundings, threads_hang
from realtime_rl.ros import messages, presence, priorities, qos, runtime, schedule_parameters
from realtime_rl.ros.guard import listen, per_tick_hz
from realtime_rl.ros.heartbeat import Heartbeat
from realtime_rl.ros.observing import Observing
from realtime_rl.ros.parameters import NodeParameters
from realtime_rl.ros.publishing import publisher_of
from realtime_rl.ros.record_topics import subscribe_records
from realtime_rl.ros.run_clock import RunClock
from realtime_rl.ros.staggered_timers import StaggeredTimers
from realtime_rl.ros.throttled import Throttled
from realtime_rl.ros.waiting import Waiting

_LAST_HOPE_NS = 1_000_000_000
"""Where all workers hang, so long for one of them to come back, as they were asked to end."""


class InferenceNode(LifecycleNode):
    """Wires an `InferenceHost` to its topics and to the coordinator's parameters."""

    def __init__(self) -> None:
        """Declare parameters and topics; `ConfigError` when they do not fit each other."""
        super().__init__("inference")
        self._config = config = NodeParameters(
            self, InferenceParameters, self._on_parameters).current
        self.add_on_set_parameters_callback(self._refuse_part_of_schedule)
        self._woken = self.create_guard_condition(self._on_result)
        self._host = InferenceHost(config, Surroundings(
            self.get_name(), self.get_logger(), self._woken.trigger,
            priorities.take_priority_to_compute, priorities.take_priority_to_load))
        self._grid = TickGrid(config.period_ns)
        self._ticked = PlantView(config.period_ns)
        self._run_clock = RunClock()
        self._active = False
        self._heartbeat = Heartbeat(self, config.alive_lease)
        self._timestep: Subscription | None = None
        self._goal: Subscription | None = None
        self._timers_of_workers = StaggeredTimers(
            self, self._grid, round(config.timer_phase * 1e9), self._on_worker_timer)
        self._action = publisher_of(self, Joy, "action", qos.COMMAND)
        self._inference = publisher_of(self, JointState, "inference", qos.RECORD_KEPT)
        self._failed = Throttled(self, "{count} inference(s) failed; the newest: {last}")
        self._overdue = Throttled(self, "{last}")
        self._tick_hz = per_tick_hz(config.period_ns)
        if config.chunk_merge == MergeRule.PREFIX.word:  # before what it is needed for
            listen(self, Joy, "plan", self._on_plan, qos.PAIRED, rate_hz=self._tick_hz,
                   decode=messages.to_joy_values)
        observing = Observing(self, self._host.observation, self._on_observation, self._on_lost,
                              qos.newest(config.period_ns), period_ns=config.period_ns)
        listen(self, String, "policy", self._on_policy, qos.LATCHED, rate_hz=1.0)
        Waiting(self, *observing.topics, first=() if config.policy else ("policy",),
                period_ns=config.period_ns)
        if config.autostart:
            self._autostart()

    def _autostart(self) -> None:
        self.trigger_configure()
        if runtime.stop_asked():
            return
        if self._host.engine is None:
            raise PolicyError(self._host.failure)
        self.trigger_activate()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load and warm up the newest policy announced, or the one to start from."""
        del state
        opened = self._host.open(schedule_of(self._config), runtime.stop_asked)
        return TransitionCallbackReturn.SUCCESS if opened else TransitionCallbackReturn.FAILURE

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Take slots from now on, and be seen to live."""
        self._active = True
        self._heartbeat.start(time.monotonic_ns())
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Take no more slots; what is under way still leaves."""
        self._rest()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Let go of the policy; the newest announced is remembered."""
        del state
        self.close()
        return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Do nothing any more, from whatever state: no slot, no loading."""
        del state
        self.close()
        return TransitionCallbackReturn.SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin anew: as if it were not configured."""
        del state
        self.close()
        return TransitionCallbackReturn.SUCCESS

    def _rest(self) -> None:
        self._active = False
        self._heartbeat.stop()
        self._timers_of_workers.stop()

    def next_deadline_ns(self) -> int | None:
        """When an action must leave, or to be seen to live."""
        due_ns = None if self._host.engine is None else self._host.engine.next_due_ns()
        beat_ns = self._heartbeat.next_ns
        return beat_ns if due_ns is None or (beat_ns is not None and beat_ns < due_ns) else due_ns

    def on_deadline(self, now_ns: int) -> None:
        """Actions leave; what hangs is noticed."""
        engine = self._host.engine
        if engine is None:
            return
        for action, record, error in engine.due(now_ns):
            if action is not None:
                self._action.publish(cdr.write_joy(joy_wire.encode_action(
                    action, self._host.actions)))
            self._inference.publish(messages.serialized(record))
            if error:
                self._failed.note(error)
        engine.start_idle(now_ns)
        if self._heartbeat.next_ns is not None and self._heartbeat.next_ns <= now_ns:
            self._look(now_ns)

    def _look(self, now_ns: int) -> None:
        engine = self._host.engine
        if engine is None:
            return
        for record, what in engine.overdue(now_ns):
            self._report([record])
            self._overdue.note(what)
        hung_ns = engine.hung_for_ns(now_ns)
        if hung_ns > _LAST_HOPE_NS:
            raise PolicyError(f"all {len(self._host.workers)} workers hang in the policy: this "
                              "process ends, so that another can take its place")
        self._heartbeat.beat(now_ns, alive=not hung_ns)

    def _on_observation(self, whole: Whole) -> None:
        now_ns = time.monotonic_ns()
        self._grid.observe(whole.tick, now_ns)
        engine = self._host.engine
        if engine is None or not self._active:
            return
        engine.observe(*whole)
        if engine.inputs.wants_applied and self._timestep is None:
            self._timestep = subscribe_records(self, "timestep", Timestep, self._on_timestep,
                                               qos.RECORD, rate_hz=self._tick_hz)
        if engine.takes_goal and self._goal is None:
            self._goal = listen(self, Float64MultiArray, goals.TOPIC, self._on_goal, qos.LATCHED,
                                rate_hz=self._tick_hz)
        schedule = engine.pool.schedule_at(whole.tick)
        if schedule.by_timers:
            self._timers_of_workers.follow(schedule, self._host.workers)
            return
        self._timers_of_workers.stop()
        self._report(engine.start(now_ns, self._age_ns(whole.stamp_ns)))

    def _on_lost(self, lost: Lost) -> None:
        """A part did not come: its slot is missed."""
        engine = self._host.engine
        if engine is not None and self._active:
            self._report(engine.lost(lost, time.monotonic_ns()))

    def _on_timestep(self, step: Timestep) -> None:
        """Only a policy that takes applied actions needs them: others save the time."""
        self._ticked.on_timestep(step, time.monotonic_ns())
        if self._host.engine is not None:
            self._host.engine.inputs.applied(step.tick, step.action)

    def _on_goal(self, message: Float64MultiArray) -> None:
        problem = self._host.aim(np.asarray(message.data, np.float64))
        if problem:
            raise WireError(problem)

    def _on_plan(self, joy: JoyValues) -> None:
        if self._host.engine is not None:
            self._host.engine.inputs.promise(decode_plan(joy, self._host.actions))

    def _on_worker_timer(self, worker: int) -> None:
        engine = self._host.engine
        if engine is not None and self._active and engine.newest is not None:
            self._report(engine.start_worker(worker, time.monotonic_ns(),
                                             self._age_ns(engine.newest[1])))

    def _age_ns(self, stamp_ns: int) -> int:
        return self._run_clock.now_ns() - stamp_ns

    def _on_result(self) -> None:
        if self._host.engine is not None:
            self._host.engine.collect()

    def _report(self, missed: list[Inference]) -> None:
        for record in missed:
            self._inference.publish(messages.serialized(record))

    def _on_policy(self, message: String) -> None:
        self._host.announce(message.data)

    def _on_parameters(self, config: InferenceParameters) -> None:
        self._config = config
        if self._host.engine is not None:
            self._host.engine.pool.set_schedule(schedule_of(config))

    def _refuse_part_of_schedule(self, changes: list[Parameter]) -> SetParametersResult:
        def coordinator() -> str:
            found = self.get_publishers_info_by_topic("schedule")
            return presence.name_of(found[0]).strip("'") if found else ""

        reason = schedule_parameters.part_refused(changes, self._config, coordinator)
        return SetParametersResult(successful=not reason, reason=reason)

    def close(self) -> None:
        """Do nothing any more; release threads and sessions. Calling it twice is harmless."""
        self._rest()
        self._host.close()


def main() -> int:
    """Run the node."""
    status = runtime.main(InferenceNode, priorities.Priority.REALTIME)
    if threads_hang():
        sys.stdout.flush()
        os._exit(status)  # the interpreter's own end would meet them in what it takes down
    return status


if __name__ == "__main__":
    sys.exit(main())
