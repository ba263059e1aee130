"""When it is said that nothing is heard, with the time given by hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.peers.silence import PATIENCE_NS, Silence, patience_ns

S = 1_000_000_000


def said(silence: Silence, seconds: range, heard: tuple[int, ...] = ()) -> list[tuple[int, bool]]:
    """Look once a second; return when something was to be said, and whether of silence."""
    found = []
    for second in seconds:
        silence.count += second in heard
        event = silence.look(second * S)
        if event is not None:
            found.append((second, event[0]))
    return found


def test_silence_is_told_after_a_while_again_and_again_and_when_it_ends() -> None:
    silence = Silence()
    assert said(silence, range(70), heard=(50,)) == [
        (5, True), (35, True), (50, False), (55, True)]
    assert silence.look(57 * S) is None


def test_what_is_heard_is_not_spoken_of() -> None:
    assert said(Silence(), range(100), heard=tuple(range(0, 100, 4))) == []


def test_of_the_first_message_only_the_first_is_waited_for() -> None:
    assert said(Silence(first_only=True), range(100), heard=(2,)) == []
    assert said(Silence(first_only=True), range(40), heard=(20,)) == [(5, True), (20, False)]


def test_a_rare_message_is_given_more_time() -> None:
    assert patience_ns(20_000_000) == PATIENCE_NS
    assert said(Silence(patience_ns(10 * S)), range(60), heard=tuple(range(0, 60, 10))) == []


@given(st.lists(st.booleans(), max_size=200))
def test_the_length_told_is_that_of_the_silence(heard: list[bool]) -> None:
    silence, last = Silence(), 0
    for second, hears in enumerate(heard):
        silence.count += hears
        event = silence.look(second * S)
        if event is not None:
            assert event == (not hears, float(second - last))
        if hears:
            last = second
