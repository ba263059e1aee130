"""Threads that compute, and what becomes of those that hang."""

from __future__ import annotations

import threading

from realtime_rl.policies.compute_threads import NAME, ComputeThreads


def ours() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == NAME]


def test_as_many_threads_as_are_busy_at_once() -> None:
    others = set(ours())  # a test before this one may have left one that hangs
    threads, ends = ComputeThreads(), [threading.Event() for _ in range(3)]
    ran = threading.Semaphore(0)

    def work(end: threading.Event) -> None:
        ran.release()
        end.wait(10)

    for count, end in enumerate(ends, 1):
        threads.submit(lambda end=end: work(end))
        assert ran.acquire(timeout=10)
        assert len(set(ours()) - others) == count
    assert all(thread.daemon for thread in ours())  # the process may end without them
    for end in ends:
        end.set()
    assert threads.close(10) == 0
    assert set(ours()) <= others


def test_work_that_waits_is_done_before_the_end() -> None:
    threads, done = ComputeThreads(), []
    for number in range(200):
        threads.submit(lambda number=number: done.append(number))
    assert threads.close(10) == 0
    assert sorted(done) == list(range(200))


def test_one_that_hangs_is_left_behind() -> None:
    threads, end = ComputeThreads(), threading.Event()
    threads.submit(lambda: end.wait(60) and None)
    assert threads.close(0.01) == 1
    end.set()
    assert threads.close(10) == 0


def test_a_thread_that_cannot_be_prepared_works_and_says_so() -> None:
    told: list[str] = []

    def refuse() -> None:
        raise PermissionError(1, "not allowed")

    threads, done = ComputeThreads(refuse, told.append), threading.Event()
    threads.submit(done.set)
    assert done.wait(10)
    assert threads.close(10) == 0
    assert told == ["a computing thread is as it came: PermissionError: [Errno 1] not allowed"]


def test_a_lane_has_a_thread_of_its_own() -> None:
    threads = ComputeThreads()
    ran: dict[int, list[int]] = {0: [], 1: []}
    for number in range(20):
        threads.submit(lambda lane=number % 2: ran[lane].append(threading.get_ident()), number % 2)
    assert threads.close(10) == 0
    assert [len(each) for each in ran.values()] == [10, 10]
    assert [len(set(each)) for each in ran.values()] == [1, 1]
    assert set(ran[0]) != set(ran[1])
