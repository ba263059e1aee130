"""What the actuator has promised to execute, and how it travels: a `sensor_msgs/Joy`, as chunks do.

`header.stamp` and `tick` are those of the observation whose chunk it is; `first` is the tick that
the first row is for, `final` the last one whose row is settled.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from realtime_rl.core.messages import ranges
from realtime_rl.core.messages.joy_wire import JoyValues, rows_of, values_of
from realtime_rl.core.messages.wire import WireError, encode_words, whole_numbers
from realtime_rl.core.types import Action, ActionSpace

_WORDS = {"tick": ranges.ID_OR_NONE, "version": ranges.ID_OR_NONE, "first": ranges.ID_OR_NONE,
          "final": ranges.ID_OR_NONE}


@dataclass(frozen=True, slots=True)
class Plan:
    """The rows of the chunk that acts from a tick on, unless a newer one does."""

    stamp_ns: int = 0
    """Stamp of the observation whose chunk it is [ns]."""
    tick: int = -1
    """Tick of that observation; -1: nothing is promised."""
    version: int = -1
    """Of the policy that gave the chunk."""
    first_tick: int = -1
    """The tick that the first row is for."""
    final_until: int = -1
    """The last tick that no newer chunk is taken up at; less than `first_tick`: none is."""
    rows: tuple[Action, ...] = ()


NOTHING = Plan()


def encode_plan(plan: Plan, space: ActionSpace) -> JoyValues:
    """Lay a plan out, its rows as those of a chunk; `NOTHING` has none."""
    axes, buttons = values_of(tuple(itertools.chain.from_iterable(plan.rows)), space)
    return JoyValues(plan.stamp_ns, encode_words({
        "tick": plan.tick, "version": plan.version, "first": plan.first_tick,
        "final": plan.final_until}), axes, buttons)


def decode_plan(joy: JoyValues, space: ActionSpace) -> Plan:
    """Read a plan; `WireError` where it is none."""
    tick, version, first, final = whole_numbers("plan", joy.frame_id, _WORDS)
    if tick < 0:
        return NOTHING
    if ranges.STAMP.problem(joy.stamp_ns) is not None or first < 0:
        raise WireError(f"plan of tick {tick}, stamped {joy.stamp_ns} ns, from tick {first} on")
    rows = rows_of(joy, space)
    if any(space.problem(row) is not None for row in rows):
        raise WireError(f"plan of tick {tick}: a row is not in the action space")
    return Plan(joy.stamp_ns, tick, version, first, final, rows)
