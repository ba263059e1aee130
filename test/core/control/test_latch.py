"""The plant's side of a command."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.control.latch import CommandLatch
from realtime_rl.core.messages.records import Command, CommandOrigin
from realtime_rl.core.types import ActionSpace, Cause

SPACE = ActionSpace(("A", "B", "NOOP"), (2.0,))


def command(action: float, worker: int = 0) -> Command:
    return Command(Cause.POLICY, (action,), worker, 3, 4)


def test_the_newest_command_is_latched_once() -> None:
    latch = CommandLatch(SPACE)
    assert latch.offer(command(0.0, worker=1))
    assert latch.offer(command(1.0, worker=2))
    assert latch.latch() == command(1.0, worker=2)
    assert latch.latch() == Command(Cause.NONE, (2.0,))


def test_silence_means_the_safe_command() -> None:
    assert CommandLatch(SPACE).latch() == Command(Cause.NONE, (2.0,), -1, -1, -1)
    assert CommandLatch(SPACE, safe=(1.0,)).latch() == Command(Cause.NONE, (1.0,))


def test_a_default_never_replaces_an_action() -> None:
    latch = CommandLatch(SPACE)
    default, stop = Command(Cause.DEFAULT, SPACE.noop), Command(Cause.STOP, SPACE.noop)
    for sent, latched in (([command(0.0), default], command(0.0)), ([default, command(0.0)],
                          command(0.0)), ([command(0.0), default, command(1.0)], command(1.0)),
                          ([command(0.0), stop, default], default), ([default], default),
                          ([command(0.0), default, stop], stop)):
        for each in sent:
            latch.offer(each)
        assert latch.latch() == latched
    assert latch.latch().cause is Cause.NONE


BASE = ActionSpace(("vx", "wz"), (0.0, 0.0), (-1.0, -1.0), (1.0, 1.0))


def origin(stamp_ns: int, sent: Command) -> CommandOrigin:
    return CommandOrigin(stamp_ns, sent.cause, sent.worker, sent.version, sent.observation_tick,
                         sent.action)


@given(values=st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=30),
       stamped=st.booleans(), late=st.booleans(), data=st.data())
def test_a_robots_command_is_joined_with_its_origin(
        values: list[float], stamped: bool, late: bool, data: st.DataObject) -> None:
    """Whichever of the two comes first, and however often the plant ticks meanwhile."""
    latch = CommandLatch(BASE)
    newest, expected, found = None, [], []
    for number, value in enumerate(values):
        sent = Command(Cause.POLICY, (value, 0.0), number % 3, 7, number)
        steps = [lambda sent=sent, number=number: latch.note(origin(1000 + number, sent)),
                 lambda sent=sent, number=number: latch.offer_bare(
                     sent.action, 1000 + number if stamped else 0)]
        for step in reversed(steps) if late else steps:
            step()
        newest = sent
        if data.draw(st.booleans()):
            found.append(latch.latch())
            expected.append(newest)
            newest = None
    assert found == expected


def test_a_command_whose_origin_nobody_gives_is_a_persons() -> None:
    latch = CommandLatch(BASE)
    latch.note(origin(1000, Command(Cause.POLICY, (0.5, 0.0), 1, 2, 3)))
    for action, stamp_ns in (((0.5, 0.0), 999), ((0.25, 0.0), 0)):
        assert latch.offer_bare(action, stamp_ns)
        assert latch.latch() == Command(Cause.OPERATOR, action)
    latch.offer_bare((0.5, 0.0), 1000)
    assert latch.latch().cause is Cause.POLICY
    assert not latch.offer_bare((9.0, 0.0), 1000)


def test_origins_without_commands_are_forgotten() -> None:
    latch = CommandLatch(BASE)
    for number in range(10_000):
        latch.note(origin(number, Command(Cause.POLICY, (0.5, 0.0), 1, 2, number)))
    latch.offer_bare((0.5, 0.0), 1)
    assert latch.latch().cause is Cause.OPERATOR  # it is not kept for ever


@pytest.mark.parametrize("action", [3.0, -1.0, 0.5, math.nan, math.inf])
def test_a_command_outside_the_space_changes_nothing(action: float) -> None:
    latch = CommandLatch(SPACE)
    latch.offer(command(1.0))
    assert not latch.offer(command(action))
    assert latch.refused == 1
    assert latch.latch() == command(1.0)
