"""Continuous actions from a gamepad."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.control.gamepad import pad_layout, unknown_axes
from realtime_rl.core.control.gamepad_axes import AUTO, AxesLayout
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.types import ActionSpace

BASE = ActionSpace(("vx", "wz"), (0.0, 0.0), (-0.5, -1.0), (1.0, 2.0))
ARM = ActionSpace(("lift", "grip"), (0.2, 0.0), (0.0, 0.0), (1.0, 1.0))
FREE = ActionSpace(("u0",), (0.0,), (-math.inf,), (math.inf,))
XBOX_AT_REST = (0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
"""Eight axes; two of them are triggers."""


def layout(text: str, space: ActionSpace = BASE) -> AxesLayout:
    found = AxesLayout.parse(text, space)
    assert found is not None
    return found


def moved(**axes: float) -> tuple[float, ...]:
    """What an Xbox pad sends while some axes are moved."""
    return tuple(axes.get(f"axis{index}", rest) for index, rest in enumerate(XBOX_AT_REST))


def test_a_pad_of_eight_axes_plays_two_dimensions() -> None:
    read = layout("vx=axis1*0.5 wz=axis3*-1.0")
    assert read.decode(XBOX_AT_REST, ()) == BASE.noop
    assert read.decode(moved(axis1=1.0, axis3=1.0), (1,) * 11) == (0.5, -1.0)
    assert read.decode(moved(axis1=-1.0, axis3=-1.0), ()) == (-0.5, 1.0)
    assert read.decode(moved(axis0=1.0, axis7=-1.0), ()) == BASE.noop, "others do nothing"


def test_without_a_scale_full_travel_is_the_limit_on_either_side() -> None:
    read = layout("vx=axis1+ wz=axis0-")
    assert read.decode(moved(axis1=1.0, axis0=1.0), ()) == (1.0, -1.0)
    assert read.decode(moved(axis1=-1.0, axis0=-1.0), ()) == (-0.5, 2.0)


def test_limits_are_kept_whatever_the_scale() -> None:
    read = layout("vx=axis1*7 wz=axis0*-7")
    assert read.decode(moved(axis1=1.0, axis0=1.0), ()) == (1.0, -1.0)


def test_at_rest_it_is_the_no_op_and_from_there_it_goes() -> None:
    read = layout("lift=axis1+ grip=axis5-@1", ARM)
    assert read.decode(XBOX_AT_REST, ()) == (0.2, 0.0)
    assert read.decode(moved(axis1=1.0, axis5=-1.0), ()) == (1.0, 1.0)
    assert read.decode(moved(axis1=-1.0), ()) == pytest.approx((0.0, 0.0))


def test_a_dimension_may_be_left_alone() -> None:
    assert layout("lift=none grip=axis0*1", ARM).decode(moved(axis0=1.0), ()) == (0.2, 1.0)


@given(st.lists(st.floats(-1.0, 1.0), min_size=8, max_size=8),
       st.sampled_from(["vx=axis1+ wz=axis0-", "vx=axis2-@1 wz=axis5*3@1", AUTO]))
def test_whatever_a_pad_sends_is_in_the_space(axes: list[float], text: str) -> None:
    assert BASE.problem(layout(text).decode(axes, ())) is None


def test_auto_is_the_left_stick_for_a_base_and_nothing_else() -> None:
    assert layout(AUTO) == layout("vx=axis1+ wz=axis0+")
    assert AxesLayout.parse(AUTO, ARM) is None
    assert AxesLayout.parse(AUTO, FREE) is None
    assert pad_layout("", ARM) is None
    assert unknown_axes(ARM) == ("which axis of a gamepad is 'lift'? Set gamepad_layout, as "
                                 "'lift=axis1+' for each")


@pytest.mark.parametrize(("text", "problem"), [
    ("vx=1 wz=axis0+", "'vx=1': write it like 'vx=axis1+', 'wz=axis0*0.8',"),
    ("vx=axis1 wz=axis0+", "'vx=axis1': write it like"),
    ("vx=axis1*x wz=axis0+", "'vx=axis1*x': write it like"),
    ("vx=axis1+", "no place for wz; write 'wz=none' to leave it at the no-op"),
    ("vx=axis1+ wz=axis0+ vy=axis2+", "'vy=axis2+': each of 'vx', 'wz' has one place"),
    ("vx=axis1+ vx=axis0+ wz=none", "'vx=axis0+': each of 'vx', 'wz' has one place"),
    ("vx=axis1+ wz=axis1-", "axis 1 would move several at once"),
    ("vx=axis1*0 wz=axis0+", "'vx=axis1*0': the scale must not be 0"),
    ("vx=axis1+@2 wz=axis0+", "axis 1 cannot rest at 2.0")])
def test_a_layout_that_does_not_fit_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(problem)):
        AxesLayout.parse(text, BASE)


def test_what_has_no_limit_needs_a_scale() -> None:
    with pytest.raises(ConfigError, match=r"'u0' has no limit to go to; write a scale, as "
                                          r"'u0=axis1\*1\.0'"):
        AxesLayout.parse("u0=axis1+", FREE)
    assert layout("u0=axis1*3", FREE).decode((0.0, 1.0), ()) == (3.0,)


@pytest.mark.parametrize(("axes", "problem"), [
    ((0.0,), "1 axes, the layout needs axis 1"), ((0.0, math.nan), "axis 1 is nan"),
    ((math.inf, 0.0), "axis 0 is inf"), ((0.0, 0.0), None), ((0.0, 0.0, math.nan), None)])
def test_a_pad_that_cannot_be_read_says_why(axes: tuple[float, ...], problem: str | None) -> None:
    assert layout("vx=axis1+ wz=axis0+").problem(axes) == problem
