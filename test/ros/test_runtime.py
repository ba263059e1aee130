"""Priorities of a node's threads while it is made and afterwards."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
from realtime_rl.ros import runtime


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
        runtime.take_priority(runtime.Priority.NORMAL)
        idle()

    def main() -> None:
        runtime.begin_start()
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


def test_a_node_that_is_being_made_takes_nothing_from_those_that_act() -> None:
    assert schedulers(lambda: None) == {
        "main": (os.SCHED_BATCH, 0), "middleware": (os.SCHED_BATCH, 0),
        "worker": (os.SCHED_OTHER, 0)}


def test_a_node_that_is_made_acts_in_time_and_its_workers_stay_ordinary() -> None:
    found = schedulers(runtime.end_start)
    assert found["worker"] == (os.SCHED_OTHER, 0)
    if realtime_is_allowed():
        assert found["main"][0] == found["middleware"][0] == os.SCHED_FIFO
        assert found["main"][1] > found["middleware"][1] > 0
    else:
        assert found["main"] == found["middleware"] == (os.SCHED_OTHER, 0)


def test_where_it_may_not_act_in_time_no_mark_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    change = os.sched_setscheduler

    def refuse(thread: int, policy: int, parameter: os.sched_param) -> None:
        if policy == os.SCHED_FIFO:
            raise PermissionError
        change(thread, policy, parameter)

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    assert set(schedulers(runtime.end_start).values()) == {(os.SCHED_OTHER, 0)}
