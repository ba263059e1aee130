"""A second graph of one name is found before it starts, and told of while it runs."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
from in_process import ros, wait
from sensor_msgs.msg import JointState

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.observations import ObservationSpec
from realtime_rl.core.settings.parameters import Scenario
from realtime_rl.core.types import ActionSpace, PlantSpec
from realtime_rl.ros import graph, presence, qos
from realtime_rl.ros.scenario_settings import override, section_of
from realtime_rl.runner.last_checks import refuse_second
from realtime_rl.runner.prepare import Prepared

PLANT = PlantSpec("toy", 20_000_000, ObservationSpec((4,), "float32", -1.0, 1.0),
                  ActionSpace(("v",), (0.0,), (-0.1,), (0.1,)))


def prepared(*words: str) -> Prepared:
    settings = override({}, words)
    scenario: Scenario = section_of(settings, "scenario")
    return Prepared(scenario, PLANT, graph.nodes(settings, PLANT, "file:///p.onnx", "/run"),
                    Path("/run"))


def test_what_only_one_graph_may_publish() -> None:
    assert graph.own_topics(prepared("scenario.processes=2").nodes) == [
        "/inference_0/alive", "/inference_1/alive", "/command", "/schedule", "/timestep"]
    assert graph.own_topics(prepared("scenario.namespace=/robot1/",
                                     "scenario.nodes=plant,monitor").nodes) == ["/robot1/timestep"]


def test_a_second_graph_of_one_name_is_refused_unless_it_is_asked_for() -> None:
    with ros() as make:
        other = make("plant")
        other.create_publisher(JointState, "timestep", qos.RECORD_KEPT)
        with pytest.raises(ConfigError, match=(
                r"another graph is running: '/plant' publishes '/timestep' in ROS domain \d+; end "
                r"it, or take another scenario\.namespace or ROS_DOMAIN_ID; scenario\.allow_second="
                r"true starts beside it")):
            refuse_second(prepared())
        for words in (["scenario.allow_second=true"], ["scenario.namespace=robot2"],
                      ["scenario.nodes=inference,coordinator"]):
            refuse_second(prepared(*words))


@pytest.mark.parametrize("allowed", [False, True])
@pytest.mark.parametrize("age_s", [1.0, 60.0])
def test_another_publisher_ends_who_came_later_and_is_told_by_who_was_first(
        allowed: bool, age_s: float, capfd: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    with ros() as make:
        node, other = make("plant"), make("stranger")
        node.create_publisher(JointState, "timestep", qos.RECORD_KEPT)
        monkeypatch.setattr(presence, "time", SimpleNamespace(monotonic=lambda: now[0]))
        only = presence.OnlyPublisher(node, "timestep", allowed=allowed)
        only._look()
        only.check()
        other.create_publisher(JointState, "timestep", qos.RECORD_KEPT)
        wait(node, lambda: node.count_publishers("timestep") == 2)
        now[0] = age_s
        if age_s < 5.0 and not allowed:
            with pytest.raises(ConfigError, match=r"node publishes '/timestep' .*'/stranger'"):
                only._look()
            return
        only._look()
        said = capfd.readouterr().err
        assert said.count("more than one node publishes '/timestep'") == 1
        assert "[ERROR]" in said and "/stranger" in said
        if allowed:
            only.check()
        else:
            with pytest.raises(ConfigError, match="another node published '/timestep' meanwhile"):
                only.check()
