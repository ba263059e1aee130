"""When a person's gamepad takes over."""

from __future__ import annotations

import pytest
from core.control.test_gamepad_axes import BASE, XBOX_AT_REST, moved
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.control.gamepad import XBOX, pad_layout
from realtime_rl.core.control.operator_input import OperatorInput, OperatorReading
from realtime_rl.core.types import ActionSpace

PAD = ActionSpace(("A", "LEFT", "NOOP"), (2.0,))
STICKS = "vx=axis1+ wz=axis0+"
NOBODY = OperatorReading(BASE.noop, False)


def operator(text: str = STICKS, *, space: ActionSpace = BASE, button: int = -1,
             robot: bool = False, deadzone: float = 0.1) -> OperatorInput:
    return OperatorInput(space, pad_layout(text, space, deadzone), button, robot=robot)


def test_a_hundredth_on_one_axis_takes_nothing_over() -> None:
    pad = operator()
    for value in (0.0, 0.01, -0.02, 0.1):
        assert pad.read(moved(axis1=value), ()) == NOBODY
    read = pad.read(moved(axis1=0.55), ())
    assert (read.action, read.engaged) == (pytest.approx((0.5, 0.0)), True)


def test_axes_that_move_nothing_and_buttons_take_nothing_over() -> None:
    pad = operator()
    assert pad.read(moved(axis2=-1.0, axis6=1.0), (1,) * 11) == NOBODY


def test_a_pad_whose_trigger_rests_at_one_end_does_not_take_over() -> None:
    """Whether it is pulled or rests there, nobody can know: it is said, and moves nothing."""
    pad = operator("vx=axis5+ wz=axis0+")
    for _ in range(3):
        read = pad.read(XBOX_AT_REST, ())
        assert (read.action, read.engaged) == (BASE.noop, False)
        assert read.refused == (
            "axis 5 was not at rest yet, it is at 1.00: let go of it; if it rests there, say so "
            "in gamepad_layout, with '@1' behind it")
    declared = operator("vx=axis5-@1 wz=axis0+")
    assert declared.read(XBOX_AT_REST, ()) == NOBODY
    assert declared.read(moved(axis5=-1.0), ()) == OperatorReading((1.0, 0.0), True)


def test_a_stick_that_is_held_when_the_pad_is_met_has_to_be_let_go_of() -> None:
    pad = operator()
    both = moved(axis0=1.0, axis1=1.0)
    assert pad.read(both, ()).refused.startswith("axis 1 was not at rest yet")
    assert pad.read(moved(axis0=1.0), ()).refused.startswith("axis 0 was not at rest yet")
    assert pad.read(moved(axis1=1.0), ()) == OperatorReading((1.0, 0.0), True)


def test_a_robot_is_not_moved_without_a_button() -> None:
    pad = operator(robot=True)
    assert pad.read(moved(), ()).refused == (
        "a robot's operator holds a button to take over: set operator_button")
    read = pad.read(moved(axis1=1.0), (1,) * 11)
    assert (read.action, read.engaged) == (BASE.noop, False)


def test_while_the_button_is_held_the_person_acts_and_no_longer() -> None:
    pad = operator(button=4, robot=True)
    held, loose = (0, 0, 0, 0, 1), (1, 1, 1, 1, 0)
    assert pad.read(moved(), held) == OperatorReading(BASE.noop, True)
    assert pad.read(moved(axis1=1.0), held) == OperatorReading((1.0, 0.0), True)
    assert pad.read(moved(axis1=1.0), loose) == NOBODY, "what is still pushed is not meant"
    assert pad.read(moved(axis1=1.0), ()) == NOBODY, "a pad without that button"


def test_what_cannot_be_read_takes_nothing_over() -> None:
    pad = operator()
    pad.read(moved(), ())
    assert pad.read((float("nan"),) * 8, ()).refused == "axis 1 is nan"
    assert pad.read((1.0,), ()).refused == "1 axes, the layout needs axis 1"


def test_where_nobody_knows_which_axis_is_which_nothing_is_taken() -> None:
    space = ActionSpace(("u0",), (0.0,), (-2.0,), (2.0,))
    read = operator("auto", space=space).read(moved(axis0=1.0), (1,))
    assert (read.action, read.engaged) == ((0.0,), False)
    assert read.refused.startswith("which axis of a gamepad is 'u0'?")


def test_buttons_of_a_game_take_over_at_once() -> None:
    pad = operator(XBOX, space=PAD)
    assert pad.read((), (1,)) == OperatorReading((0.0,), True)
    assert pad.read((), (0,)) == OperatorReading((2.0,), False)


def test_a_cross_that_is_pressed_when_the_pad_is_met_has_to_be_let_go_of() -> None:
    pad = operator(XBOX, space=PAD)
    assert pad.read(moved(axis6=1.0), (0,) * 11).refused.startswith("axis 6 was not at rest yet")
    assert not pad.read(moved(axis6=0.3), (0,) * 11).engaged
    assert pad.read(moved(axis6=1.0), (0,) * 11) == OperatorReading((1.0,), True)


@given(st.lists(st.tuples(st.lists(st.floats(-1.0, 1.0), max_size=8),
                          st.lists(st.integers(0, 1), max_size=6)), max_size=30),
       st.sampled_from([-1, 4]), st.booleans())
def test_a_robot_never_moves_without_its_button_held(
    messages: list[tuple[list[float], list[int]]], button: int, robot: bool
) -> None:
    pad = operator(button=button, robot=robot)
    for axes, buttons in messages:
        read = pad.read(axes, buttons)
        assert BASE.problem(read.action) is None
        assert read.engaged or read.action == BASE.noop
        if robot or button >= 0:
            assert not read.engaged or buttons[4:5] == [1]
