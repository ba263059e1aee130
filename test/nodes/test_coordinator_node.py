"""The coordinator node beside an inference node that somebody else tells what to do."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
import rclpy
from nodes.live_graph import PATIENCE_S, private_domain
from rclpy.node import Node
from rclpy.parameter import Parameter
from sensor_msgs.msg import JointState

from realtime_rl.core.enumerations import Miss
from realtime_rl.core.messages.ranges import MOST_GENERATION
from realtime_rl.core.messages.records import Command, Inference, ScheduleRecord, Timestep
from realtime_rl.core.settings.inference import InferenceParameters
from realtime_rl.core.types import Cause
from realtime_rl.nodes.coordinator import CoordinatorNode
from realtime_rl.ros import messages, qos
from realtime_rl.ros.executor import TickExecutor
from realtime_rl.ros.guard import Guarded
from realtime_rl.ros.heartbeat import Heartbeat
from realtime_rl.ros.parameters import NodeParameters

PERIOD_NS = 16_742_706
START_NS = 10**15


class Graph:
    """A coordinator, and what it needs of the others."""

    def __init__(self) -> None:
        self.coordinator = CoordinatorNode()
        self.inference = Node("inference_0")
        self.parameters = NodeParameters(self.inference, InferenceParameters)
        self.records = self.inference.create_publisher(JointState, "inference", qos.RECORD_KEPT)
        self.plant = Node("plant")
        self.steps = self.plant.create_publisher(JointState, "timestep", qos.RECORD_KEPT)
        self.executors = [TickExecutor(node)
                          for node in (self.coordinator, self.inference, self.plant)]

    def until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"never happened: {what}"
            for executor in self.executors:
                executor.spin_once(timeout_sec=0.005)

    def infer(self, tick: int, **changes: object) -> None:
        values = {"generation": self.parameters.current.schedule_generation, "worker": 0,
                  "duration_s": 0.01, **changes}
        record = Inference(
            START_NS + tick * PERIOD_NS, tick, tick + 1, version=1, age_s=0.0, compute_s=0.01,
            miss=Miss.NONE, swapping=False, swap_s=math.nan, node="inference_0", **values)
        self.records.publish(messages.to_scalars(record))

    def close(self) -> None:
        for executor in self.executors:
            executor.shutdown(timeout_sec=0.0)
        for node in (self.coordinator, self.inference, self.plant):
            node.destroy_node()


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Graph]:
    monkeypatch.setenv("ROS_DOMAIN_ID", private_domain())
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path))
    rclpy.init()
    made = Graph()
    yield made
    made.close()
    rclpy.try_shutdown()


def scheduled(graph: Graph) -> InferenceParameters:
    """Let the coordinator tell its first schedule; return what the inference node was told."""
    graph.until(lambda: graph.records.get_subscription_count() == 1
                and graph.steps.get_subscription_count() == 1, "the coordinator listens")
    graph.steps.publish(messages.to_scalars(Timestep.latching(
        Command(Cause.NONE, (0.0,)), stamp_ns=START_NS + 40 * PERIOD_NS, tick=40,
        period_ns=PERIOD_NS)))
    for tick in range(20, 40):
        graph.infer(tick)
    graph.until(lambda: graph.parameters.current.schedule_generation == 1, "a schedule is told")
    return graph.parameters.current


@pytest.mark.parametrize("foreign", [
    {"schedule_generation": MOST_GENERATION, "schedule_delay": 500},
    {"schedule_hold_ns": 3_600_000_000_000}, {"schedule_effective_tick": 2**53},
    {"schedule_algorithm": "exp_time", "schedule_dealing": "fixed"}])
def test_a_schedule_that_somebody_else_sets_is_written_over(
        graph: Graph, foreign: dict[str, object]) -> None:
    told = scheduled(graph)
    done = graph.inference.set_parameters_atomically(
        [Parameter(name, value=value) for name, value in foreign.items()])
    assert done.successful
    assert graph.parameters.current != told
    graph.until(lambda: graph.parameters.current == told, "the schedule is written again")


@pytest.mark.parametrize("foreign", [
    {"schedule_generation": 2**62}, {"schedule_hold_ns": 2**62}, {"schedule_delay": 2**62},
    {"schedule_cycle": 2**62}, {"schedule_effective_tick": 2**62}])
def test_a_schedule_that_would_wedge_the_coordinator_is_refused(
        graph: Graph, foreign: dict[str, int]) -> None:
    done = graph.inference.set_parameters_atomically(
        [Parameter(name, value=value) for name, value in foreign.items()])
    assert not done.successful


def test_false_records_are_refused_and_counted(graph: Graph) -> None:
    told = scheduled(graph)
    guard = next(one.callback for one in graph.coordinator.subscriptions
                 if one.topic_name == "/inference")
    assert isinstance(guard, Guarded)
    for tick in range(100):
        graph.infer(20 + tick % 20, worker=99, duration_s=10.0)
        graph.infer(10_000 + tick)
    graph.records.publish(JointState(name=["x"], position=[1.0]))
    # of so many at once not all are read
    graph.until(lambda: guard.refused + guard.unread == 201, "none of them is believed")
    assert guard.refused > 50
    assert graph.parameters.current == told


@pytest.mark.parametrize(("name", "value"), [
    ("algorithm", "exp_time"), ("dealing", "fixed"), ("slot_source", "timer")])
def test_what_the_coordinator_is_asked_for_is_told_at_once_and_announced(
        graph: Graph, name: str, value: str) -> None:
    told = scheduled(graph)
    announced: list[ScheduleRecord] = []
    graph.plant.create_subscription(JointState, "schedule", lambda message: announced.append(
        messages.from_scalars(ScheduleRecord, message)), qos.LATCHED)
    done, = graph.coordinator.set_parameters([Parameter(name, value=value)])
    assert done.successful, done.reason
    graph.until(lambda: getattr(graph.parameters.current, f"schedule_{name}") == value,
                "the inference node is told")
    graph.until(lambda: len(announced) > 0 and announced[-1].generation > told.schedule_generation,
                "it is announced")
    assert getattr(announced[-1], name).name.lower() == value


def test_of_the_coordinators_other_parameters_none_changes_while_it_runs(graph: Graph) -> None:
    done, = graph.coordinator.set_parameters([Parameter("handover", value=0.01)])
    assert not done.successful
    assert graph.coordinator.get_parameter("handover").value == 0.002


@pytest.mark.parametrize("dies", [True, False])
def test_who_leaves_is_not_called_dead(graph: Graph, dies: bool,
                                       capfd: pytest.CaptureFixture[str]) -> None:
    alive = Heartbeat(graph.inference, 0.15)
    alive.start(time.monotonic_ns())
    coordination = graph.coordinator._coordination
    seen: list[bool] = []
    on_process = coordination.on_process
    coordination.on_process = lambda name, alive: (seen.append(alive), on_process(name, alive))

    def beat() -> bool:
        alive.beat(time.monotonic_ns(), alive=not (dies and True in seen))
        return True in seen

    graph.until(beat, "it is seen to live")
    if not dies:
        alive.stop()
    graph.until(lambda: False in seen, "it is seen to be gone")
    said = capfd.readouterr().err
    assert ("inference_0 died or hangs" in said) is dies
    assert ("inference_0 was deactivated, or has ended" in said) is not dies
