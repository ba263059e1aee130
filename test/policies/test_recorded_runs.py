"""Who may use CUDA when: many together, or one that records."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_rl.policies.recorded_runs import Turns

Turn = Callable[[], AbstractContextManager[None]]


def begun(turn: Turn, inside: threading.Event, go_on: threading.Event) -> threading.Thread:
    def work() -> None:
        with turn():
            inside.set()
            go_on.wait(10.0)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_who_wants_to_record_waits_for_those_inside_and_comes_before_those_that_follow() -> None:
    turns, go_on = Turns(), threading.Event()
    first, recorder, second = (threading.Event() for _ in range(3))
    threads = [begun(turns.together, first, go_on)]
    assert first.wait(10.0)
    threads.append(begun(turns.alone, recorder, go_on))
    while not turns._recorders:  # until it waits
        pass
    threads.append(begun(turns.together, second, go_on))
    assert not recorder.is_set()
    assert not second.is_set()
    go_on.set()
    for each in threads:
        each.join(10.0)
    assert recorder.is_set()
    assert second.is_set()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.booleans(), max_size=6), min_size=2, max_size=5))
def test_nobody_is_beside_who_records(threads: list[list[bool]]) -> None:
    turns, inside, wrong = Turns(), [0, 0], list[tuple[int, int]]()
    guard = threading.Lock()

    def work(alone: list[bool]) -> None:
        for recording in alone:
            with turns.alone() if recording else turns.together():
                with guard:
                    inside[recording] += 1
                    wrong.extend([tuple(inside)] if inside[1] and inside != [0, 1] else [])
                with guard:
                    inside[recording] -= 1

    running = [threading.Thread(target=work, args=(each,)) for each in threads]
    for each in running:
        each.start()
    for each in running:
        each.join(30.0)
        assert not each.is_alive()
    assert not wrong


def test_a_turn_ends_with_an_error_too() -> None:
    turns = Turns()
    for turn in (turns.alone, turns.together, turns.alone):
        try:
            with turn():
                raise ValueError
        except ValueError:
            pass
