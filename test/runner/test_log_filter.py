"""Which lines of the nodes a person is shown."""

from __future__ import annotations

import queue

from realtime_rl.runner.log_filter import WARNINGS, LogFilter

LINES = (("plant", "[INFO] [plant]: all is well"), ("plant", "[ERROR] [plant]: no more"),
         ("inference_0", "Traceback (most recent call last):"),
         ("inference_0", '  File "x.py", line 3'), ("plant", "[WARN] [plant]: late"),
         ("inference_0", "ValueError: 3"), ("inference_0", "[INFO] going on"))
FAILURE = ["[ERROR] [plant]: no more", "inference_0: Traceback (most recent call last):",
           'inference_0:   File "x.py", line 3']


def said(*marks: tuple[str, ...]) -> list[str]:
    lines: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
    for line in LINES:
        lines.put(line)
    found: list[str] = []
    LogFilter(lines, found.append, *marks).drain()
    return found


def test_what_nodes_complain_of_is_passed_on_and_tracebacks_to_their_end() -> None:
    assert said() == [*FAILURE, "inference_0: ValueError: 3"]


def test_warnings_are_passed_on_where_they_are_asked_for() -> None:
    assert said(WARNINGS) == [*FAILURE, "[WARN] [plant]: late", "inference_0: ValueError: 3"]


def test_all_of_it_is_passed_on_where_that_is_asked_for() -> None:
    assert len(said(("",))) == len(LINES)
