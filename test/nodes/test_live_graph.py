"""The nodes together, as real processes on a private ROS domain: what a user relies on.

The plant is the counter, which costs nothing; no figure of time is asserted here.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
pytest.importorskip("torch", reason="the first policy is made with torch")

from live_graph import LiveGraph
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from sensor_msgs.msg import Joy
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger

from realtime_rl.core.enumerations import Fate, Reason
from realtime_rl.core.messages import joy_wire
from realtime_rl.core.messages.policy_uri import PolicyUri
from realtime_rl.core.messages.records import ActionMessage, Timestep
from realtime_rl.core.messages.topics import recorded
from realtime_rl.core.types import Cause
from realtime_rl.files import sha256_of
from realtime_rl.ros import messages

CONFIG = """
scenario: {ros__parameters: {workers: 3, processes: 1, learner: false}}
plant: {ros__parameters: {name: counter, options: ["observation=image", "period_ms=20"]}}
inference: {ros__parameters: {latency: "constant:30ms"}}
"""


@pytest.fixture(scope="module", params=["a process each", "composed"])
def graph(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
          ) -> Iterator[LiveGraph]:
    """Whoever shares a process: it is the same graph."""
    folder = tmp_path_factory.mktemp("live")
    config = folder / "counter.yaml"
    config.write_text(CONFIG)
    policy = export(folder / "start.onnx")
    with LiveGraph(folder, str(config), f"scenario.policy={policy}",
                   f"scenario.composed={str(request.param == 'composed').lower()}",
                   f"inference.policy_root={folder.parent}") as live:
        live.watcher.wait_for_steps(by_policy, 20, "policy actions are applied")
        yield live


def export(path: Path, *options: str) -> Path:
    from realtime_rl.cli.main import main

    assert main(["export", "--plant", "counter", "--plant-option", "observation=image",
                 "--network", "mlp", *options, str(path)]) == 0
    return path


def by_policy(step: Timestep) -> bool:
    return step.cause is Cause.POLICY


def test_every_applied_action_has_a_verdict_that_agrees_with_the_plant(graph: LiveGraph) -> None:
    watcher = graph.watcher
    watcher.wait(lambda: bool(watcher.verdicts), "the actuator is heard")
    steps = watcher.wait_for_steps(by_policy, 30, "policy actions are applied")
    last = steps[-1].tick
    watcher.wait(lambda: any(v.tick > last for v in watcher.verdicts), "verdicts follow")
    applied = {v.tick: v for v in watcher.verdicts if v.fate is Fate.APPLIED}
    for step in steps:
        verdict = applied[step.tick]
        assert (verdict.worker, verdict.observation_tick, verdict.version) == (
            step.worker, step.observation_tick, step.version)
        assert step.observation_tick < step.tick


def test_the_workers_are_scheduled_through_their_parameters(graph: LiveGraph) -> None:
    watcher = graph.watcher
    watcher.wait(lambda: bool(watcher.inferences) and watcher.inferences[-1].generation >= 1,
                 "the coordinator schedules")
    seen = len(watcher.inferences)
    watcher.wait(lambda: len(watcher.inferences) > seen + 30, "inferences go on")
    recent = watcher.inferences[seen:]
    assert {i.worker for i in recent if i.worker >= 0} == {0, 1, 2}
    assert all(i.emulated == "constant:30ms" for i in recent)
    scheduled = [i for i in recent if i.generation >= 1]
    assert scheduled
    newest = scheduled[-1].generation
    watcher.wait(lambda: newest in {s.generation for s in watcher.schedules}, "it is announced")
    delays = {s.generation: s.promised_delay_ticks for s in watcher.schedules}
    assert min(delays.values()) >= 2  # 30 ms at 20 ms a tick; more on a slow machine
    assert all(i.due_tick - i.tick == delays[i.generation] for i in scheduled)


@pytest.mark.parametrize(("change", "reason"), [
    ({"action": (99.0,)}, Reason.OUT_OF_RANGE),
    ({"tick": 10**6}, Reason.FUTURE),
    ({"stamp_ns": 12345}, Reason.STALE),
    ({"tick": 0}, Reason.STALE),
    ({"worker": 77}, Reason.UNKNOWN_WORKER),
])
def test_a_bad_action_is_rejected_by_kind(graph: LiveGraph, change: dict, reason: Reason) -> None:
    watcher = graph.watcher
    before = [v for v in watcher.verdicts if v.reason is reason]
    step = watcher.wait_for_steps(by_policy, 1, "the plant goes on")[-1]
    good = ActionMessage(step.stamp_ns, step.tick, -1, 2, 55, 0, (0.0,))
    space = graph.prepared.plant.actions
    watcher.action.publish(messages.to_joy(joy_wire.encode_action(replace(good, **change), space)))
    watcher.wait(lambda: len([v for v in watcher.verdicts if v.reason is reason]) > len(before),
                 f"the action is rejected as {reason.name}")
    rejected = [v for v in watcher.verdicts if v.reason is reason][-1]
    assert rejected.version == 55
    assert rejected.fate is Fate.REJECTED


def test_a_duplicate_and_malformed_ones_are_rejected(graph: LiveGraph) -> None:
    watcher = graph.watcher
    space = graph.prepared.plant.actions
    step = watcher.wait_for_steps(by_policy, 1, "the plant goes on")[-1]
    stamps = {earlier.tick: earlier.stamp_ns for earlier in watcher.steps}
    answered = step.observation_tick
    copy = ActionMessage(stamps[answered], answered, -1, 2, 0, 0, (0.0,))
    watcher.action.publish(messages.to_joy(joy_wire.encode_action(copy, space)))
    for message in (Joy(buttons=[1]), Joy(axes=[float("nan")]), Joy()):
        watcher.action.publish(message)
    for reason, count in ((Reason.DUPLICATE, 1), (Reason.MALFORMED, 3)):
        watcher.wait(lambda reason=reason, count=count: sum(
            v.reason is reason for v in watcher.verdicts) >= count, f"rejected as {reason.name}")
    watcher.wait(lambda: graph.said("action rejected, malformed"), "what is wrong is said")
    assert not graph.said("action rejected, duplicate")  # it is of staggering, not wrong
    watcher.wait_for_steps(by_policy, 5, "the policy goes on")


def test_nobodys_actions_leave_the_verdicts_to_the_graphs_own(graph: LiveGraph) -> None:
    watcher = graph.watcher
    step = watcher.wait_for_steps(by_policy, 1, "the plant goes on")[-1]
    strange = messages.to_joy(joy_wire.encode_action(
        ActionMessage(step.stamp_ns, step.tick, -1, 77, 55, 0, (0.0,)),
        graph.prepared.plant.actions))
    first = len(watcher.steps)
    for _ in range(10):
        for message in (strange, Joy()) * 10:
            watcher.action.publish(message)
        watcher.wait_for_steps(by_policy, 5, "the policy acts beside them")
    fates = Counter(v.reason for v in watcher.verdicts[-200:] if v.fate is Fate.REJECTED)
    seconds = (len(watcher.steps) - first) * graph.prepared.plant.period_ns / 1e9
    assert 0 < fates[Reason.UNKNOWN_WORKER] + fates[Reason.MALFORMED] <= 10 * seconds + 20


def test_a_bad_policy_changes_nothing_and_is_said_in_one_line(graph: LiveGraph,
                                                              tmp_path: Path) -> None:
    watcher = graph.watcher
    torn = tmp_path / "torn.onnx"
    torn.write_bytes(export(tmp_path / "whole.onnx").read_bytes()[:100])
    other = tmp_path / "other.onnx"
    from realtime_rl.cli.main import main
    assert main(["export", "--plant", "counter", "--plant-option", "observation=image",
                 "--plant-option", "actions=5", "--network", "mlp", str(other)]) == 0
    uris = {str(PolicyUri(torn, sha256_of(torn))): "cannot be loaded",
            str(PolicyUri(other, sha256_of(other))): "actions",
            f"file://{tmp_path}/absent.onnx#sha256={'0' * 64}": "cannot read it",
            f"file://{tmp_path}/whole.onnx#sha256={'0' * 64}": "SHA-256",
            f"file://{tmp_path}/whole.onnx": "has no hash",
            f"file:///dev/zero#sha256={'0' * 64}": "from where policies are taken",
            "https://example.org/policy.onnx": "scheme"}
    for uri, reason in uris.items():
        watcher.policy.publish(String(data=uri))
        watcher.wait(lambda reason=reason: graph.said(reason), f"'{reason}' is said")
    watcher.wait_for_steps(by_policy, 5, "the old policy goes on")
    refusals = [line for line in graph.output if "policy refused" in line]
    assert len(refusals) == len(uris)
    assert all("version 0 stays" in line for line in refusals)
    assert not any("Traceback" in line for line in graph.output)


def test_a_good_policy_is_swapped_in_and_acts(graph: LiveGraph, tmp_path: Path) -> None:
    from realtime_rl.core.messages.policy_metadata import PolicyMetadata
    from realtime_rl.learning import networks, onnx_export

    plant = graph.prepared.plant
    metadata = PolicyMetadata("observation", plant.observation, 4, plant.actions, 5, 0, 0.0,
                              "test", "q_values")
    network = networks.build("mlp", plant.observation, 4, plant.actions, 1)
    uri = onnx_export.export(network, metadata, tmp_path / "five.onnx")
    graph.watcher.policy.publish(String(data=str(uri)))
    graph.watcher.wait_for_steps(lambda s: by_policy(s) and s.version == 5, 5, "version 5 acts")
    first = [i for i in graph.watcher.inferences if i.swap_s == i.swap_s and i.version == 5]
    assert len(first) == 1


def test_an_illegal_parameter_is_refused_and_changes_nothing(graph: LiveGraph) -> None:
    request = SetParameters.Request(parameters=[
        Parameter(name="schedule_delay", value=ParameterValue(
            type=ParameterType.PARAMETER_INTEGER, integer_value=0)),
        Parameter(name="workers", value=ParameterValue(
            type=ParameterType.PARAMETER_INTEGER, integer_value=2)),
        Parameter(name="schedule_algorithm", value=ParameterValue(
            type=ParameterType.PARAMETER_STRING, string_value="magic"))])
    answer = graph.watcher.call(SetParameters, "inference_0/set_parameters", request)
    assert [result.successful for result in answer.results] == [False] * 3
    assert "'magic' is not one of" in answer.results[2].reason
    graph.watcher.wait_for_steps(by_policy, 5, "the policy goes on")


def test_what_a_late_recorder_is_given_is_as_the_table_of_topics_says(graph: LiveGraph) -> None:
    """`ros2 bag record` is told by it what to ask for, and would hear nothing of less."""
    kept = {}
    for topic in filter(lambda topic: topic.ours, recorded(observations=True)):
        for offered in graph.watcher.get_publishers_info_by_topic(f"/{topic.name}"):
            if offered.node_name in (topic.publisher, "inference_0"):
                kept[topic.name] = (offered.qos_profile.reliability.name,
                                    offered.qos_profile.durability.name)
    assert {"timestep", "verdict", "inference", "schedule", "action", "command"} <= kept.keys()
    assert kept == {topic.name: ("RELIABLE", "TRANSIENT_LOCAL" if topic.kept else "VOLATILE")
                    for topic in recorded(observations=True) if topic.name in kept}


def test_stop_holds_the_safe_command_until_released(graph: LiveGraph) -> None:
    watcher = graph.watcher
    assert watcher.call(SetBool, "stop", SetBool.Request(data=True)).success
    stopped = watcher.wait_for_steps(lambda s: s.cause is Cause.STOP, 10, "the stop acts")
    assert {step.action for step in stopped} == {graph.prepared.plant.actions.noop}
    seen = len(watcher.steps)
    watcher.wait(lambda: len(watcher.steps) > seen + 10, "the plant goes on")
    held = watcher.steps[seen + 2:]  # a tick may start before its command on a slow machine
    causes = Counter(step.cause for step in held)
    assert set(causes) <= {Cause.STOP, Cause.NONE}
    assert causes[Cause.STOP] > causes[Cause.NONE]
    assert {step.action for step in held} == {graph.prepared.plant.actions.noop}
    assert watcher.call(SetBool, "stop", SetBool.Request(data=False)).success
    watcher.wait_for_steps(by_policy, 5, "the policy acts again")


def test_a_stop_outlives_the_actuator_that_holds_it(graph: LiveGraph) -> None:
    watcher = graph.watcher
    assert watcher.call(SetBool, "stop", SetBool.Request(data=True)).success
    watcher.wait_for_steps(lambda s: s.cause is Cause.STOP, 5, "the stop acts")
    killed = len(watcher.steps)
    os.kill(graph.pid_of("actuator"), signal.SIGKILL)

    def stopped_again() -> bool:
        # the plant lives and has no command for a while; of one process with it, it begins anew,
        # and whoever watches may hear of that later than of its first tick, the one without one
        gone = next((place for place, (before, step) in enumerate(
            pairwise(watcher.steps[killed - 1:]), killed)
            if step.cause is Cause.NONE or step.tick < before.tick), len(watcher.steps))
        return graph.said("starts STOPPED") and sum(
            step.cause is Cause.STOP for step in watcher.steps[gone:]) > 10
    watcher.wait(stopped_again, "it is stopped again")
    causes = {step.cause for step in watcher.steps[killed:]}
    assert Cause.STOP in causes <= {Cause.NONE, Cause.STOP}
    assert Cause.NONE in causes or graph.prepared.scenario.composed
    assert watcher.call(SetBool, "stop", SetBool.Request(data=False)).success
    watcher.wait_for_steps(by_policy, 5, "the policy acts again")


def test_a_person_takes_over_with_a_gamepad_and_gives_back(graph: LiveGraph) -> None:
    watcher = graph.watcher
    watcher.operator.publish(Joy(buttons=[0, 0, 1]))
    acted = watcher.wait_for_steps(lambda s: s.cause is Cause.OPERATOR, 10, "the person acts")
    assert {step.action for step in acted} == {(2.0,)}
    watcher.wait_for_steps(by_policy, 5, "the policy acts again")


def test_reset_starts_an_episode(graph: LiveGraph) -> None:
    episode = graph.watcher.steps[-1].episode
    assert graph.watcher.call(Trigger, "reset", Trigger.Request()).success
    graph.watcher.wait(lambda: graph.watcher.steps[-1].episode > episode, "an episode starts")


def test_killed_inference_leaves_the_plant_alone_and_comes_back(graph: LiveGraph) -> None:
    watcher = graph.watcher
    first = len(watcher.steps)
    os.kill(graph.pid_of("inference_0"), signal.SIGKILL)
    if graph.prepared.scenario.composed:  # nobody of its process is left alone
        watcher.wait(lambda: not graph.said("\n") and
                     watcher.steps[-1].tick < watcher.steps[first - 1].tick, "it is started again")
        watcher.wait_for_steps(by_policy, 5, "policy actions come back")
        return
    defaulted = watcher.wait_for_steps(lambda s: s.cause is Cause.DEFAULT, 10, "the default acts")
    assert {step.action for step in defaulted} == {graph.prepared.plant.actions.noop}
    seen = len(watcher.steps)
    watcher.wait(lambda: not graph.said("\n") and any(map(by_policy, watcher.steps[seen:])),
                 "policy actions come back")
    ticks = [step.tick for step in watcher.steps[first:]]
    assert ticks == list(range(ticks[0], ticks[0] + len(ticks)))
