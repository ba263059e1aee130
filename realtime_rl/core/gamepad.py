"""A plant's discrete actions as a gamepad driver would send them, and back.

The layout says where each button label sits: `A=0 B=1 START=7 SELECT=6 LEFT=axis6+ RIGHT=axis6-
UP=axis7+ DOWN=axis7-` is what `joy_node` sends for an Xbox pad (D-pad on axes); with a D-pad on
buttons write `LEFT=13` and so on. A label may be a combination, `A+RIGHT`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.types import Action, ActionSpace

XBOX = "A=0 B=1 SELECT=6 START=7 LEFT=axis6+ RIGHT=axis6- UP=axis7+ DOWN=axis7-"
AUTO = "auto"
"""`XBOX` where it has a place for every label, else a button for each label in order."""
DPAD_ON_BUTTONS = "A=0 B=1 SELECT=8 START=9 UP=12 DOWN=13 LEFT=14 RIGHT=15"
_PRESSED = 0.5
"""An axis beyond half its travel counts as pressed: D-pads give 0 or 1, sticks drift."""


@dataclass(frozen=True, slots=True)
class _Place:
    index: int
    sign: int
    """+1 or -1 on an axis, 0 for a button."""


@dataclass(frozen=True, slots=True)
class GamepadLayout:
    """Where the labels of a discrete action space sit on a gamepad."""

    space: ActionSpace
    places: dict[str, _Place]

    @staticmethod
    def parse(text: str, space: ActionSpace) -> GamepadLayout:
        """Read a layout; `ConfigError` when it does not fit `space`.

        Every label needs a place, and what is pressed must tell every action from the others.
        """
        if text == AUTO:
            known = {word.split("=")[0] for word in XBOX.split()}
            fits = all(_parts(label) <= known for label in space.labels)
            parts = dict.fromkeys(part for label in space.labels for part in label.split("+"))
            text = XBOX if fits else " ".join(
                f"{part}={index}" for index, part in enumerate(parts))
        places: dict[str, _Place] = {}
        for word in text.split():
            match = re.fullmatch(r"([^=+]+)=(?:(\d+)|axis(\d+)([+-]))", word)
            if match is None:
                raise ConfigError(f"gamepad layout {word!r}: write it like 'A=0' or 'LEFT=axis6+'")
            label, button, axis, sign = match.groups()
            places[label] = (_Place(int(button), 0) if button is not None
                             else _Place(int(axis), 1 if sign == "+" else -1))
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

    def encode(self, action: Action) -> tuple[tuple[float, ...], tuple[int, ...]]:
        """Return the axes and buttons that a driver sends while `action` is held."""
        axes = [0.0] * (1 + max((p.index for p in self.places.values() if p.sign), default=-1))
        buttons = [0] * (1 + max((p.index for p in self.places.values() if not p.sign), default=-1))
        for part in _parts(self.space.labels[int(action[0])]):
            place = self.places[part]
            if place.sign:
                axes[place.index] = float(place.sign)
            else:
                buttons[place.index] = 1
        return tuple(axes), tuple(buttons)

    def decode(self, axes: tuple[float, ...], buttons: tuple[int, ...]) -> Action:
        """Return the action with the most labels pressed; the no-op when none is."""
        pressed = {label for label, place in self.places.items()
                   if self._pressed(place, axes, buttons)}
        best, most = self.space.noop, 0
        for index, label in enumerate(self.space.labels):
            parts = _parts(label)
            if len(parts) > most and parts <= pressed:
                best, most = (float(index),), len(parts)
        return best

    @staticmethod
    def _pressed(place: _Place, axes: tuple[float, ...], buttons: tuple[int, ...]) -> bool:
        if place.sign:
            return place.index < len(axes) and axes[place.index] * place.sign > _PRESSED
        return place.index < len(buttons) and bool(buttons[place.index])


def _parts(label: str) -> set[str]:
    """Split `A+RIGHT`; the no-op presses nothing."""
    return set() if label == "NOOP" else set(label.split("+"))
