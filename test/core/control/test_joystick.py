"""How far an axis is moved."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.control.joystick import JoystickAxis
from realtime_rl.core.errors import ConfigError

VALUES = st.floats(-1.0, 1.0, allow_subnormal=False)


@pytest.mark.parametrize(("rest", "value", "moved"), [
    (0.0, 0.0, 0.0), (0.0, 1.0, 1.0), (0.0, -0.5, -0.5), (1.0, 1.0, 0.0), (1.0, 0.0, -0.5),
    (1.0, -1.0, -1.0), (-1.0, 0.0, 0.5), (0.2, 1.0, 1.0), (0.2, -1.0, -1.0), (0.2, 0.6, 0.5),
    (0.0, 1.5, 1.0), (1.0, 1.1, 0.0)])
def test_travel_is_measured_from_where_it_rests(rest: float, value: float, moved: float) -> None:
    assert JoystickAxis(1, rest).moved((9.0, value)) == pytest.approx(moved)


@pytest.mark.parametrize(("value", "moved"), [
    (0.01, 0.0), (0.1, 0.0), (-0.1, 0.0), (0.55, 0.5), (-0.55, -0.5), (1.0, 1.0), (-1.0, -1.0)])
def test_the_dead_zone_is_at_rest_and_what_is_beyond_begins_at_nothing(
    value: float, moved: float
) -> None:
    assert JoystickAxis(0).moved((value,), 0.1) == pytest.approx(moved)


@given(st.floats(-1.0, 1.0), VALUES, VALUES, st.floats(0.0, 0.9))
def test_it_goes_one_way_and_stays_within_its_ends(
    rest: float, one: float, other: float, deadzone: float
) -> None:
    axis = JoystickAxis(0, rest)
    low, high = (axis.moved((value,), deadzone) for value in sorted((one, other)))
    assert -1.0 <= low <= high <= 1.0
    assert axis.moved((rest,), deadzone) == 0.0


def test_an_axis_that_a_pad_does_not_have_is_not_moved() -> None:
    assert JoystickAxis(3).moved((1.0, 1.0, 1.0)) == 0.0


def test_no_axis_rests_beyond_its_ends() -> None:
    with pytest.raises(ConfigError, match=r"axis 2 cannot rest at -1\.5: its values are -1 … 1"):
        JoystickAxis(2, -1.5)
