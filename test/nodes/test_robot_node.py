"""A robot with topics of its own, through a whole graph: it never moves unasked."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")

from live_graph import LiveGraph
from policies.tiny_policies import model
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray, String
from std_srvs.srv import Trigger

from realtime_rl.core.enumerations import Phase, StopCause
from realtime_rl.core.messages.records import RobotRecord
from realtime_rl.core.observations import ObservationSpec
from realtime_rl.core.types import Cause
from realtime_rl.ros import messages, qos

PERIOD_S = 0.02
AT = (0.3, -0.2)
"""Where the joints stand at the start."""
FAR = (0.9, -0.9)
"""Where the policy wants them."""
FASTEST, HARDEST = 1.0, 8.0
CONFIG = """
scenario: {{ros__parameters: {{workers: 3, learner: false, policy: {policy}}}}}
inference: {{ros__parameters: {{latency: "constant:45ms"}}}}
robot:
  ros__parameters:
    name: arm
    period: 0.02
    observations: [state]
    observation: {{state: {{sources: [joints]}}}}
    source:
      joints: {{topic: joint_states, type: sensor_msgs/msg/JointState, max_age: 0.4,
               fields: [position.j1, position.j2]}}
    actions: [arm]
    action:
      arm: {{topic: commands, type: std_msgs/msg/Float64MultiArray, names: [j1, j2],
            scale: 0.5, offset: [0.9, -0.9]}}
    limits:
      j1: {{min_position: -1.0, max_position: 1.0, max_velocity: 1.0, max_acceleration: 8.0}}
      j2: {{min_position: -1.0, max_position: 1.0, max_velocity: 1.0, max_acceleration: 8.0}}
    start: {{ramp: 0.5}}
"""
SPEC = ObservationSpec((2,), "float32", -10.0, 10.0, "state", ("position.j1", "position.j2"))


class Arm:
    """Does what it is told at once, and says where it is, in an order of its own."""

    def __init__(self, graph: LiveGraph) -> None:
        self._watcher = graph.watcher
        self.commands: list[tuple[float, ...]] = []
        self.records: list[RobotRecord] = []
        self.contracts: list[str] = []
        self.speaks = True
        self._at = AT
        self._joints = self._watcher.create_publisher(JointState, "joint_states",
                                                      qos_profile_sensor_data)
        for kind, topic, take, profile in (
                (Float64MultiArray, "commands", self._obey, qos.PAIRED),
                (JointState, "robot", self._note, qos.RECORD_KEPT),
                (String, "contract", lambda m: self.contracts.append(m.data), qos.LATCHED)):
            self._watcher.create_subscription(kind, topic, take, profile)
        self._watcher.create_timer(0.01, self._say)

    def _obey(self, message: Float64MultiArray) -> None:
        self._at = tuple(message.data)
        self.commands.append(self._at)

    def _note(self, message: JointState) -> None:
        self.records.append(messages.from_scalars(RobotRecord, message))

    def _say(self) -> None:
        if self.speaks:
            message = JointState(name=["gripper", "j2", "j1"],
                                 position=[9.0, self._at[1], self._at[0]])
            message.header.stamp = self._watcher.get_clock().now().to_msg()
            self._joints.publish(message)

    def wait_for(self, phase: Phase, count: int = 1) -> None:
        """Wait for so many ticks of a phase from now on."""
        seen = len(self.records)
        self._watcher.wait(lambda: sum(record.phase is phase for record in self.records[seen:])
                           >= count, f"{count} ticks of {phase.word}")

    def release(self) -> Trigger.Response:
        """Ask for the end of a stop."""
        return self._watcher.call(Trigger, "release", Trigger.Request())


@contextmanager
def arm(folder: Path, *assignments: str) -> Iterator[tuple[LiveGraph, Arm]]:
    """A graph that drives an arm to its limits."""
    policy, config = folder / "far.onnx", folder / "arm.yaml"
    onnx.save(model(SPEC, 1, np.zeros((2, 2))), policy)
    config.write_text(CONFIG.format(policy=policy))
    with LiveGraph(folder, str(config), *assignments) as graph:
        yield graph, Arm(graph)


def assert_within_limits(commands: list[tuple[float, ...]]) -> None:
    """Of ticks one after another; NaN at those at which nothing was sent."""
    positions = np.array(commands)
    steps = np.diff(positions, axis=0) / PERIOD_S
    assert np.nanmax(np.abs(positions)) <= 1.0 + 1e-9
    assert np.nanmax(np.abs(steps)) <= FASTEST + 1e-9
    assert np.nanmax(np.abs(np.diff(steps, axis=0))) <= HARDEST * PERIOD_S + 1e-9


@pytest.mark.parametrize("composed", [False, True])
def test_it_holds_then_blends_into_what_the_policy_asks_for(tmp_path: Path, composed: bool) -> None:
    with arm(tmp_path, f"scenario.composed={str(composed).lower()}") as (graph, robot):
        robot.wait_for(Phase.ACTING, 30)
        graph.watcher.wait(lambda: robot.records[-1].sent == pytest.approx(FAR, abs=1e-6),
                           "it arrives")  # ticks that are made up for move nothing
        sent = [record.sent for record in robot.records]
    before = [record for record in robot.records if record.phase is Phase.HOLDING]
    assert before
    assert all(record.sent == pytest.approx(AT, abs=1e-9) for record in before)
    assert [record.tick for record in robot.records] == list(range(len(robot.records)))
    assert_within_limits(sent)
    assert set(robot.commands) <= set(sent)  # one may be lost, none is another
    assert sent[-1] == pytest.approx(FAR, abs=1e-6)
    assert "joint_states" in robot.contracts[0]
    steps = {step.tick: step for step in graph.watcher.steps}
    for record in robot.records[:-5]:
        if record.phase is Phase.ACTING and steps[record.tick].cause is Cause.POLICY:
            done = [(value - offset) / 0.5 for value, offset in zip(record.sent, FAR, strict=True)]
            assert steps[record.tick].action == pytest.approx(done, abs=1e-6)


def test_a_silent_sensor_stops_it_until_somebody_releases_it_even_over_a_restart(tmp_path: Path
                                                                                ) -> None:
    with arm(tmp_path) as (graph, robot):
        robot.wait_for(Phase.ACTING, 10)
        robot.speaks = False
        robot.wait_for(Phase.STOPPED, 20)
        assert robot.records[-1].stopped_by & StopCause.STALE
        before = [record.sent for record in robot.records]
        assert not robot.release().success  # it is silent still
        robot.speaks = True
        os.kill(graph.pid_of("robot"), signal.SIGKILL)
        graph.watcher.wait(lambda: graph.said("starts STOPPED"), "it remembers the stop")
        started = len(robot.records)
        robot.wait_for(Phase.STOPPED, 5)
        held = np.array([record.sent for record in robot.records[started:]])
        held = held[np.isfinite(held).all(axis=1)]  # a tick that is made up for sends nothing
        assert held.size
        assert np.ptp(held, axis=0).max() < 1e-9
        assert robot.release().success
        robot.wait_for(Phase.ACTING, 10)
    assert_within_limits(before)


def test_before_all_sources_have_spoken_nothing_is_sent(tmp_path: Path) -> None:
    with arm(tmp_path) as (graph, robot):
        robot.speaks = False
        graph.watcher.wait(lambda: graph.said("nothing is sent: source.joints: no message yet"),
                           "it says what it waits for")
        assert robot.commands == [] == graph.watcher.steps
        robot.speaks = True
        robot.wait_for(Phase.ACTING, 1)
    assert all(a[0] <= b[0] + 1e-9 for a, b in pairwise(robot.commands))


def test_a_contract_stays_as_it_is(tmp_path: Path) -> None:
    from rcl_interfaces.srv import SetParameters
    from rclpy.parameter import Parameter

    with arm(tmp_path) as (graph, robot):
        robot.wait_for(Phase.ACTING)
        change = Parameter("limits.j1.max_velocity", value=9.0).to_parameter_msg()
        answer = graph.watcher.call(SetParameters, "robot/set_parameters",
                                    SetParameters.Request(parameters=[change]))
        assert "a contract holds as long as its node runs" in answer.results[0].reason
