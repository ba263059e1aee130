"""Continuous actions from a gamepad: which axis moves which dimension, and how far.

`vx=axis1+ wz=axis0*0.8 throttle=axis5-@1 arm=none`: full travel of axis 1 gives the limit of `vx`,
that of axis 0 0.8 more or less than the no-op's `wz`; axis 5, which rests at 1, gives the limit of
`throttle` at -1; `arm` is left at the no-op.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from realtime_rl.core.control.joystick import DEADZONE, JoystickAxis
from realtime_rl.core.errors import ConfigError, choices
from realtime_rl.core.types import Action, ActionSpace

AUTO = "auto"
_TELEOP = {"vx": "vx=axis1+", "wz": "wz=axis0+"}
"""The left stick, as `teleop_twist_joy` has it: the only labels whose axes everybody agrees on."""
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_WORD = re.compile(rf"([^=]+)=(?:none|axis(\d+)(?:([+-])|\*({_NUMBER}))(?:@({_NUMBER}))?)")


@dataclass(frozen=True, slots=True)
class _Dimension:
    """One dimension of the action."""

    axis: JoystickAxis
    up: float
    """What is added to the no-op's value at the upper end of the axis' travel."""
    down: float
    """And at its lower end."""

    def added(self, moved: float) -> float:
        return moved * self.up if moved > 0 else -moved * self.down


@dataclass(frozen=True, slots=True)
class AxesLayout:
    """Where the dimensions of a continuous action space sit on a gamepad."""

    space: ActionSpace
    dimensions: tuple[_Dimension | None, ...]
    slack: float
    """Share of an axis' travel that counts as at rest."""

    @staticmethod
    def parse(text: str, space: ActionSpace, deadzone: float = DEADZONE) -> AxesLayout | None:
        """Read a layout; `None` for `auto` where only a person can say which axis is which.

        Raises:
            ConfigError: it does not fit `space`, or an axis is given twice.
        """
        if text in (AUTO, ""):
            if not set(space.labels) <= _TELEOP.keys() or not all(
                    map(math.isfinite, (*space.low, *space.high))):
                return None
            text = " ".join(_TELEOP[label] for label in space.labels)
        found: dict[str, _Dimension | None] = {}
        for word in text.split():
            match = _WORD.fullmatch(word)
            if match is None:
                raise ConfigError(f"gamepad layout {word!r}: write it like 'vx=axis1+', "
                                  "'wz=axis0*0.8', 'throttle=axis5-@1' or 'vy=none'")
            label = match[1]
            if label not in space.labels or label in found:
                raise ConfigError(f"gamepad layout {word!r}: each of {choices(space.labels)} "
                                  "has one place")
            found[label] = _dimension(match, space, word)
        absent = [label for label in space.labels if label not in found]
        if absent:
            raise ConfigError(f"gamepad layout has no place for {', '.join(absent)}; write "
                              f"'{absent[0]}=none' to leave it at the no-op")
        used = Counter(each.axis.index for each in found.values() if each is not None)
        twice = [index for index, times in used.items() if times > 1]
        if twice:
            raise ConfigError(f"gamepad layout: axis {twice[0]} would move several at once")
        return AxesLayout(space, tuple(found[label] for label in space.labels), deadzone)

    @property
    def joysticks(self) -> tuple[JoystickAxis, ...]:
        """The axes that it reads."""
        return tuple(each.axis for each in self.dimensions if each is not None)

    def problem(self, axes: Sequence[float]) -> str | None:
        """Say why `axes` cannot be read; `None`: they can."""
        for each in self.joysticks:
            if each.index >= len(axes):
                return f"{len(axes)} axes, the layout needs axis {each.index}"
            if not math.isfinite(axes[each.index]):
                return f"axis {each.index} is {axes[each.index]!r}"
        return None

    def decode(self, axes: Sequence[float], buttons: Sequence[int]) -> Action:
        """Return the action, within its limits; the no-op when every axis is at rest."""
        del buttons
        return tuple(
            noop if each is None else
            min(high, max(low, noop + each.added(each.axis.moved(axes, self.slack))))
            for noop, low, high, each in zip(self.space.noop, self.space.low, self.space.high,
                                             self.dimensions, strict=True))


def _dimension(match: re.Match[str], space: ActionSpace, word: str) -> _Dimension | None:
    label, index, sign, scale, rest = match.groups()
    if index is None:
        return None
    axis = JoystickAxis(int(index), float(rest or 0.0))
    place = space.labels.index(label)
    if sign is None:
        full = float(scale)
        if full == 0.0 or not math.isfinite(full):
            raise ConfigError(f"gamepad layout {word!r}: the scale must not be 0")
        return _Dimension(axis, full, -full)
    more, less = (limit - space.noop[place] for limit in (space.high[place], space.low[place]))
    if not (math.isfinite(more) and math.isfinite(less)):
        raise ConfigError(f"gamepad layout {word!r}: {label!r} has no limit to go to; write a "
                          f"scale, as '{label}=axis{index}*1.0'")
    return _Dimension(axis, more, less) if sign == "+" else _Dimension(axis, less, more)
