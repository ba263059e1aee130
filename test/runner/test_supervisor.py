"""Processes that are started, watched and ended, with small scripts in place of the nodes."""

from __future__ import annotations

import os
import signal
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from realtime_rl.ros.graph import NodeSpec
from realtime_rl.ros.processes import processes
from realtime_rl.runner import supervisor as module
from realtime_rl.runner.supervisor import NodeFailedError, Supervisor, started

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
FAILS_AT_THE_END = """
    import signal, sys
    def end(*_):
        print("recorder: error: bag 'x' cannot be written")
        sys.exit(1)
    signal.signal(signal.SIGTERM, end)
    print("ready", flush=True)
    signal.pause()
"""
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
        supervisor = Supervisor(processes(specs), tmp_path)
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
                    ("plant_1", "[ERROR] [plant_1]: died (status 1), started again")]
    clock.now += 0.4
    supervisor.watch()
    assert (supervisor.respawns, supervisor.pids()["plant_1"]) == (0, pid)
    clock.now += 0.2
    supervisor.watch()
    assert supervisor.respawns == 1
    assert supervisor.pids()["plant_1"] != pid


def die(supervisor: Supervisor, clock: Clock, every_s: float, name: str = "plant_1") -> None:
    wait_for_death(supervisor.pids()[name])
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
    assert supervisor.deaths.counts == {"plant_1": 5}


def test_who_does_not_act_is_given_up_and_the_others_go_on(start: Start, clock: Clock) -> None:
    supervisor = start(monitor=DIES, plant=WAITS)
    for _ in range(5):
        die(supervisor, clock, 1.0, "monitor_1")
    assert supervisor.respawns == 4
    clock.now += 60.0
    supervisor.watch()
    assert supervisor.respawns == 4
    os.kill(supervisor.pids()["plant_1"], 0)
    assert supervisor.deaths.summary() == [
        "monitor_1 died at 4.0 s (status 1), given up: last words; 5 deaths of it in all"]


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
    assert supervisor.deaths.summary() == [
        "plant_1 died at 0.0 s (status 1), not started again: last words"]
    assert [next_line(supervisor)[1] for _ in range(3)][-1] == (
        "[ERROR] [plant_1]: died (status 1), not started again")
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
    assert supervisor.deaths.summary() == [
        "plant_1 failed in ending at 0.0 s (SIGKILL): ready"]


def test_a_node_that_ends_as_asked_has_not_died(start: Start) -> None:
    supervisor = start(plant=WAITS)
    next_line(supervisor)
    supervisor.stop()
    assert supervisor.deaths.summary() == []


def test_a_recorder_that_cannot_finish_its_bag_is_told_of(start: Start, clock: Clock) -> None:
    supervisor = start(recorder=FAILS_AT_THE_END, plant=WAITS)
    for _ in range(2):
        next_line(supervisor)
    supervisor.stop()
    assert supervisor.deaths.summary() == [
        "recorder_1 failed in ending at 0.0 s (status 1): recorder: error: bag 'x' cannot be "
        "written"]


def test_a_node_that_died_just_before_the_end_is_told_of(start: Start) -> None:
    supervisor = start(monitor=DIES)
    wait_for_death(supervisor.pids()["monitor_1"])
    supervisor.stop()
    assert supervisor.deaths.counts == {"monitor_1": 1}


def test_a_node_that_needed_too_much_memory_says_what_it_may_have(
        start: Start, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REALTIME_RL_MEMORY_MB", "300")
    supervisor = start(actuator="print('  what():  std::bad_alloc'); raise SystemExit(1)")
    die(supervisor, clock, 0.0, "actuator_1")
    line, = supervisor.deaths.summary()
    assert "std::bad_alloc: it may hold 300 MiB and needed more; REALTIME_RL_MEMORY_MB" in line


def test_what_a_node_says_is_read_whatever_the_locale(
        start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.ISO-8859-1")
    monkeypatch.delenv("PYTHONUTF8", raising=False)
    assert next_line(start(plant="print('ε is 0.5 …')")) == ("plant_1", "ε is 0.5 …")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_a_run_in_order_and_a_second_one_changes_nothing(
        start: Start, clock: Clock, number: signal.Signals, tmp_path: Path) -> None:
    supervisor = start(recorder=WAITS, plant=WAITS)
    for _ in range(2):
        next_line(supervisor)
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP)}
    stop = supervisor.stop

    def stop_disturbed() -> None:
        os.kill(os.getpid(), number)
        stop()

    supervisor.start, supervisor.stop = lambda: None, stop_disturbed  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt), started(supervisor):
        os.kill(os.getpid(), number)
        signal.sigtimedwait([], 30.0)
    assert (tmp_path / "order").read_text().split() == ["plant", "recorder"]
    assert {each: signal.getsignal(each) for each in before} == before
    supervisor.stop = stop  # type: ignore[method-assign]


def test_under_nohup_nothing_hangs_up(start: Start) -> None:
    supervisor = start(plant=WAITS)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    supervisor.start = lambda: None  # type: ignore[method-assign]
    try:
        with started(supervisor):
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
