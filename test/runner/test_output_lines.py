"""What nodes print, and how much of it waits."""

from __future__ import annotations

import io
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.runner import output_lines
from realtime_rl.runner.output_lines import OutputLines, lines_of


def drained(waiting: OutputLines) -> list[tuple[str, str]]:
    return [waiting.get() for _ in range(waiting.qsize())]


def test_of_what_nobody_reads_the_newest_lines_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output_lines, "_MOST", 3)
    waiting = OutputLines()
    for number in range(10):
        waiting.put(("plant", str(number)))
    assert drained(waiting) == [("plant", "7"), ("plant", "8"), ("plant", "9")]


def test_several_nodes_that_print_without_end_stay_within_it(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output_lines, "_MOST", 100)
    waiting = OutputLines()
    threads = [threading.Thread(target=lambda: [waiting.put(("node", "x")) for _ in range(5000)])
               for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0 < waiting.qsize() <= 100 + len(threads)


@given(st.lists(st.text(st.characters(codec="ascii", exclude_characters="\r\n"), max_size=9)))
def test_lines_come_as_they_were_printed(printed: list[str]) -> None:
    assert list(lines_of(io.StringIO("".join(f"{line}\n" for line in printed)))) == [
        line.rstrip() for line in printed]


def test_a_line_without_an_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output_lines, "_LONGEST", 10)
    assert list(lines_of(io.StringIO("x" * 25))) == ["x" * 10, "x" * 10, "x" * 5]
