"""Parameters: one clear line for each kind of bad value, and the same values there and back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.settings.config import (
    Parameter,
    build,
    parameter,
    parameters,
    values_of,
)


@dataclass(frozen=True)
class Robot:
    """One parameter of each type."""

    brake: bool = parameter(True, "whether it brakes", live=True)
    wheels: int = parameter(4, "how many wheels", low=1, high=8)
    speed: float = parameter(0.5, "how fast", unit="m/s", low=0.0, high=2.0)
    gain: float = parameter(1.0, "any gain")
    mode: str = parameter("slow", "how it drives", choices=("slow", "fast"))
    name: str = parameter("", "what it is called")
    tags: tuple[str, ...] = parameter(("a", "b"), "what it is")
    ids: tuple[int, ...] = parameter((), "its ids")
    gains: tuple[float, ...] = parameter((), "one for all, or one each")

    def __post_init__(self) -> None:
        """Refuse a combination."""
        if self.wheels == 3 and self.mode == "fast":
            raise ConfigError(f"wheels: {self.wheels!r} would tip over in mode 'fast'")


KNOWN = parameters(Robot)


def test_everything_about_a_parameter_is_in_one_place() -> None:
    assert list(KNOWN) == ["brake", "wheels", "speed", "gain", "mode", "name", "tags", "ids",
                           "gains"]
    assert KNOWN["speed"] == Parameter("speed", float, 0.5, "how fast", "m/s", 0.0, 2.0)
    assert KNOWN["mode"].choices == ("slow", "fast")
    assert [item.live for item in KNOWN.values()] == [True] + [False] * 8


def test_types_have_their_ros_names() -> None:
    assert [item.type_name for item in KNOWN.values()] == [
        "bool", "integer", "double", "double", "string", "string", "string array",
        "integer array", "double array"]


def test_ranges_in_words() -> None:
    assert [item.range_text for item in KNOWN.values()] == [
        "", "1 … 8", "0 … 2", "", "slow, fast", "", "", "", ""]
    assert Parameter("x", int, 1, "", low=0).range_text == "≥ 0"
    assert Parameter("x", int, 1, "", high=0).range_text == "≤ 0"


@pytest.mark.parametrize(("values", "message"), [
    ({"wheel": 1}, "unknown parameter 'wheel'; known: 'brake', 'gain', 'gains', 'ids', 'mode', "
                   "'name', 'speed', 'tags', 'wheels'"),
    ({"brake": 1}, "brake: 1 is not a bool"),
    ({"wheels": 2.0}, "wheels: 2.0 is not an integer"),
    ({"wheels": True}, "wheels: True is not an integer"),
    ({"wheels": "4"}, "wheels: '4' is not an integer"),
    ({"wheels": None}, "wheels: None is not an integer"),
    ({"wheels": 0}, "wheels: 0 is outside 1 … 8"),
    ({"wheels": 9}, "wheels: 9 is outside 1 … 8"),
    ({"speed": -0.1}, "speed: -0.1 is outside 0 … 2"),
    ({"speed": 2.1}, "speed: 2.1 is outside 0 … 2"),
    ({"speed": math.nan}, "speed: nan is not finite"),
    ({"speed": True}, "speed: True is not a double"),
    ({"gain": math.inf}, "gain: inf is not finite"),
    ({"gain": 2**63}, "gain: 9223372036854775808 needs more than 64 bits"),
    ({"wheels": 10**400}, f"wheels: {10**400} needs more than 64 bits"),
    ({"mode": "quick"}, "mode: 'quick' is not one of 'fast', 'slow'"),
    ({"mode": ["slow"]}, "mode: ['slow'] is not a string"),
    ({"name": 7}, "name: 7 is not a string"),
    ({"tags": "ab"}, "tags: 'ab' is not a string array"),
    ({"tags": ["a", 1]}, "tags: ['a', 1] is not a string array"),
    ({"ids": [1, 2.0]}, "ids: [1, 2.0] is not an integer array"),
    ({"ids": [True]}, "ids: [True] is not an integer array"),
    ({"ids": [1, 2**63]}, "ids: 9223372036854775808 needs more than 64 bits"),
    ({"gains": ["x"]}, "gains: ['x'] is not a double array"),
    ({"gains": [1.0, math.inf]}, "gains: inf is not finite"),
    ({"gains": True}, "gains: True is not a double array"),
    ({"wheels": 3, "mode": "fast"}, "wheels: 3 would tip over in mode 'fast'"),
])
def test_a_bad_value_gives_one_line_with_parameter_value_and_what_is_allowed(
        values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build(Robot, values)
    assert str(caught.value) == message


@pytest.mark.parametrize(("values", "name", "value"), [
    ({"wheels": 1}, "wheels", 1), ({"wheels": 8}, "wheels", 8), ({"speed": 0.0}, "speed", 0.0),
    ({"speed": 2}, "speed", 2.0), ({"gain": -1e300}, "gain", -1e300),
    ({"tags": ["x"]}, "tags", ("x",)), ({"tags": []}, "tags", ()), ({"ids": [3, 1]}, "ids", (3, 1)),
    ({"gains": 2}, "gains", (2.0,)), ({"gains": [1, 0.5]}, "gains", (1.0, 0.5)),
    ({"brake": False}, "brake", False)])
def test_allowed_values_are_taken_in_the_parameters_own_type(
        values: dict[str, object], name: str, value: object) -> None:
    taken = getattr(build(Robot, values), name)
    assert taken == value
    assert type(taken) is type(value)


def test_integers_are_those_of_64_bits() -> None:
    any_integer = Parameter("x", int, 0, "")
    assert any_integer.problem(-2**63) is None
    assert any_integer.problem(2**63 - 1) is None
    assert any_integer.problem(-2**63 - 1) is not None
    assert any_integer.problem(2**63) is not None


def test_absent_values_keep_their_defaults() -> None:
    assert build(Robot, {}) == Robot()
    assert build(Robot, {"wheels": 5}) == Robot(wheels=5)


@given(st.builds(Robot, brake=st.booleans(), wheels=st.integers(4, 8),
                 speed=st.floats(0, 2), gain=st.floats(allow_nan=False, allow_infinity=False),
                 mode=st.sampled_from(["slow", "fast"]), name=st.text(),
                 tags=st.lists(st.text()).map(tuple),
                 ids=st.lists(st.integers(-2**63, 2**63 - 1)).map(tuple),
                 gains=st.lists(st.floats(allow_nan=False, allow_infinity=False)).map(tuple)))
def test_values_there_and_back(robot: Robot) -> None:
    assert build(Robot, values_of(robot)) == robot


@pytest.mark.parametrize(("name", "text", "value"), [
    ("brake", "true", True), ("brake", "False", False), ("wheels", "3", 3), ("speed", "1", 1.0),
    ("gain", "-1e-3", -0.001), ("mode", "fast", "fast"), ("name", "a=b,c", "a=b,c"),
    ("name", "", ""), ("tags", "a,b=1", ("a", "b=1")), ("tags", "", ()), ("ids", "1,2", (1, 2)),
    ("gains", "1,0.5", (1.0, 0.5))])
def test_values_from_a_command_line(name: str, text: str, value: Any) -> None:
    read = KNOWN[name].parse(text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(("name", "text", "message"), [
    ("brake", "1", "brake: '1' is not a bool"),
    ("wheels", "2.5", "wheels: '2.5' is not an integer"),
    ("wheels", "", "wheels: '' is not an integer"), ("speed", "x", "speed: 'x' is not a double"),
    ("speed", "nan", "speed: nan is not finite"), ("wheels", "9", "wheels: 9 is outside 1 … 8"),
    ("mode", "x", "mode: 'x' is not one of 'fast', 'slow'"),
    ("ids", "1,x", "ids: '1,x' is not an integer array")])
def test_bad_values_from_a_command_line(name: str, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        KNOWN[name].parse(text)
    assert str(caught.value) == message


@dataclass(frozen=True)
class Spoken:
    """A text that YAML may take for something else."""

    how: str = parameter("off", "how", plain=("off", "on"))
    name: str = parameter("", "what it is called")


@pytest.mark.parametrize(("given", "meant"), [
    ("off", "off"), (False, "off"), (True, "on"), (0.25, "0.25"), (1, "1"), ("0.25", "0.25")])
def test_a_plain_text_may_stand_without_quotes(given: object, meant: str) -> None:
    assert build(Spoken, {"how": given}) == Spoken(meant)


@pytest.mark.parametrize(("text", "meant"), [
    ("off", "off"), ("false", "off"), ("True", "on"), ("0.25", "0.25"), ("on", "on")])
def test_a_command_line_says_a_plain_text_as_a_file_does(text: str, meant: str) -> None:
    assert parameters(Spoken)["how"].parse(text) == meant


@pytest.mark.parametrize("value", [None, [1], ["off"]])
def test_what_no_text_can_be_is_refused_where_it_is_plain(value: object) -> None:
    with pytest.raises(ConfigError, match=r"how: .* is not a string"):
        build(Spoken, {"how": value})


def test_other_texts_need_their_quotes() -> None:
    with pytest.raises(ConfigError, match="name: False is not a string"):
        build(Spoken, {"name": False})
