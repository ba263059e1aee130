from __future__ import annotations

import math

import pytest

from examples.robot_sim.errors import SimulatorError
from examples.robot_sim.faults import CLOCK_S, OLD_S, Faults, Treatment, parse

SOURCES = ("joints", "camera")


def faults(*texts: str) -> Faults:
    return Faults([parse(text, SOURCES) for text in texts], 0)


@pytest.mark.parametrize(("text", "kind", "source", "begin", "end"), [
    ("silent=joints@10:2", "silent", "joints", 10, 12),
    ("frozen=camera@1.5", "frozen", "camera", 1.5, math.inf),
    ("estop", "estop", "", 3, math.inf),
    ("released:0.5", "released", "", 3, 3.5),
    ("mark=actuator-killed", "mark", "actuator-killed", 3, math.inf),
])
def test_a_fault_is_read(text: str, kind: str, source: str, begin: float, end: float) -> None:
    fault = parse(text, SOURCES, now_s=3)
    assert (fault.kind, fault.source, fault.begin_s, fault.end_s) == (kind, source, begin, end)


@pytest.mark.parametrize(("text", "said"), [
    ("", "write it like"), ("silent joints", "write it like"), ("melted=joints", "is not one of"),
    ("silent", "is not one of joints, camera"), ("silent=arm", "is not one of joints, camera"),
    ("estop=joints", "of the whole robot"), ("estop@1.2.3", "not a number"),
])
def test_what_is_no_fault_is_refused(text: str, said: str) -> None:
    with pytest.raises(SimulatorError, match=said):
        parse(text, SOURCES)


def test_a_fault_holds_for_its_time_and_its_source() -> None:
    found = faults("silent=joints@1:2")
    assert [found.treat("joints", t).sent for t in (0.9, 1.0, 2.9, 3.0)] == [
        True, False, False, True]
    assert found.treat("camera", 1.5) == Treatment()


@pytest.mark.parametrize(("text", "expected"), [
    ("frozen=joints@0", Treatment(frozen=True)),
    ("old=joints@0", Treatment(back_s=OLD_S)),
    ("clock@0", Treatment(back_s=CLOCK_S)),
    ("nan=joints@0", Treatment(nan=True)),
    ("size=joints@0", Treatment(half_size=True)), ("unit=joints@0", Treatment(unit=True)),
    ("gone=joints@0", Treatment(sent=False, gone=True)),
    ("estop@0", Treatment()),
])
def test_treatments(text: str, expected: Treatment) -> None:
    assert faults(text).treat("joints", 0.0) == expected


def test_a_slow_source_sends_every_second_message_and_a_lossy_one_some() -> None:
    slow, lossy = faults("slow=joints@0"), faults("lost=joints@0")
    assert sum(slow.treat("joints", 1).sent for _ in range(1000)) == 500
    assert 600 < sum(lossy.treat("joints", 1).sent for _ in range(1000)) < 800


def test_faults_are_added_and_cleared_and_their_changes_told_once() -> None:
    found = faults("silent=camera@2:1")
    found.add(parse("estop", SOURCES, 1.0))
    assert [(str(fault), begins) for fault, begins in found.changes(1.0)] == [("estop", True)]
    assert found.changes(1.5) == []
    assert [(str(fault), begins) for fault, begins in found.changes(2.0)] == [
        ("silent=camera", True)]
    found.clear("estop")
    assert not found.holds("estop", 2.0)
    assert [(str(fault), begins) for fault, begins in found.changes(2.5)] == [("estop", False)]
    found.clear()
    assert [(str(fault), begins) for fault, begins in found.changes(2.6)] == [
        ("silent=camera", False)]
