"""A configuration as the parameters of a real ROS node."""

from __future__ import annotations

import array
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.settings.config import parameter, parameters, values_of

pytest.importorskip("rclpy", reason="rclpy is not installed")
import in_process
import rclpy
from core.robot.contracts import changed
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter, parameter_value_to_python
from rclpy.parameter_client import AsyncParameterClient
from rclpy.task import Future

from realtime_rl.core.settings.inference import InferenceParameters
from realtime_rl.core.settings.parameters import LearnerParameters, PlantParameters
from realtime_rl.nodes.robot import RobotNode
from realtime_rl.ros.graph import NodeSpec, parameter_file
from realtime_rl.ros.parameters import NodeParameters
from realtime_rl.ros.scenario_file import read_settings
from realtime_rl.ros.scenario_settings import SECTIONS, section_of

MakeNode = Callable[..., Node]


@dataclass(frozen=True)
class Robot:
    """One parameter of each type, some of them live."""

    name: str = parameter("y", "a name that YAML may take for something else")
    wheels: int = parameter(4, "how many wheels", low=1, high=8)
    brake: bool = parameter(True, "whether it brakes", live=True)
    speed: float = parameter(0.5, "how fast", unit="m/s", low=0.0, high=2.0, live=True)
    gear: int = parameter(1, "which gear", low=0, live=True)
    mode: str = parameter("slow", "how it drives", choices=("slow", "fast"), live=True)
    tags: tuple[str, ...] = parameter((), "what it is", live=True)
    ids: tuple[int, ...] = parameter((1, 2), "its ids", live=True)

    def __post_init__(self) -> None:
        """Refuse a combination."""
        if self.mode == "fast" and self.gear == 0:
            raise ConfigError(f"gear: {self.gear!r} is neutral, mode is 'fast'")


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rclpy.Context]:
    """A domain of our own, that nobody else on the network hears of."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        patch.setenv("ROS_LOG_DIR", str(tmp_path_factory.mktemp("log")))
        made = rclpy.Context()
        rclpy.init(context=made, domain_id=1 + os.getpid() % 100)
        yield made
        rclpy.shutdown(context=made)


@pytest.fixture
def make_node(context: rclpy.Context, tmp_path: Path) -> Iterator[MakeNode]:
    """Make nodes that are given parameters by file, as a launched node is."""
    nodes = []

    def make(**given: object) -> Node:
        path = tmp_path / "parameters.yaml"
        path.write_text(parameter_file(NodeSpec("", "", "", given, False)), encoding="utf-8")
        arguments = ["--ros-args", "--params-file", str(path)] if given else []
        nodes.append(rclpy.create_node("robot", context=context, cli_args=arguments))
        return nodes[-1]

    yield make
    for node in nodes:
        node.destroy_node()


def test_defaults_hold_where_nothing_is_given(make_node: MakeNode) -> None:
    assert NodeParameters(make_node(), Robot).current == Robot()


def test_given_values_hold(make_node: MakeNode) -> None:
    robot = Robot("1e3", 3, False, 1e-05, 2, "fast", ("N", "1.5"), (7,))
    assert NodeParameters(make_node(**values_of(robot)), Robot).current == robot


def test_a_path_may_begin_at_home(make_node: MakeNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in `-p policy:=~/mine.onnx`, which a shell leaves as it is."""
    monkeypatch.setenv("HOME", "/home/me")
    node = make_node(policy="~/mine.onnx", latency="~")
    found = NodeParameters(node, InferenceParameters).current
    assert (found.policy, found.latency) == ("/home/me/mine.onnx", "~")


@pytest.mark.parametrize("section", SECTIONS)
def test_every_nodes_own_parameters_can_be_declared(make_node: MakeNode, section: str) -> None:
    config = SECTIONS[section]
    node = make_node(**values_of(config()))
    assert NodeParameters(node, config).current == config()
    assert all(node.has_parameter(name) for name in parameters(config))


@pytest.mark.parametrize(("given", "meant"), [
    (False, "off"), (0.25, "0.25"), (1, "1"), ("learner", "learner")])
def test_a_plain_text_is_meant_as_it_was_written(make_node: MakeNode, given: object, meant: str
                                                 ) -> None:
    """`exploration: off` in a parameter file is false to rcl."""
    node = make_node(exploration=given)
    assert NodeParameters(node, InferenceParameters).current.exploration == meant


PATTERNS = ("plant", "/plant", "/robot1/plant", "robot1/plant", "/robot2/plant", "/*", "/**",
            "/*/plant", "/**/plant", "/robot1/*", "/robot1/**", "/*/*", "/*/*/plant", "/**/*")


@pytest.mark.parametrize("first", PATTERNS)
def test_a_file_says_of_a_node_what_it_says_to_ros(context: rclpy.Context, tmp_path: Path,
                                                   first: str) -> None:
    """But for a name without a namespace, which is of this graph's node wherever it is."""
    for second in (None, "/**", "/robot1/plant"):
        path = tmp_path / "parameters.yaml"
        path.write_text(yaml.dump({name: {"ros__parameters": {"seed": seed}} for name, seed in (
            (first, 1), (second, 2)) if name}, sort_keys=False), encoding="utf-8")
        inside = "" if first in ("plant", "/plant") else "robot1"
        node = rclpy.create_node("plant", context=context, namespace=inside,
                                 cli_args=["--ros-args", "--params-file", str(path)])
        found = read_settings(path, [f"scenario.namespace={inside}"])
        assert (section_of(found.settings, "plant").seed
                == NodeParameters(node, PlantParameters).current.seed)
        node.destroy_node()


@pytest.mark.parametrize(("given", "message"), [
    ({"wheels": 9}, "wheels: .*9"), ({"wheels": 2.0}, "wheels: .*DOUBLE.*INTEGER"),
    ({"speed": 3.0}, "speed: .*3"), ({"speed": 1}, "speed: .*INTEGER.*DOUBLE"),
    ({"mode": "quick"}, "mode: 'quick' is not one of 'fast', 'slow'"),
    ({"mode": "fast", "gear": 0}, "gear: 0 is neutral, mode is 'fast'")])
def test_a_value_that_is_not_allowed_stops_the_node(make_node: MakeNode, given: dict[str, object],
                                                    message: str) -> None:
    node = make_node(**given)
    with pytest.raises(ConfigError, match=message):
        NodeParameters(node, Robot)


def test_parameters_are_described(make_node: MakeNode) -> None:
    node = make_node()
    NodeParameters(node, Robot)
    speed, gear, mode = (node.describe_parameter(name) for name in ("speed", "gear", "mode"))
    assert speed.description == "how fast [m/s]"
    assert (speed.floating_point_range[0].from_value,
            speed.floating_point_range[0].to_value) == (0.0, 2.0)
    assert not gear.integer_range  # ROS has none that is open at one end
    assert gear.additional_constraints == "≥ 0"
    assert mode.additional_constraints == "slow, fast"


class Watched:
    """A node's parameters, and what was told of their changes."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.told: list[Robot] = []
        self.parameters = NodeParameters(node, Robot, self.told.append)

    def node_values(self) -> dict[str, object]:
        return {name: self.node.get_parameter_or(name).value for name in parameters(Robot)}

    def set(self, **values: object) -> list[tuple[bool, str]]:
        results = self.node.set_parameters([Parameter(n, value=v) for n, v in values.items()])
        return [(result.successful, result.reason) for result in results]

    def set_atomically(self, **values: object) -> tuple[bool, str]:
        result = self.node.set_parameters_atomically(
            [Parameter(name, value=value) for name, value in values.items()])
        return result.successful, result.reason


@pytest.mark.parametrize(("name", "value", "reason"), [
    ("speed", 2.5, "speed"), ("speed", float("nan"), "speed"), ("speed", 1, "Wrong parameter type"),
    ("gear", -1, "gear"), ("gear", "1", "Wrong parameter type"),
    ("mode", "quick", "mode: 'quick' is not one of 'fast', 'slow'"),
    ("wheels", 3, "read-only parameter: wheels"), ("name", "x", "read-only parameter: name")])
def test_what_is_not_allowed_is_refused_with_a_reason_and_changes_nothing(
        make_node: MakeNode, name: str, value: object, reason: str) -> None:
    watched = Watched(make_node())
    before = watched.node_values()
    [(successful, said)] = watched.set(**{name: value})
    assert not successful
    assert re.search(reason, said)
    assert watched.parameters.current == Robot()
    assert watched.told == []
    assert watched.node_values() == before


@pytest.mark.parametrize("name", parameters(Robot))
def test_a_parameter_cannot_be_taken_away(make_node: MakeNode, name: str) -> None:
    watched = Watched(make_node())
    [result] = watched.node.set_parameters([Parameter(name, Parameter.Type.NOT_SET)])
    assert not result.successful
    assert result.reason
    assert watched.parameters.current == Robot()


@pytest.mark.parametrize(("name", "value", "taken"), [
    ("brake", False, False), ("speed", 2.0, 2.0), ("gear", 5, 5), ("mode", "fast", "fast"),
    ("tags", ["a", "b"], ("a", "b")), ("ids", [3], (3,))])
def test_a_live_parameter_is_followed(make_node: MakeNode, name: str, value: object,
                                      taken: object) -> None:
    watched = Watched(make_node())
    assert watched.set(**{name: value}) == [(True, "")]
    assert getattr(watched.parameters.current, name) == taken
    assert watched.told == [watched.parameters.current]


def test_an_atomic_set_is_applied_once_and_whole(make_node: MakeNode) -> None:
    watched = Watched(make_node())
    assert watched.set_atomically(gear=3, speed=1.5, ids=[4, 5], mode="fast")[0]
    expected = Robot(gear=3, speed=1.5, ids=(4, 5), mode="fast")
    assert watched.parameters.current == expected
    assert watched.told == [expected]


def test_an_atomic_set_is_refused_whole(make_node: MakeNode) -> None:
    watched = Watched(make_node())
    successful, reason = watched.set_atomically(speed=1.5, mode="fast", gear=0)
    assert (successful, reason) == (False, "gear: 0 is neutral, mode is 'fast'")
    assert watched.parameters.current == Robot()
    assert watched.node.get_parameter("speed").value == 0.5
    assert watched.told == []


def test_one_after_the_other_what_would_not_fit_together_is_refused(make_node: MakeNode) -> None:
    watched = Watched(make_node())
    assert watched.set(gear=0, mode="fast") == [
        (True, ""), (False, "gear: 0 is neutral, mode is 'fast'")]
    assert watched.parameters.current == Robot(gear=0)


def test_parameters_of_ros_itself_are_left_alone(make_node: MakeNode) -> None:
    watched = Watched(make_node())
    assert watched.set(use_sim_time=True) == [(True, "")]
    assert watched.parameters.current == Robot()


@pytest.fixture
def client(context: rclpy.Context) -> Iterator[Callable[[Node], Client]]:
    """Make another node's client for the parameters of one."""
    other = rclpy.create_node("other", context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(other)

    def make(node: Node) -> Client:
        executor.add_node(node)
        asked = AsyncParameterClient(other, node.get_name())
        assert asked.wait_for_services(20.0)
        return Client(asked, executor)

    yield make
    executor.shutdown()
    other.destroy_node()


@dataclass(frozen=True)
class Client:
    asked: AsyncParameterClient
    executor: SingleThreadedExecutor

    def answer(self, future: Future) -> Any:
        self.executor.spin_until_future_complete(future, 20.0)
        return future.result()

    def dump_and_load(self, path: Path) -> dict[str, Any]:
        """Write a node's parameters into a file, and give them to it; return them."""
        names = self.answer(self.asked.list_parameters()).result.names
        values = self.answer(self.asked.get_parameters(names)).values
        dumped = {name: list(value) if isinstance(value, array.array) else value
                  for name, value in zip(names, map(parameter_value_to_python, values),
                                         strict=True)}
        path.write_text(yaml.dump({"/robot": {"ros__parameters": dumped}}), encoding="utf-8")
        answer = self.answer(self.asked.load_parameter_file(str(path), use_wildcard=True))
        assert [each.reason for each in answer.results if not each.successful] == []
        return dumped


def test_another_node_sets_all_at_once(make_node: MakeNode, client: Callable[[Node], Client]
                                       ) -> None:
    """As the coordinator does, through the service."""
    node = make_node()
    watched = Watched(node)
    other = client(node)
    answer = other.answer(other.asked.set_parameters_atomically(
        [Parameter("gear", value=2), Parameter("ids", value=[9, 8])]))
    assert answer.result.successful
    assert watched.told == [Robot(gear=2, ids=(9, 8))]


AWKWARD = {
    "inference": InferenceParameters(policy="1", policy_root="[1, 2]", exploration="0.1",
                                     timer_phase=1e-05),
    "plant": PlantParameters(options=("rom=it's", "1"), gamepad_layout="A=0"),
    "learner": LearnerParameters(learning_rate=5e-05)}


@pytest.mark.parametrize("section", SECTIONS)
def test_what_ros_dumps_of_a_node_it_can_load_into_it(
        make_node: MakeNode, client: Callable[[Node], Client], tmp_path: Path, section: str
) -> None:
    """As `ros2 param dump` and `ros2 param load` do."""
    config = AWKWARD.get(section, SECTIONS[section]())
    node = make_node(**values_of(config))
    made = NodeParameters(node, SECTIONS[section])
    dumped = client(node).dump_and_load(tmp_path / "dump.yaml")
    assert len(dumped) > len(parameters(SECTIONS[section]))
    assert made.current == config


def test_what_ros_dumps_of_a_robot_it_can_load_into_it(tmp_path: Path) -> None:
    path = tmp_path / "robot.yaml"
    path.write_text(yaml.dump({"/robot": {"ros__parameters": changed()}}), encoding="utf-8")
    with in_process.ros("--params-file", str(path)) as make:
        node, executor = RobotNode(), SingleThreadedExecutor()
        other = make("other")
        executor.add_node(other)
        executor.add_node(node)
        asked = AsyncParameterClient(other, "robot")
        assert asked.wait_for_services(20.0)
        dumped = Client(asked, executor).dump_and_load(tmp_path / "dump.yaml")
        executor.shutdown()
        node.destroy_node()
    assert dumped["limits.j1.max_velocity"] == 1.5


def test_what_cannot_be_changed_is_refused_beside_what_can(make_node: MakeNode) -> None:
    watched = Watched(make_node())
    assert watched.set_atomically(wheels=4, name="y", gear=3) == (True, "")
    assert watched.told == [Robot(gear=3)]
    successful, reason = watched.set_atomically(wheels=5, name="y", gear=2)
    assert not successful
    assert "read-only parameter: wheels" in reason
    assert watched.set_atomically(wheels=4) == (True, "")
    assert watched.told == [Robot(gear=3)]


@pytest.mark.parametrize("text", ["a: `b", "2026-13-45", "[[", "{a: 1}", "!!python/object:x {}"])
def test_a_text_that_yaml_cannot_read_harms_nobody(make_node: MakeNode, text: str) -> None:
    watched = Watched(make_node(name=text))
    assert not watched.set_atomically(name=3)[0]
    assert watched.set_atomically(name=text) == (True, "")


def test_what_can_be_changed_live_is_told(make_node: MakeNode) -> None:
    node = make_node()
    NodeParameters(node, Robot)
    assert {name: node.describe_parameter(name).read_only for name in parameters(Robot)} == {
        item.name: not item.live for item in parameters(Robot).values()}
