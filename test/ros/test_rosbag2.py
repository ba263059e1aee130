"""What `ros2 bag record` is told; the real one comes with a ROS 2 installation only."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from realtime_rl.core.messages.topics import TOPICS
from realtime_rl.core.settings.config import values_of
from realtime_rl.core.settings.parameters import RecorderParameters
from realtime_rl.ros.graph import NodeSpec
from realtime_rl.ros.rosbag2 import record_command


def command(folder: Path, namespace: str, *, observations: bool = True,
            parts: tuple[str, ...] = (), robot: tuple[str, ...] = ()
            ) -> tuple[dict[str, str], list[str], dict[str, dict[str, object]]]:
    """Its options, topics and QoS profiles."""
    parameters = values_of(RecorderParameters("runs/bag", observations, parts, robot))
    words = record_command(NodeSpec("recorder", "recorder", namespace, parameters, False), folder)
    assert words[:3] == ["ros2", "bag", "record"]
    at = words.index("--topics")
    options = dict(zip(words[3:at:2], words[4:at:2], strict=True))
    profiles = yaml.safe_load(Path(options["--qos-profile-overrides-path"]).read_text())
    return options, words[at + 1:], profiles


@pytest.mark.parametrize(("namespace", "prefix", "node"), [
    ("", "/", "recorder"), ("robot1", "/robot1/", "robot1_recorder"),
    ("lab/robot1", "/lab/robot1/", "lab_robot1_recorder")])
def test_only_the_graphs_own_topics_are_recorded(tmp_path: Path, namespace: str, prefix: str,
                                                 node: str) -> None:
    options, topics, profiles = command(tmp_path, namespace)
    assert topics == [prefix + topic.name for topic in TOPICS
                      if topic.name not in ("/diagnostics", "robot", "contract")]
    # whatever others offer, who drive or say a goal
    assert set(profiles) == set(topics) - {f"{prefix}operator", f"{prefix}goal"}
    assert (options["--node-name"], options["--output"]) == (node, "runs/bag")


def test_observations_may_be_left_out(tmp_path: Path) -> None:
    _, topics, profiles = command(tmp_path, "", observations=False)
    assert "/timestep" in topics
    assert "/observation" not in {*topics, *profiles}


def test_each_part_of_an_observation_has_a_topic(tmp_path: Path) -> None:
    _, topics, profiles = command(tmp_path, "r", parts=("front", "arm"))
    assert topics[:3] == ["/r/observation/front", "/r/observation/arm", "/r/timestep"]
    assert {"/r/observation/front", "/r/observation/arm"} <= profiles.keys()
    _, topics, _ = command(tmp_path, "r", observations=False, parts=("front", "arm"))
    assert topics[0] == "/r/timestep"


def test_a_recorder_that_comes_late_asks_for_all_that_is_kept(tmp_path: Path) -> None:
    """rosbag2 would ask for ten of them only."""
    _, _, profiles = command(tmp_path, "")
    for name in ("timestep", "verdict", "inference", "schedule", "policy"):
        assert profiles[f"/{name}"] == {
            "history": "keep_last", "depth": 2000, "reliability": "reliable",
            "durability": "transient_local"}
    assert profiles["/observation"]["durability"] == "volatile"


def test_a_robots_own_topics_are_recorded_whatever_their_qos(tmp_path: Path) -> None:
    _, topics, profiles = command(tmp_path, "robot1", robot=(
        "/tf=tf2_msgs/msg/TFMessage", "joint_states=sensor_msgs/msg/JointState"))
    assert topics[-2:] == ["/tf", "/robot1/joint_states"]
    assert {"/robot1/robot", "/robot1/contract"} <= set(topics) & set(profiles)
    assert not {"/tf", "/robot1/joint_states"} & set(profiles)
