"""Actions and commands to and from `sensor_msgs/Joy`, the messages of gamepads.

`header.frame_id` says in words (`wire`) whose action it is, or on whose behalf a command is given.
"""

from __future__ import annotations

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
                 "version": ranges.ID_OR_NONE, "generation": ranges.ID}
_COMMAND_WORDS = {"worker": ranges.WORKER_OR_NONE, "version": ranges.ID_OR_NONE,
                  "tick": ranges.ID_OR_NONE}


@dataclass(frozen=True, slots=True)
class JoyValues:
    """The payload of a `sensor_msgs/Joy`."""

    stamp_ns: int
    frame_id: str
    axes: tuple[float, ...]
    buttons: tuple[int, ...]


def encode_action(message: ActionMessage, space: ActionSpace) -> JoyValues:
    """Lay an action out: `buttons=[index]` when discrete, `axes` one value a dimension else."""
    frame_id = encode_words({
        "tick": message.tick, "due": message.due_tick, "worker": message.worker,
        "version": message.version, "generation": message.generation,
    })
    axes, buttons = _values(message.action, space)
    return JoyValues(message.stamp_ns, frame_id, axes, buttons)


def decode_action(joy: JoyValues, space: ActionSpace) -> ActionMessage:
    """Read an action; `WireError` when its identity or the number of its values is wrong.

    A discrete action is an index (one button) or one-hot (as many buttons as choices).
    Values outside the space are read as they are: judging them is the arbiter's work.
    """
    tick, due, worker, version, generation = whole_numbers("action", joy.frame_id, _ACTION_WORDS)
    if ranges.STAMP.problem(joy.stamp_ns) is not None:
        raise WireError(f"action stamped {joy.stamp_ns} ns, which is no ROS time")
    return ActionMessage(joy.stamp_ns, tick, due, worker, version, generation,
                         _action(joy, space))


def _values(action: Action, space: ActionSpace) -> tuple[tuple[float, ...], tuple[int, ...]]:
    return ((), (int(action[0]),)) if space.discrete else (action, ())


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
    })


def command_from(frame_id: str, action: Action) -> Command:
    """Read a command back; one without our words is an operator's (a bare gamepad driver)."""
    worker, version, tick = whole_numbers("command", frame_id, _COMMAND_WORDS, default="-1")
    cause = words_of(frame_id).get("cause", "operator").upper()
    if cause not in Cause.__members__:
        raise WireError(f"command frame_id {short(frame_id)}: no cause {short(cause)}")
    return Command(Cause[cause], action, worker, version, tick)
