"""Names that ROS 2 would refuse are refused before anything starts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.messages import names
from realtime_rl.core.settings.config import build
from realtime_rl.core.settings.coordinator import CoordinatorParameters
from realtime_rl.core.settings.parameters import Scenario

BAD = ["robot-1", "1robot", "~", "~/a", "a b", "röbot", "a//b", "a/1", "a.b", "{node}", "//a",
       "a\n", "_\u0664", "a" * 201]


@pytest.mark.parametrize("text", BAD)
def test_a_namespace_that_ros_refuses_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build(Scenario, {"namespace": text})
    line = str(caught.value)
    assert line.startswith(f"namespace: {text[:40]!r}") and "\n" not in line


@pytest.mark.parametrize("text", ["", "/", "robot1", "/robot1", "robot1/", "fleet/robot_1", "_a",
                                  "a__b", "a" * 200])
def test_a_namespace_that_ros_takes_is_taken(text: str) -> None:
    assert build(Scenario, {"namespace": text}).namespace == text


@given(st.text("aZ_09/-~ ü.\n", max_size=12) | st.text(max_size=8))
def test_the_rules_are_those_of_rclpy(text: str) -> None:
    pytest.importorskip("rclpy", reason="rclpy is not installed")
    from rclpy.exceptions import InvalidNamespaceException, InvalidNodeNameException
    from rclpy.validate_full_topic_name import validate_full_topic_name
    from rclpy.validate_namespace import validate_namespace
    from rclpy.validate_node_name import validate_node_name

    def refused(check: object, name: str, error: type[Exception]) -> bool:
        try:
            check(name)  # type: ignore[operator]
        except (error, UnicodeEncodeError, ValueError):
            return True
        return False

    inner = names.clean(text)
    theirs = refused(validate_namespace, f"/{inner}", InvalidNamespaceException)
    ours = names.namespace_problem(text) is not None
    assert ours == theirs or "\0" in text  # to C that ends the name
    if not ours and inner:
        assert validate_full_topic_name(f"/{inner}/inference_255/set_parameters_atomically")
    assert (names.node_problem(text) is not None) == refused(
        validate_node_name, text, InvalidNodeNameException) or "\0" in text


def test_the_longest_namespace_leaves_room_for_our_longest_service() -> None:
    validate = pytest.importorskip("rclpy.validate_full_topic_name").validate_full_topic_name
    assert validate(f"/{'a' * 200}/inference_255/set_parameters_atomically")


def test_an_inference_node_has_a_nodes_name() -> None:
    with pytest.raises(ConfigError, match="inference_nodes: 'inference-0' is no node name"):
        build(CoordinatorParameters, {"inference_nodes": ["inference_1", "inference-0"]})


@pytest.mark.parametrize("text", ["", "/base", "a b", "a\n", "x" * 256, "a\0"])
def test_what_is_no_frame(text: str) -> None:
    assert "is no frame" in str(names.frame_problem(text))


@pytest.mark.parametrize("text", ["base_link", "robot1/base_link", "base-link", "Fuß"])
def test_what_is_a_frame(text: str) -> None:
    assert names.frame_problem(text) is None


@pytest.mark.parametrize(("outer", "inner", "whole"), [
    ("", "", ""), ("", "robot1", "robot1"), ("/fleet", "", "fleet"), ("/", "robot1/", "robot1"),
    ("fleet", "robot1", "fleet/robot1"), ("/fleet/", "/robot1", "/robot1")])
def test_a_namespace_within_another(outer: str, inner: str, whole: str) -> None:
    assert names.within(outer, inner) == whole
