"""Actions as a gamepad driver sends them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.control.gamepad import AUTO, XBOX, GamepadLayout
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.types import ActionSpace

BUTTONS = ("A", "B", "SELECT", "START", "LEFT", "RIGHT", "UP", "DOWN")
COMBINATIONS = ("A+RIGHT", "A+B+LEFT", "DOWN+LEFT", "B+UP")
SPACE = ActionSpace((*BUTTONS, *COMBINATIONS, "NOOP"), (len(BUTTONS) + len(COMBINATIONS),))
DPAD_ON_BUTTONS = "A=0 B=1 SELECT=8 START=9 UP=12 DOWN=13 LEFT=14 RIGHT=15"
LAYOUTS = (XBOX, DPAD_ON_BUTTONS, AUTO)


@pytest.mark.parametrize("text", LAYOUTS)
@pytest.mark.parametrize("index", range(SPACE.size))
def test_every_action_is_read_back(text: str, index: int) -> None:
    layout = GamepadLayout.parse(text, SPACE)
    assert layout.decode(*layout.encode((float(index),))) == (float(index),)


@given(st.sampled_from(LAYOUTS), st.sets(st.sampled_from(BUTTONS[:4])),
       st.sampled_from([(), ("LEFT",), ("RIGHT",), ("UP",), ("DOWN",), ("LEFT", "DOWN")]))
def test_the_most_specific_of_what_is_pressed_wins(text: str, pressed: set[str],
                                                   pad: tuple[str, ...]) -> None:
    held = pressed | set(pad)
    label = "+".join(sorted(held)) or "NOOP"
    plain = ActionSpace((*BUTTONS, *({label} - {*BUTTONS, "NOOP"}), "NOOP"), (0.0,))
    axes, buttons = GamepadLayout.parse(
        text, ActionSpace(plain.labels, (float(plain.size - 1),))).encode(
            (float(plain.labels.index(label)),))
    action = GamepadLayout.parse(text, SPACE).decode(axes, buttons)
    fits = {name: len(name.split("+")) for name in SPACE.labels
            if name != "NOOP" and set(name.split("+")) <= held}
    chosen = SPACE.labels[int(action[0])]
    assert fits.get(chosen, 0) == max(fits.values(), default=0)
    assert (chosen == "NOOP") == (not fits)


def test_what_a_driver_sends_for_an_xbox_pad() -> None:
    layout = GamepadLayout.parse(XBOX, SPACE)
    left = [0.0] * 8
    left[6] = 1.0
    up = [0.0] * 8
    up[7] = 1.0
    assert layout.encode((float(SPACE.labels.index("LEFT")),)) == (tuple(left), (0,) * 8)
    assert layout.encode((float(SPACE.labels.index("UP")),)) == (tuple(up), (0,) * 8)
    assert layout.encode((float(SPACE.labels.index("START")),)) == (
        (0.0,) * 8, (0, 0, 0, 0, 0, 0, 0, 1))


def test_a_pad_of_buttons_has_no_axes() -> None:
    axes, buttons = GamepadLayout.parse(DPAD_ON_BUTTONS, SPACE).encode((0.0,))
    assert axes == ()
    assert len(buttons) == 16
    assert buttons[0] == 1


@pytest.mark.parametrize(("tilt", "label"), [
    (0.5, "NOOP"), (0.51, "LEFT"), (1.0, "LEFT"), (-0.5, "NOOP"), (-0.51, "RIGHT")])
def test_an_axis_counts_beyond_half_its_travel(tilt: float, label: str) -> None:
    layout = GamepadLayout.parse(XBOX, SPACE)
    action = layout.decode((0.0,) * 6 + (tilt, 0.0), (0,) * 8)
    assert SPACE.labels[int(action[0])] == label


@pytest.mark.parametrize("axes", range(9))
@pytest.mark.parametrize("buttons", range(9))
def test_a_smaller_pad_presses_nothing_beyond_its_end(axes: int, buttons: int) -> None:
    layout = GamepadLayout.parse(XBOX, SPACE)
    assert layout.decode((0.0,) * axes, (0,) * buttons) == SPACE.noop
    assert layout.decode((0.0,) * axes, (1,) + (0,) * buttons) == (0.0,)


def test_of_labels_that_fit_equally_the_first_is_taken() -> None:
    assert GamepadLayout.parse(DPAD_ON_BUTTONS, SPACE).decode((), (1, 1)) == (0.0,)


def test_auto_is_an_xbox_pad_where_that_has_every_label() -> None:
    assert GamepadLayout.parse(AUTO, SPACE) == GamepadLayout.parse(XBOX, SPACE)


def test_auto_gives_unknown_labels_a_button_each() -> None:
    space = ActionSpace(("X", "Y", "X+Y", "go-left", "NOOP"), (4.0,))
    layout = GamepadLayout.parse(AUTO, space)
    assert layout.encode((2.0,))[1][:2] == (1, 1)
    for index in range(space.size):
        assert layout.decode(*layout.encode((float(index),))) == (float(index),)


def test_a_noop_may_be_any_label() -> None:
    space = ActionSpace(("COAST", "FIRE"), (0.0,))
    layout = GamepadLayout.parse(AUTO, space)
    assert layout.decode((), ()) == (0.0,)
    assert layout.decode(*layout.encode((1.0,))) == (1.0,)


@pytest.mark.parametrize("word", ["A", "A=", "=0", "A=x", "A=axis6", "A=axis+", "A=-1", "A=0+"])
def test_a_bad_place_is_named(word: str) -> None:
    with pytest.raises(ConfigError, match=r"gamepad layout .*write it like 'A=0'"):
        GamepadLayout.parse(word, ActionSpace(("A", "NOOP"), (1.0,)))


def test_labels_without_a_place_are_named() -> None:
    with pytest.raises(ConfigError, match="no place for B, X"):
        GamepadLayout.parse("A=0", ActionSpace(("A+X", "B", "NOOP"), (2.0,)))


@pytest.mark.parametrize(("text", "labels"), [
    ("A=0 B=0", ("A", "B", "NOOP")), (XBOX, ("LEFT", "LEFT+RIGHT", "NOOP")),
    (XBOX, ("A+B", "B+A", "NOOP"))])
def test_actions_that_look_alike_are_refused(text: str, labels: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="cannot tell"):
        GamepadLayout.parse(text, ActionSpace(labels, (len(labels) - 1.0,)))


def test_a_trigger_that_rests_at_one_end() -> None:
    space = ActionSpace(("FIRE", "LEFT", "NOOP"), (2.0,))
    layout = GamepadLayout.parse("FIRE=axis5-@1 LEFT=axis0+", space)
    at_rest = (0.0,) * 5 + (1.0,)
    assert layout.encode((2.0,)) == (at_rest, ())
    assert layout.encode((0.0,)) == ((0.0,) * 5 + (-1.0,), ())
    assert layout.decode(at_rest, ()) == space.noop
    assert layout.decode((0.0,) * 5 + (0.1,), ()) == space.noop
    assert layout.decode((0.0,) * 5 + (-0.1,), ()) == (0.0,)


def test_an_axis_that_cannot_go_there_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'A=axis5\+@1': an axis that rests at 1 does not go up"):
        GamepadLayout.parse("A=axis5+@1", ActionSpace(("A", "NOOP"), (1.0,)))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_an_axis_with_no_number_is_said(value: float) -> None:
    layout = GamepadLayout.parse(XBOX, SPACE)
    assert layout.problem((0.0,) * 6 + (value, 0.0)) == f"axis 6 is {value!r}"
    assert layout.problem((value,) + (0.0,) * 7) is None, "nothing sits there"
