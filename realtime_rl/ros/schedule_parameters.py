"""A schedule as the parameters of an inference node."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from rcl_interfaces.msg import Parameter as ParameterMessage
from rclpy.parameter import Parameter, parameter_value_to_python

from realtime_rl.core.stagger import Schedule

PREFIX = "schedule_"
Values = dict[str, object]


def to_parameters(schedule: Schedule) -> list[Parameter]:
    """Write a schedule, to be set all at once."""
    return [
        Parameter("schedule_generation", value=schedule.generation),
        Parameter("schedule_effective_tick", value=schedule.effective_tick),
        Parameter("schedule_active", value=list(schedule.active)),
        Parameter("schedule_delay", value=schedule.promised_delay_ticks),
        Parameter("schedule_cycle", value=schedule.cycle),
        Parameter("schedule_hold_ns", value=schedule.hold_ns),
        Parameter("schedule_algorithm", value=schedule.algorithm.name.lower()),
        Parameter("schedule_dealing", value=schedule.dealing.name.lower()),
        Parameter("schedule_slot_source", value=schedule.slot_source.name.lower())]


def values_of(parameters: Iterable[Parameter]) -> Values:
    """Return what parameters say, by name, comparable with `changed`."""
    return {each.name: _plain(each.value) for each in parameters}


def changed(messages: Iterable[ParameterMessage]) -> Values:
    """Return what an event tells of a schedule: the parameters of one that were set."""
    return {each.name: _plain(parameter_value_to_python(each.value)) for each in messages
            if each.name.startswith(PREFIX)}


def _plain(value: object) -> object:
    """ROS gives arrays as `array.array`, and takes lists."""
    return value if isinstance(value, str | int | float) else tuple(cast(Iterable[object], value))
