"""What the actuator node makes of a gamepad on `operator`; no graph beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
import rclpy
from core.control.test_gamepad_axes import BASE, XBOX_AT_REST, moved
from nodes.live_graph import private_domain
from sensor_msgs.msg import Joy

from realtime_rl.core.control.decision import Decision
from realtime_rl.nodes.actuator import ActuatorNode

Send = Callable[..., list[tuple[Any, bool]]]


@pytest.fixture
def send(monkeypatch: pytest.MonkeyPatch) -> Iterator[Send]:
    """Start an actuator with parameters, hand it axes; return what its arbiter was told."""
    monkeypatch.setenv("ROS_DOMAIN_ID", private_domain())
    nodes: list[Any] = []

    def send(*messages: tuple[float, ...], buttons: tuple[int, ...] = (0,) * 11,
             **parameters: object) -> list[tuple[Any, bool]]:
        words = [f"{name}:={value}" for name, value in {
            "actions": str(BASE), "gamepad_layout": "vx=axis1*0.5 wz=axis3*-1.0",
            **parameters}.items()]
        rclpy.init(args=["--ros-args", *[part for word in words for part in ("-p", word)]])
        node: Any = ActuatorNode()
        nodes.append(node)
        told: list[tuple[Any, bool]] = []

        class Arbiter:
            def on_operator(self, action: Any, engaged: bool, now_ns: int) -> Decision:
                told.append((action, engaged))
                return Decision()

        node._arbiter = Arbiter()
        for axes in messages:
            node._on_operator(Joy(axes=axes, buttons=buttons))
        return told

    yield send
    for node in nodes:
        node.destroy_node()
    rclpy.try_shutdown()


def test_a_pad_that_publishes_its_drift_leaves_the_policy_alone(send: Send) -> None:
    told = send(*[moved(axis1=0.01, axis3=-0.02)] * 100)
    assert told == [(BASE.noop, False)] * 100


def test_a_pad_of_eight_axes_drives_two_dimensions(send: Send) -> None:
    told = send(XBOX_AT_REST, moved(axis1=1.0), moved(axis3=-1.0), XBOX_AT_REST)
    assert told == [((0.0, 0.0), False), ((0.5, 0.0), True), ((0.0, 1.0), True),
                    ((0.0, 0.0), False)]


def test_a_robot_whose_operator_has_no_button_ignores_him(send: Send) -> None:
    told = send(XBOX_AT_REST, moved(axis1=1.0), command_type="twist")
    assert told == [(BASE.noop, False)] * 2


def test_a_robot_follows_while_the_button_is_held(send: Send) -> None:
    told = send(XBOX_AT_REST, moved(axis1=1.0), command_type="twist", operator_button=0,
                buttons=(1,))
    assert told == [(BASE.noop, True), ((0.5, 0.0), True)]
