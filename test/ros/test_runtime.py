"""How a node's process runs and ends; priorities of its threads while it is made and afterwards."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from types import SimpleNamespace

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
from realtime_rl.core.errors import BagError, ConfigError, RealtimeRlError
from realtime_rl.ros import priorities, runtime
from realtime_rl.ros.priorities import Priority


def schedulers(start: Callable[[], None]) -> dict[str, tuple[int, int]]:
    """Return scheduler and priority of a main thread that calls `start`, and of two it begins.

    One begins before `start` and does nothing, as the middleware's do; one takes a priority.
    """
    found: dict[str, tuple[int, int]] = {}
    begun, end = threading.Barrier(3), threading.Event()

    def note(name: str, thread: int) -> None:
        found[name] = os.sched_getscheduler(thread), os.sched_getparam(thread).sched_priority

    def idle() -> None:
        begun.wait()
        end.wait()

    def worker() -> None:
        priorities.take_priority(Priority.NORMAL)
        idle()

    def main() -> None:
        priorities.begin_start()
        others = {"middleware": threading.Thread(target=idle),
                  "worker": threading.Thread(target=worker)}
        for thread in others.values():
            thread.start()
        begun.wait()
        start()
        note("main", threading.get_native_id())
        for name, thread in others.items():
            assert thread.native_id is not None
            note(name, thread.native_id)
        end.set()

    thread = threading.Thread(target=main)
    thread.start()
    thread.join()
    return found


def realtime_is_allowed() -> bool:
    def ask() -> None:
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
            allowed.append(True)

    allowed: list[bool] = []
    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    return bool(allowed)


def test_what_is_being_made_yields_to_what_acts_and_workers_stay_ordinary() -> None:
    begun, ended = schedulers(lambda: None), schedulers(priorities.end_start)
    assert begun["worker"] == ended["worker"] == (os.SCHED_OTHER, 0)
    assert begun["main"] == begun["middleware"]
    if realtime_is_allowed():
        assert {found[0] for name in ("main", "middleware")
                for found in (begun[name], ended[name])} == {os.SCHED_FIFO}
        assert begun["middleware"][1] < ended["middleware"][1] < ended["main"][1]
    else:
        assert begun["main"] == ended["main"] == ended["middleware"] == (os.SCHED_OTHER, 0)


def test_where_nothing_may_act_in_time_all_stays_ordinary(monkeypatch: pytest.MonkeyPatch) -> None:
    change = os.sched_setscheduler

    def refuse(thread: int, policy: int, parameter: os.sched_param) -> None:
        if policy == os.SCHED_FIFO:
            raise PermissionError
        change(thread, policy, parameter)

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    assert set(schedulers(priorities.end_start).values()) == {(os.SCHED_OTHER, 0)}


@pytest.mark.parametrize("refused", [{"sched"}, {"nice"}, {"sched", "nice"}])
@pytest.mark.parametrize("priority", list(Priority))
def test_what_is_not_allowed_is_left_and_the_rest_is_taken(
    priority: Priority, refused: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A niced node of somebody without privileges may take nothing back, and lives all the same."""
    asked: list[str] = []

    def call(kind: str) -> Callable[..., None]:
        def change(*unused: object) -> None:
            asked.append(kind)
            if kind in refused:
                raise PermissionError(1, "Operation not permitted")
        return change

    monkeypatch.setattr(os, "sched_setscheduler", call("sched"))
    monkeypatch.setattr(os, "setpriority", call("nice"))
    priorities.take_priority(priority)
    in_time = ["sched", "nice"] if "sched" in refused else ["sched"]
    wanted = {Priority.REALTIME: in_time, Priority.BESIDE: in_time,
              Priority.NORMAL: ["sched", "nice"], Priority.BACKGROUND: ["nice"],
              Priority.IDLE: ["nice", "sched"]}
    assert asked == wanted[priority]
    priorities.begin_start()
    priorities.end_start()


FULL, FULL_STILL = BagError("bag 'x' cannot be written"), BagError("nor can it be closed")


@pytest.mark.parametrize(("errors", "status", "told"), [
    ((None, None, None), 0, ""),
    ((FULL, None, None), 2, f": error: {FULL}\n"),
    ((None, ConfigError("no"), None), 2, "recorder: error: no\n"),
    ((None, ConfigError("no"), FULL_STILL), 2, "recorder: error: no\n"),
    ((None, FULL, None), 1, f"recorder: error: {FULL}\n"),
    ((None, FULL, FULL_STILL), 1, f"recorder: error: {FULL}\n"),
    ((None, None, FULL_STILL), 1, f"recorder: error: {FULL_STILL}\n")])
def test_an_error_is_one_line_and_the_status_says_when_it_came(
    errors: tuple[RealtimeRlError | None, ...], status: int, told: str,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Errors of making the node, of running it, and of its `close`."""
    making, running, closing = errors

    def step(error: RealtimeRlError | None) -> Callable[..., None]:
        def take(*unused: object) -> None:
            if error is not None:
                raise error
        return take

    destroyed: list[bool] = []
    node = SimpleNamespace(get_name=lambda: "recorder", close=step(closing),
                           destroy_node=lambda: destroyed.append(True))

    def make() -> object:
        step(making)()
        return node

    monkeypatch.setattr(runtime, "rclpy", SimpleNamespace(try_shutdown=lambda: None))
    monkeypatch.setattr(runtime, "process", SimpleNamespace(
        begin=lambda name: None, start_ros=lambda: None))
    monkeypatch.setattr(runtime, "StopSignals", lambda: None)
    monkeypatch.setattr(priorities, "take_priority", lambda priority: None)
    monkeypatch.setattr(runtime, "spin", step(running))
    assert runtime.main(make, Priority.BACKGROUND) == status  # type: ignore[arg-type]
    error = capsys.readouterr().err
    assert error.endswith(told) and error.count("\n") == bool(told)
    assert destroyed == ([] if making else [True])


STUCK = """
import signal, threading
from realtime_rl.ros.runtime import StopSignals, stop_asked
{signals}
assert not stop_asked()
threading.Thread(target=threading.Event().wait, daemon={daemon}).start()
signal.raise_signal(signal.SIGTERM)
assert stop_asked()
{wait}
"""


@pytest.mark.parametrize(("daemon", "wait"), [
    (True, "threading.Event().wait()"), (False, "")], ids=["main thread", "another thread"])
def test_a_process_that_is_stuck_ends_after_a_grace(daemon: bool, wait: str) -> None:
    """SIGTERM only sets a flag: a wait in the main thread, or at exit for another, goes on."""
    source = STUCK.format(daemon=daemon, wait=wait, signals="StopSignals(grace_s=0.05)")
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr == ("-c: error: not ended 0.05 s after it was asked to: something in it "
                           "hangs; it ends without order\n")


def test_a_process_that_ends_in_time_is_left_alone() -> None:
    source = STUCK.format(daemon=True, wait="", signals="StopSignals(grace_s=30)")
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True,
                          timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("number", "before", "asked"), [
    (signal.SIGTERM, signal.SIG_DFL, True), (signal.SIGHUP, signal.SIG_DFL, True),
    (signal.SIGHUP, signal.SIG_IGN, False)])
def test_signals_ask_to_end_but_not_where_nohup_was_asked_for(
        number: signal.Signals, before: signal.Handlers, asked: bool) -> None:
    script = (f"import os, signal\nsignal.signal({int(number)}, signal.Handlers({int(before)}))\n"
              "from realtime_rl.ros.runtime import StopSignals\nstop = StopSignals()\n"
              f"os.kill(os.getpid(), {int(number)})\nprint(stop.asked)\n")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                          check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(
                              path for path in sys.path if path)})
    assert done.stdout == f"{asked}\n"


@pytest.mark.parametrize(("composed", "short", "priority"), [
    (True, True, Priority.BESIDE), (True, False, Priority.NORMAL),
    (False, True, Priority.NORMAL), (False, False, Priority.NORMAL)])
def test_what_computes_shortly_beside_what_ticks_is_not_held_up_by_others(
        composed: bool, short: bool, priority: Priority,
        monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[Priority] = []
    monkeypatch.setattr(priorities, "several_nodes", composed)
    monkeypatch.setattr(priorities, "take_priority", taken.append)
    priorities.take_priority_to_compute(short=short)
    priorities.take_priority_to_load()
    assert taken == [priority, Priority.NORMAL if composed else Priority.BACKGROUND]
