"""What a node's process is given before ROS starts, and what it says of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
from realtime_rl.core.errors import ConfigError
from realtime_rl.ros import process
from realtime_rl.ros.graph import PARENT_VARIABLE


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Return who got a limit; nothing of this process changes for good."""
    found: list[str] = []
    monkeypatch.setattr(process.memory_limit, "limit", found.append)
    monkeypatch.setattr(process.environment, "adopt", lambda: ["HOME is not set"])
    before = signal.getsignal(signal.SIGHUP)
    yield found
    signal.signal(signal.SIGHUP, before)


def test_a_node_by_itself_says_who_can_command_it(
        limits: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(PARENT_VARIABLE, raising=False)
    for other_tests in ("FASTRTPS", "FASTDDS"):
        monkeypatch.delenv(f"{other_tests}_DEFAULT_PROFILES_FILE", raising=False)
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "SUBNET")
    process.begin("plant")
    assert capsys.readouterr().err == (
        "plant: HOME is not set\n"
        "plant: can be seen and commanded from every machine in the network "
        "(ROS_AUTOMATIC_DISCOVERY_RANGE=SUBNET): any of them can command the plant\n")
    assert limits == ["plant"]


def test_a_node_that_is_watched_over_leaves_that_to_who_watches(
        limits: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(PARENT_VARIABLE, str(os.getppid()))
    process.begin("plant")
    assert capsys.readouterr().err == "plant: HOME is not set\n"
    assert limits == ["plant"]


def test_a_terminal_that_hangs_up_ends_a_node_as_sigterm_does(limits: list[str]) -> None:
    process.begin("plant")
    assert signal.getsignal(signal.SIGHUP) == signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    process.begin("plant")
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_what_rcl_raises_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**unused: object) -> None:
        raise RuntimeError("failed to initialize rcl: error not set\nat somewhere.c:13")

    monkeypatch.setattr(process.rclpy, "init", fail)
    with pytest.raises(ConfigError, match=r"^ROS 2 does not start: failed to .*: error"):
        process.start_ros()


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_a_node_ends_in_order_when_it_is_asked_to(number: signal.Signals) -> None:
    environment = {key: value for key, value in os.environ.items() if key != PARENT_VARIABLE}
    node = subprocess.Popen(
        [sys.executable, "-m", "realtime_rl.nodes.monitor"], stderr=subprocess.PIPE, text=True,
        env={**environment, "ROS_DOMAIN_ID": str(1 + os.getpid() % 100)})
    assert node.stderr is not None
    assert "can be seen and commanded from" in node.stderr.readline()
    node.send_signal(number)
    assert "Traceback" not in node.communicate(timeout=60)[1]
    assert node.returncode == 0
