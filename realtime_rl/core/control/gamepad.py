"""A plant's discrete actions as a gamepad driver would send them, and back.

The layout says where each button label sits: `A=0 B=1 START=7 SELECT=6 LEFT=axis6+ RIGHT=axis6-
UP=axis7+ DOWN=axis7-` is what `joy_node` sends for an Xbox pad (D-pad on axes); with a D-pad on
buttons write `LEFT=13` and so on, with a trigger, which rests at 1, `A=axis5-@1`. A label may be a
combination, `A+RIGHT`. Continuous actions: `gamepad_axes`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from realtime_rl.core.control.gamepad_axes import AUTO, AxesLayout
from realtime_rl.core.control.joystick import DEADZONE, JoystickAxis
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.types import Action, ActionSpace

XBOX = "A=0 B=1 SELECT=6 START=7 LEFT=axis6+ RIGHT=axis6- UP=axis7+ DOWN=axis7-"
_PRESSED = 0.5
"""An axis beyond half its travel counts as pressed: D-pads give 0 or 1, sticks drift."""


@dataclass(frozen=True, slots=True)
class _Place:
    index: int
    sign: int
    """+1 or -1 on an axis, 0 for a button."""
    rest: float = 0.0
    """Of the axis."""

    @property
    def axis(self) -> JoystickAxis:
        return JoystickAxis(self.index, self.rest)

    def pressed(self, axes: Sequence[float], buttons: Sequence[int]) -> bool:
        if self.sign:
            return self.axis.moved(axes) * self.sign > _PRESSED
        return self.index < len(buttons) and bool(buttons[self.index])


@dataclass(frozen=True, slots=True)
class GamepadLayout:
    """Where the labels of a discrete action space sit on a gamepad."""

    space: ActionSpace
    places: dict[str, _Place]

    @staticmethod
    def parse(text: str, space: ActionSpace) -> GamepadLayout:
        """Read a layout; `ConfigError` when it does not fit `space`.

        `auto` is an Xbox pad's where that has a place for every label, else a button for each
        label in order. Every label needs a place, and what is pressed must tell every action from
        the others.
        """
        if text == AUTO:
            known = {word.split("=")[0] for word in XBOX.split()}
            fits = all(_parts(label) <= known for label in space.labels)
            parts = dict.fromkeys(part for label in space.labels for part in label.split("+"))
            text = XBOX if fits else " ".join(
                f"{part}={index}" for index, part in enumerate(parts))
        places: dict[str, _Place] = {}
        for word in text.split():
            match = re.fullmatch(
                r"([^=+]+)=(?:(\d+)|axis(\d+)([+-])(?:@([-+]?\d+\.?\d*))?)", word)
            if match is None:
                raise ConfigError(f"gamepad layout {word!r}: write it like 'A=0' or 'LEFT=axis6+'")
            places[match[1]] = _place(match, word)
        absent = {part for label in space.labels for part in _parts(label)} - places.keys()
        if absent:
            raise ConfigError(f"gamepad layout has no place for {', '.join(sorted(absent))}")
        layout = GamepadLayout(space, places)
        for index, label in enumerate(space.labels):
            read = int(layout.decode(*layout.encode((float(index),)))[0])
            if read != index:
                raise ConfigError(f"gamepad layout cannot tell {label!r} from "
                                  f"{space.labels[read]!r}")
        return layout

    @property
    def joysticks(self) -> tuple[JoystickAxis, ...]:
        """The axes that it reads."""
        return tuple(dict.fromkeys(place.axis for place in self.places.values() if place.sign))

    @property
    def slack(self) -> float:
        """Share of an axis' travel within which it presses nothing."""
        return _PRESSED

    def problem(self, axes: Sequence[float]) -> str | None:
        """Say why `axes` cannot be read; `None`: they can. Those that are absent press nothing."""
        strange = [each.index for each in self.joysticks
                   if each.index < len(axes) and not math.isfinite(axes[each.index])]
        return f"axis {strange[0]} is {axes[strange[0]]!r}" if strange else None

    def encode(self, action: Action) -> tuple[tuple[float, ...], tuple[int, ...]]:
        """Return the axes and buttons that a driver sends while `action` is held."""
        axes = [0.0] * (1 + max((p.index for p in self.places.values() if p.sign), default=-1))
        for place in self.places.values():
            if place.sign:
                axes[place.index] = place.rest
        buttons = [0] * (1 + max((p.index for p in self.places.values() if not p.sign), default=-1))
        for part in _parts(self.space.labels[int(action[0])]):
            place = self.places[part]
            if place.sign:
                axes[place.index] = float(place.sign)
            else:
                buttons[place.index] = 1
        return tuple(axes), tuple(buttons)

    def decode(self, axes: Sequence[float], buttons: Sequence[int]) -> Action:
        """Return the action with the most labels pressed; the no-op when none is."""
        pressed = {label for label, place in self.places.items() if place.pressed(axes, buttons)}
        best, most = self.space.noop, 0
        for index, label in enumerate(self.space.labels):
            parts = _parts(label)
            if len(parts) > most and parts <= pressed:
                best, most = (float(index),), len(parts)
        return best


PadLayout = GamepadLayout | AxesLayout


def pad_layout(text: str, space: ActionSpace, deadzone: float = DEADZONE) -> PadLayout | None:
    """Read the layout of a discrete or a continuous space.

    Returns:
        `None` for `auto` where only a person can say which axis is which (continuous spaces).

    Raises:
        ConfigError: it does not fit `space`.
    """
    return (GamepadLayout.parse(text, space) if space.discrete
            else AxesLayout.parse(text, space, deadzone))


def unknown_axes(space: ActionSpace) -> str:
    """Say what to do where `pad_layout` found none."""
    label = space.labels[0]
    return (f"which axis of a gamepad is {label!r}? Set gamepad_layout, as '{label}=axis1+' "
            "for each")


def _place(match: re.Match[str], word: str) -> _Place:
    _, button, axis, sign, rest = match.groups()
    if button is not None:
        return _Place(int(button), 0)
    place = _Place(int(axis), 1 if sign == "+" else -1, float(rest or 0.0))
    if not place.axis.travels(place.sign):
        raise ConfigError(f"gamepad layout {word!r}: an axis that rests at {place.rest:g} does "
                          f"not go {'up' if place.sign > 0 else 'down'} from there")
    return place


def _parts(label: str) -> set[str]:
    """Split `A+RIGHT`; the no-op presses nothing."""
    return set() if label == "NOOP" else set(label.split("+"))
