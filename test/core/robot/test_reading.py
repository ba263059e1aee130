"""All fields of a source at once: by name, in whatever order and company they come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from robot_messages import imu, joints, quaternion, scan, vector

from realtime_rl.core.messages.wire import WireError
from realtime_rl.core.robot import fields, message_types, reading
from realtime_rl.core.robot.reading import NamedReader, Reader

WANTED = ["position.j1", "position.j2", "velocity.j2", "position.j3"]


def reader(texts: list[str], kind: str = "sensor_msgs/msg/JointState") -> Reader | NamedReader:
    source = message_types.source(kind)
    return reading.reader([fields.parse(text, source) for text in texts])


@given(st.permutations(["j1", "j2", "j3", "other"]), st.sets(st.sampled_from(["j1", "j2", "j3"])),
       st.booleans())
def test_names_say_which_value_is_whose(order: list[str], absent: set[str], moving: bool) -> None:
    """Others are passed over, and what is absent is left out."""
    names = [name for name in order if name not in absent]
    position = {"j1": 1.0, "j2": 2.0, "j3": 3.0, "other": 9.0}
    velocity = {name: -value for name, value in position.items()}
    message = joints(names, [position[name] for name in names],
                     [velocity[name] for name in names] if moving else [])
    expected = {0: 1.0, 1: 2.0, 2: -2.0, 3: 3.0}
    there = {place: value for place, value in expected.items()
             if WANTED[place].split(".")[1] in names and (moving or place != 2)}
    both = reader(WANTED)
    for _ in range(2):  # the second time from memory
        places, values = both.read(message)
        assert dict(zip(places, values, strict=True)) == there


def test_an_order_that_changes_is_followed() -> None:
    found = reader(["position.a", "position.b"])
    for names, values in ((["a", "b"], [1.0, 2.0]), (["b", "a"], [2.0, 1.0]),
                          (["x", "b", "a"], [0.0, 2.0, 1.0])):
        places, taken = found.read(joints(names, values))
        assert dict(zip(places, taken, strict=True)) == {0: 1.0, 1: 2.0}


@pytest.mark.parametrize(("names", "position", "said"), [
    (["j1", "j2", "j1"], [1.0, 2.0, 3.0], "'j1' is there 2 times"),
    (["j1", "j2"], [1.0], "position: 1 values for 2 names")])
def test_a_message_that_contradicts_itself_is_refused(names: list[str], position: list[float],
                                                      said: str) -> None:
    found = reader(["position.j1"])
    with pytest.raises(WireError, match=said):
        found.read(joints(names, position))
    assert list(found.read(joints(["j1"], [4.0]))[1]) == [4.0]


def test_somebody_elses_name_may_be_there_twice() -> None:
    places, values = reader(["position.j1"]).read(joints(["x", "j1", "x"], [0.0, 1.0, 0.0]))
    assert (places, list(values)) == ((0,), [1.0])


def test_paths_and_others_are_taken_in_order() -> None:
    found = reader(["angular_velocity.y", "angular_velocity.x", "orientation@gravity",
                    "angular_velocity.z"], "sensor_msgs/msg/Imu")
    places, values = found.read(imu(quaternion(), vector(1.0, 2.0, 3.0)))
    assert places == tuple(range(6))
    assert list(values) == pytest.approx([2.0, 1.0, 0.0, 0.0, -1.0, 3.0])
    assert len(found.elements) == 6


@pytest.mark.parametrize("texts", [["ranges[0:4:2]"], ["ranges[0]", "ranges[2]"]])
def test_a_range_is_several_fields(texts: list[str]) -> None:
    places, values = reader(texts, "sensor_msgs/msg/LaserScan").read(scan([1.0, 2.0, 3.0, 4.0]))
    assert (places, list(values)) == ((0, 1), [1.0, 3.0])


def test_what_is_there_instead_is_said() -> None:
    found = reader(["position.j1", "velocity.j2"])
    found.read(joints(["j2", "grip"], [1.0, 2.0]))
    assert found.hint([0]) == "its messages have 'grip', 'j2'"
    assert found.hint([1]) == "its messages have no velocity"
