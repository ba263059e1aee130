"""The stranger's messages: garbage that nobody can read, and forgeries that anybody can."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
from benchmarks import flood
from realtime_rl.core.messages import joy_wire, wire
from realtime_rl.core.messages.records import Inference, Timestep, Verdict
from realtime_rl.ros import messages

TOPICS = [topic for topic in flood.TOPICS if topic not in ("none", "policy")]


def read(topic: str, message: Any) -> object:
    if topic == "observation":
        return wire.observation_words(message.header.frame_id)
    if topic in ("action", "command"):
        return joy_wire.decode_action(messages.from_joy(message), flood._COUNTER)
    kind = {"timestep": Timestep, "verdict": Verdict, "inference": Inference}[topic]
    return messages.from_scalars(kind, message)


@pytest.mark.parametrize("topic", TOPICS)
def test_forgeries_can_be_read_and_garbage_cannot(topic: str) -> None:
    forged = flood._messages(topic, "forged")[1]
    assert read(topic, forged(0)) != read(topic, forged(1))
    garbage = flood._messages(topic, "garbage")[1]
    with pytest.raises(wire.WireError):
        read(topic, garbage(0))


def test_help() -> None:
    done = subprocess.run([sys.executable, Path(flood.__file__), "--help"], capture_output=True,
                          text=True, check=True)
    assert "python benchmarks/flood.py --topics" in done.stdout
