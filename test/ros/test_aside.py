"""What takes long is done in another thread, and taken in one's own."""

from __future__ import annotations

import threading

import pytest

from realtime_rl.core.messages.wire import WireError
from realtime_rl.ros.aside import Aside


class Told:
    """What was taken, what was refused, and by which thread."""

    def __init__(self) -> None:
        self.taken: list[object] = []
        self.refused: list[str] = []
        self.threads: set[int] = set()

    def take(self, result: object) -> None:
        self.threads.add(threading.get_ident())
        self.taken.append(result)


def test_work_is_done_elsewhere_and_taken_here() -> None:
    aside, told = Aside("test"), Told()
    aside.do("one", threading.get_ident, told.take, told.refused.append)
    aside.close()
    assert told.threads == {threading.get_ident()}
    assert told.taken != [threading.get_ident()]


def test_nothing_is_taken_before_it_is_asked_for() -> None:
    aside, told, done = Aside("test"), Told(), threading.Event()
    aside.do("one", lambda: 1, told.take, told.refused.append)
    aside.do("two", done.set, told.take, told.refused.append)
    assert done.wait(10.0)
    assert told.taken == []
    aside.finish()
    assert told.taken[0] == 1
    aside.close()


def test_of_those_of_one_name_that_wait_the_newest_is_done() -> None:
    aside, told = Aside("test"), Told()
    begun, goes_on = threading.Event(), threading.Event()

    def long() -> str:
        begun.set()
        assert goes_on.wait(10.0)
        return "long"

    aside.do("picture", long, told.take, told.refused.append)
    assert begun.wait(10.0)
    for number in range(5):
        aside.do("picture", lambda number=number: number, told.take, told.refused.append)
        aside.do("stop", lambda number=number: -number, told.take, told.refused.append)
    goes_on.set()
    aside.close()
    assert told.taken == ["long", 4, -4]


def test_what_is_refused_is_told_and_what_fails_is_raised_here() -> None:
    def refuse(*_: object) -> None:
        raise WireError("no picture")

    aside, told = Aside("test"), Told()
    aside.do("one", refuse, told.take, told.refused.append)
    aside.do("two", lambda: 1, refuse, told.refused.append)
    aside.do("three", lambda: 1 / 0, told.take, told.refused.append)
    with pytest.raises(ZeroDivisionError):
        aside.close()
    assert (told.taken, told.refused) == ([], ["no picture", "no picture"])
