"""The table of a robot's message types, held against the real ones."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
from rclpy.serialization import deserialize_message, serialize_message

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.robot.command_writing import Order
from realtime_rl.core.robot.message_types import ACTIONS, SEQUENCE, SOURCES, Structure
from realtime_rl.ros import message_classes

ELEMENTS = {"geometry_msgs/msg/Twist": "vx", "geometry_msgs/msg/TwistStamped": "vx",
            "sensor_msgs/msg/Joy": "axes[0]"}


def real(name: str) -> Any:
    package = name.partition("/")[0]
    pytest.importorskip(f"{package}.msg", reason=f"{package} is not installed")
    return message_classes.find(name)


def check(structure: Structure, message: Any, where: str) -> None:
    for name, inner in structure.items():
        kinds = message.get_fields_and_field_types()
        assert name in kinds, f"{where}.{name}"
        if isinstance(inner, int):
            counted = {1: "", SEQUENCE: "sequence<"}.get(inner, f"[{inner}]")
            assert counted in kinds[name]
            assert ("[" in kinds[name] or "sequence" in kinds[name]) == (inner != 1)
        else:
            check(inner, getattr(message, name), f"{where}.{name}")


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_has_the_fields_of_the_real_type(name: str) -> None:
    kind, message = SOURCES[name], real(name)()
    check(kind.structure, message, name)
    assert kind.has_header == hasattr(message, "header")
    assert all(hasattr(message, array) for array in kind.arrays)


@pytest.mark.parametrize("name", ACTIONS)
def test_every_mode_of_a_command_can_be_sent(name: str) -> None:
    kind, message_type = ACTIONS[name], real(name)
    for mode in kind.modes:
        order = Order((ELEMENTS.get(name, "j1"),), (0.5,), mode, 20_000_000)
        message = kind.fill(message_type(), order, message_classes.empty, 5_000_000_001, "base")
        assert deserialize_message(serialize_message(message), message_type) == message
        assert kind.has_header == hasattr(message, "header")
        if kind.has_header:
            assert (message.header.stamp.nanosec == 1) == kind.stamped


def test_a_type_that_is_not_there_is_said() -> None:
    with pytest.raises(ConfigError, match="'absent_msgs' is not installed; fix"):
        message_classes.find("absent_msgs/msg/Thing")
    with pytest.raises(ConfigError, match="has no such message"):
        message_classes.find("std_msgs/msg/Thing")

