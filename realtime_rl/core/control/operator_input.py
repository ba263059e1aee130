"""A person's gamepad on `operator`: when it takes over from the policy, and what it then asks for.

Nothing moves because of an input that might not be meant. A stick that is not quite in its middle
takes nothing over; an axis counts only once it was at rest, as nobody knows of a pad that was just
plugged in which of its axes are held and which rest elsewhere; and a robot's operator holds a
button (the deadman) to take over, and gives back by letting go of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from realtime_rl.core.control.gamepad import PadLayout, unknown_axes
from realtime_rl.core.types import Action, ActionSpace


@dataclass(frozen=True, slots=True)
class OperatorReading:
    """What one message of a gamepad asks for."""

    action: Action
    engaged: bool
    """Whether the person takes over."""
    refused: str = ""
    """Why it is not taken; empty: it is."""


class OperatorInput:
    """Reads the messages of one gamepad, in their order."""

    def __init__(self, space: ActionSpace, layout: PadLayout | None, button: int, *,
                 robot: bool) -> None:
        """Read a pad.

        Args:
            space: the plant's actions.
            layout: as `pad_layout` returned it.
            button: that has to be held to take over; -1: any input takes over.
            robot: something real moves: nothing is taken without a button.
        """
        self._space = space
        self._layout = layout
        self._button = button
        self._robot = robot
        self._rested: set[int] = set()

    def read(self, axes: Sequence[float], buttons: Sequence[int]) -> OperatorReading:
        """Take in a message."""
        layout = self._layout
        if self._robot and self._button < 0:
            return self._refuse("a robot's operator holds a button to take over: set "
                                "operator_button")
        if layout is None:
            return self._refuse(unknown_axes(self._space))
        problem = layout.problem(axes) or self._unrested(layout, axes)
        if problem is not None:
            return self._refuse(problem)
        action = layout.decode(axes, buttons)
        engaged = (self._held(buttons) if self._button >= 0 else action != self._space.noop)
        # what is still pushed when the button is let go of is not meant any more
        return OperatorReading(action if engaged else self._space.noop, engaged)

    def _held(self, buttons: Sequence[int]) -> bool:
        return self._button < len(buttons) and buttons[self._button] != 0

    def _unrested(self, layout: PadLayout, axes: Sequence[float]) -> str | None:
        """Say which axis was never at rest yet; `None`: all were."""
        present = [each for each in layout.joysticks if each.index < len(axes)]
        self._rested |= {each.index for each in present if abs(each.moved(axes)) <= layout.slack}
        for each in present:
            if each.index not in self._rested:
                return (f"axis {each.index} was not at rest yet, it is at {axes[each.index]:.2f}: "
                        "let go of it; if it rests there, say so in gamepad_layout, with "
                        f"'@{axes[each.index]:.2g}' behind it")
        return None

    def _refuse(self, why: str) -> OperatorReading:
        return OperatorReading(self._space.noop, False, why)
