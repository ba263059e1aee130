"""A schedule as the parameters of an inference node."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import cast

from rcl_interfaces.msg import Parameter as ParameterMessage
from rclpy.parameter import Parameter, parameter_value_to_python

from realtime_rl.core.schedule.stagger import Schedule
from realtime_rl.core.settings.config import parameters
from realtime_rl.core.settings.config import values_of as config_values
from realtime_rl.core.settings.inference import schedule_parameters

PREFIX = "schedule_"
ASKED_FOR = ("algorithm", "dealing", "slot_source")
"""Parameters of the coordinator that it tells on as they are; the rest it works out."""
Values = dict[str, object]


def to_parameters(schedule: Schedule) -> list[Parameter]:
    """Write a schedule, to be set all at once."""
    return [Parameter(name, value=list(value) if isinstance(value, tuple) else value)
            for name, value in schedule_parameters(schedule).items()]


def values_of(parameters: Iterable[Parameter]) -> Values:
    """Return what parameters say, by name, comparable with `changed`."""
    return {each.name: _plain(each.value) for each in parameters}


def changed(messages: Iterable[ParameterMessage]) -> Values:
    """Return what an event tells of a schedule: the parameters of one that were set."""
    return {each.name: _plain(parameter_value_to_python(each.value)) for each in messages
            if each.name.startswith(PREFIX)}


def part_refused(changes: Iterable[Parameter], config: object, coordinator: Callable[[], str]
                 ) -> str:
    """Why changes of a part of the schedule alone are refused, and what to set; empty: they aren't.

    Args:
        changes: what somebody wants to set.
        config: the node's present configuration.
        coordinator: gives the name of who tells the schedule, all of it at once, and would undo
            the change; empty: nobody does.
    """
    wanted = values_of(changes)
    present = {name: value for name, value in config_values(config).items()
               if name.startswith(PREFIX)}
    part = {name for name in wanted.keys() & present.keys() if wanted[name] != present[name]}
    if not part or present.keys() <= wanted.keys() or not (teller := coordinator()):
        return ""
    name = min(part)
    if parameters(type(config))[name].problem(wanted[name]):
        return ""  # it is refused for that, with what is allowed
    asked = name.removeprefix(PREFIX)
    instead = (f"set its parameter instead: ros2 param set {teller} {asked} {wanted[name]}"
               if asked in ASKED_FOR else f"its parameters {', '.join(ASKED_FOR)} and sizing say "
               "what it works out")
    return f"{name}: {teller} tells the schedule and would write it over; {instead}"


def _plain(value: object) -> object:
    """ROS gives arrays as `array.array`, and takes lists."""
    return value if isinstance(value, str | int | float) else tuple(cast(Iterable[object], value))
