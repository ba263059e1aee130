"""Actions and commands to and from `sensor_msgs/Joy`, the messages of gamepads.

`header.frame_id` says in words (`wire`) whose action it is, or on whose behalf a command is given.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from realtime_rl.core.messages import ranges
from realtime_rl.core.messages.records import ActionMessage, Command
from realtime_rl.core.messages.wire import (
    WireError,
    encode_words,
    short,
    whole_numbers,
    words_of,
)
from realtime_rl.core.types import Action, ActionSpace, Cause

_ACTION_WORDS = {"tick": ranges.ID, "due": ranges.ID_OR_NONE, "worker": ranges.WORKER,
                 "version": ranges.ID_OR_NONE, "generation": ranges.ID,
                 "first": ranges.ID_OR_NONE}
_ONE_ACTION = {"first": "-1"}
_COMMAND_WORDS = {"worker": ranges.WORKER_OR_NONE, "version": ranges.ID_OR_NONE,
                  "tick": ranges.ID_OR_NONE, "row": ranges.ID_OR_NONE, "merged": ranges.ID}
_NOBODYS = {"worker": "-1", "version": "-1", "tick": "-1", "row": "-1", "merged": "0"}
"""What a command is that does not say whose it is."""


@dataclass(frozen=True, slots=True)
class JoyValues:
    """The payload of a `sensor_msgs/Joy`."""

    stamp_ns: int
    frame_id: str
    axes: tuple[float, ...]
    buttons: tuple[int, ...]


def encode_action(message: ActionMessage, space: ActionSpace) -> JoyValues:
    """Lay an action out: `buttons=[index]` when discrete, `axes` one value a dimension else.

    Of a chunk the rows follow each other, and `first` says which tick the first is meant for.
    """
    words = {"tick": message.tick, "due": message.due_tick, "worker": message.worker,
             "version": message.version, "generation": message.generation}
    action = message.action
    if message.rows:
        words["first"] = message.first_tick
        action = tuple(itertools.chain.from_iterable(message.rows))
    axes, buttons = _values(action, space)
    return JoyValues(message.stamp_ns, encode_words(words), axes, buttons)


def decode_action(joy: JoyValues, space: ActionSpace) -> ActionMessage:
    """Read an action; `WireError` when its identity or the number of its values is wrong.

    A discrete action is an index (one button) or one-hot (as many buttons as choices).
    Values outside the space are read as they are: judging them is the arbiter's work.
    """
    tick, due, worker, version, generation, first = whole_numbers(
        "action", joy.frame_id, _ACTION_WORDS, _ONE_ACTION)
    if ranges.STAMP.problem(joy.stamp_ns) is not None:
        raise WireError(f"action stamped {joy.stamp_ns} ns, which is no ROS time")
    rows = () if first < 0 else _rows(joy, 1 if space.discrete else space.size, space.discrete)
    return ActionMessage(joy.stamp_ns, tick, due, worker, version, generation,
                         rows[0] if rows else _action(joy, space), rows, first)


def decode_chunk(joy: JoyValues, size: int) -> ActionMessage | None:
    """Read a chunk where nothing is known of its space, as in a bag; `None`: it is none.

    Args:
        joy: the message.
        size: values of a row; 1 of choices.

    Raises:
        WireError: its identity is wrong, or its values are no whole rows.
    """
    tick, due, worker, version, generation, first = whole_numbers(
        "action", joy.frame_id, _ACTION_WORDS, _ONE_ACTION)
    if first < 0:
        return None
    rows = _rows(joy, size, discrete=not joy.axes)
    return ActionMessage(joy.stamp_ns, tick, due, worker, version, generation, rows[0], rows, first)


def _values(values: Action, space: ActionSpace) -> tuple[tuple[float, ...], tuple[int, ...]]:
    return ((), tuple(map(int, values))) if space.discrete else (values, ())


def _rows(joy: JoyValues, size: int, discrete: bool) -> tuple[Action, ...]:
    """Read the rows of a chunk: indices or values, one row after another."""
    values, others = (joy.buttons, joy.axes) if discrete else (joy.axes, joy.buttons)
    rows, rest = divmod(len(values), size)
    if others or rest or not 0 < rows <= ranges.MOST_ROWS:
        raise WireError(f"expected a chunk of 1 to {ranges.MOST_ROWS} rows of {size} values, got "
                        f"{len(joy.axes)} axes and {len(joy.buttons)} buttons")
    flat = tuple(map(float, values))
    return tuple(flat[at:at + size] for at in range(0, len(flat), size))


def _action(joy: JoyValues, space: ActionSpace) -> Action:
    if not space.discrete:
        if joy.buttons or len(joy.axes) != space.size:
            raise WireError(f"expected {space.size} axes and no buttons, got {len(joy.axes)} "
                            f"and {len(joy.buttons)}")
        return tuple(joy.axes)
    if joy.axes:
        if not all(math.isfinite(value) for value in joy.axes):
            return (math.nan,)
        raise WireError(f"expected no axes for a discrete action, got {len(joy.axes)}")
    if len(joy.buttons) == 1:
        return (float(joy.buttons[0]),)
    pressed = [index for index, value in enumerate(joy.buttons) if value]
    if len(joy.buttons) != space.size or len(pressed) != 1:
        raise WireError(f"expected an index or {space.size} one-hot buttons, got "
                        f"{short(str(joy.buttons))}")
    return (float(pressed[0]),)


def command_words(command: Command) -> str:
    """Write on whose behalf a command is given, for the `frame_id` of a gamepad's message."""
    return encode_words({
        "cause": command.cause.word, "worker": command.worker,
        "version": command.version, "tick": command.observation_tick,
        **({"row": command.row, "merged": command.merged} if command.row >= 0 else {}),
    })


def command_from(frame_id: str, action: Action) -> Command:
    """Read a command back; one without our words is an operator's (a bare gamepad driver)."""
    worker, version, tick, row, merged = whole_numbers("command", frame_id, _COMMAND_WORDS,
                                                       _NOBODYS)
    cause = words_of(frame_id).get("cause", "operator").upper()
    if cause not in Cause.__members__:
        raise WireError(f"command frame_id {short(frame_id)}: no cause {short(cause)}")
    return Command(Cause[cause], action, worker, version, tick, row, merged)
