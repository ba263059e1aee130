"""Processes that are started, watched and ended, with small scripts in place of the nodes."""

from __future__ import annotations

import os
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from realtime_rl.ros.graph import NodeSpec
from realtime_rl.runner import supervisor as module
from realtime_rl.runner.supervisor import NodeFailedError, Supervisor

WAITS = """
    import signal, sys, pathlib
    def end(*_):
        with open({order!r}, "a") as file:
            file.write({name!r} + "\\n")
        sys.exit(0)
    signal.signal(signal.SIGTERM, end)
    print(*sys.argv[1:], flush=True)
    signal.pause()
"""
DEAF = """
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("ready", flush=True)
    while True:
        signal.pause()
"""
DIES = "print('last words\\n'); raise SystemExit(1)"
REFUSES = "print('warming up'); print('robot: error: speed: 3 is outside 0 … 2'); exit(2)"


class Clock:
    """The supervisor's time, moved by hand."""

    def __init__(self) -> None:
        self.now = time.monotonic()

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


Start = Callable[..., Supervisor]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start scripts as the nodes `name=source`; end what is left of them."""
    folder = tmp_path / "fake_package" / "nodes"
    folder.mkdir(parents=True)
    monkeypatch.setattr(module, "PACKAGE", "fake_package")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    started = []

    def start(*, respawn: bool = True, namespace: str = "", **sources: str) -> Supervisor:
        specs = []
        for name, source in sources.items():
            text = textwrap.dedent(source).replace("{order!r}", repr(str(tmp_path / "order")))
            (folder / f"{name}.py").write_text(text.replace("{name!r}", repr(name)), "utf-8")
            specs.append(NodeSpec(name, f"{name}_1", namespace, {"speed": 1.5}, respawn))
        supervisor = Supervisor(specs, tmp_path)
        started.append(supervisor)
        supervisor.start()
        return supervisor

    yield start
    for supervisor in started:
        supervisor.stop()


def wait_for_death(pid: int) -> None:
    """Wait, and leave the status for the supervisor to collect."""
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def next_line(supervisor: Supervisor) -> tuple[str, str]:
    return supervisor.lines.get(timeout=30.0)


def test_a_node_is_told_its_name_its_namespace_and_its_parameters(start: Start,
                                                                  tmp_path: Path) -> None:
    supervisor = start(plant=WAITS, namespace="/robot2/")
    name, line = next_line(supervisor)
    path = tmp_path / "plant_1.params.yaml"
    assert name == "plant_1"
    assert line == f"--ros-args -r __node:=plant_1 --params-file {path} -r __ns:=/robot2"
    assert yaml.safe_load(path.read_text()) == {"/**": {"ros__parameters": {"speed": 1.5}}}
    supervisor.watch()
    assert supervisor.respawns == 0
    os.kill(supervisor.pids()["plant_1"], 0)


def test_without_a_namespace_none_is_given(start: Start) -> None:
    assert "__ns" not in next_line(start(plant=WAITS))[1]


def test_a_node_that_refuses_its_configuration_ends_the_run_with_its_own_words(
        start: Start) -> None:
    supervisor = start(plant=REFUSES)
    wait_for_death(supervisor.pids()["plant_1"])
    with pytest.raises(NodeFailedError, match=r"^robot: error: speed: 3 is outside 0 … 2$"):
        supervisor.watch()


def test_a_dead_node_is_started_again_after_a_moment(start: Start, clock: Clock) -> None:
    supervisor = start(plant=DIES)
    pid = supervisor.pids()["plant_1"]
    wait_for_death(pid)
    supervisor.watch()
    said = [next_line(supervisor) for _ in range(3)]
    assert said == [("plant_1", "last words"), ("plant_1", ""),
                    ("plant_1", "[ERROR] [plant_1]: died with status 1")]
    clock.now += 0.4
    supervisor.watch()
    assert (supervisor.respawns, supervisor.pids()["plant_1"]) == (0, pid)
    clock.now += 0.2
    supervisor.watch()
    assert supervisor.respawns == 1
    assert supervisor.pids()["plant_1"] != pid


def die(supervisor: Supervisor, clock: Clock, every_s: float) -> None:
    wait_for_death(supervisor.pids()["plant_1"])
    supervisor.watch()
    clock.now += every_s
    supervisor.watch()


def test_a_node_that_dies_again_and_again_ends_the_run(start: Start, clock: Clock) -> None:
    supervisor = start(plant=DIES)
    for _ in range(4):
        die(supervisor, clock, 1.0)
    assert supervisor.respawns == 4
    with pytest.raises(NodeFailedError, match="plant_1 died 5 times; its last words: last words"):
        die(supervisor, clock, 1.0)


def test_a_node_that_dies_now_and_then_goes_on(start: Start, clock: Clock) -> None:
    supervisor = start(plant=DIES)
    for _ in range(7):
        die(supervisor, clock, 6.0)
    assert supervisor.respawns == 7


def test_a_node_without_respawn_stays_dead(start: Start, clock: Clock) -> None:
    supervisor = start(plant=DIES, respawn=False)
    die(supervisor, clock, 60.0)
    clock.now += 60.0
    supervisor.watch()
    assert supervisor.respawns == 0
    assert supervisor.lost == {"plant_1": "last words"}
    assert [next_line(supervisor)[1] for _ in range(3)][-1] == (
        "[ERROR] [plant_1]: died with status 1")
    assert supervisor.lines.empty()


def test_the_plant_ends_first_and_the_recorder_last(start: Start, tmp_path: Path) -> None:
    supervisor = start(recorder=WAITS, actuator=WAITS, plant=WAITS)
    for _ in range(3):
        next_line(supervisor)
    supervisor.stop()
    assert (tmp_path / "order").read_text().split() == ["plant", "actuator", "recorder"]


def test_a_node_that_does_not_listen_is_killed(start: Start, clock: Clock,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_GRACE_S", 0.0)
    supervisor = start(plant=DEAF)
    assert next_line(supervisor) == ("plant_1", "ready")
    pid = supervisor.pids()["plant_1"]
    supervisor.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
