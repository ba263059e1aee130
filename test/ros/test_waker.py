"""A wait that outlasts its deadline is ended from outside, no other is."""

from __future__ import annotations

import threading
import time

from realtime_rl.ros.waker import Waker

PATIENCE_S = 30.0
MS = 1_000_000


class Wait:
    """Something that waits, and when it was woken."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.woken_ns: list[int] = []
        self.waker = Waker(self.wake)

    def wake(self) -> None:
        self.woken_ns.append(time.monotonic_ns())
        self.ended.set()


def test_a_wait_that_does_not_end_is_ended_once() -> None:
    wait = Wait()
    for _ in range(3):
        wait.ended.clear()
        due_ns = time.monotonic_ns() + 2 * MS
        wait.waker.watch(due_ns)
        assert wait.ended.wait(PATIENCE_S)
        assert wait.woken_ns[-1] >= due_ns
        wait.waker.rest()
    wait.waker.close()
    assert len(wait.woken_ns) == 3


def test_a_wait_that_ended_by_itself_is_left_alone() -> None:
    """An earlier deadline after a later one is noticed, too."""
    wait = Wait()
    begin_ns = time.monotonic_ns()
    wait.waker.watch(begin_ns + 3_600_000 * MS)
    wait.waker.rest()
    wait.waker.watch(begin_ns + 300 * MS)
    wait.waker.rest()
    wait.waker.watch(begin_ns + 400 * MS)
    assert wait.ended.wait(PATIENCE_S)
    wait.waker.close()
    [woken_ns] = wait.woken_ns
    assert woken_ns >= begin_ns + 400 * MS


def test_its_thread_ends_with_it() -> None:
    before = threading.active_count()
    waker = Waker(lambda: None)
    waker.close()  # nothing was watched: there is no thread
    waker.watch(time.monotonic_ns() + 3_600_000 * MS)
    assert threading.active_count() == before + 1
    waker.close()
    waker.close()
    assert threading.active_count() == before
