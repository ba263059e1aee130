"""A part of the schedule that somebody sets alone: refused, with what to set instead."""

from __future__ import annotations

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
from rclpy.parameter import Parameter

from realtime_rl.core.schedule.stagger import Schedule
from realtime_rl.core.settings.inference import InferenceParameters
from realtime_rl.ros import schedule_parameters

CONFIG = InferenceParameters(workers=2)


def refused(coordinator: str = "/fleet/coordinator", **changes: object) -> str:
    return schedule_parameters.part_refused(
        [Parameter(name, value=value) for name, value in changes.items()], CONFIG,
        lambda: coordinator)


def test_what_can_be_asked_for_is_named_as_it_is_typed() -> None:
    assert refused(schedule_algorithm="exp_time") == (
        "schedule_algorithm: /fleet/coordinator tells the schedule and would write it over; set "
        "its parameter instead: ros2 param set /fleet/coordinator algorithm exp_time")


def test_what_is_worked_out_is_said_to_be() -> None:
    assert refused(schedule_delay=9).endswith(
        "its parameters algorithm, dealing, slot_source and sizing say what it works out")


@pytest.mark.parametrize("changes", [
    {"schedule_algorithm": "max_time"}, {"schedule_algorithm": "magic"}, {"schedule_delay": 0},
    {"seed": 3}, {}])
def test_no_part_that_would_change_is_left_to_the_other_checks(changes: dict[str, object]) -> None:
    assert refused(**changes) == ""


def test_a_whole_schedule_is_the_coordinators() -> None:
    whole = schedule_parameters.to_parameters(Schedule((0, 1), 1, generation=3))
    assert schedule_parameters.part_refused(whole, CONFIG, lambda: "/coordinator") == ""


def test_where_nobody_tells_a_schedule_a_part_may_be_set() -> None:
    assert refused("", schedule_algorithm="exp_time") == ""
