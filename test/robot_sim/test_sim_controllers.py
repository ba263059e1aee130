from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.robot_sim.controllers import DriveController, ForwardController, TrajectoryController

S = 1_000_000_000


def test_a_forward_controller_holds_the_last_values_for_ever() -> None:
    controller = ForwardController(("a", "b"), (0.1, 0.2))
    assert controller.setpoint(0) == (0.1, 0.2)
    assert controller.offer((0.3, 0.4)) == ""
    assert controller.setpoint(1000 * S) == (0.3, 0.4)


@pytest.mark.parametrize("values", [(), (1.0,), (1.0, 2.0, 3.0), (math.nan, 0.0), (0.0, math.inf)])
def test_a_forward_controller_ignores_what_does_not_fit(values: tuple[float, ...]) -> None:
    controller = ForwardController(("a", "b"), (0.1, 0.2))
    assert controller.offer(values) != ""
    assert controller.setpoint(0) == (0.1, 0.2)


def test_a_trajectory_is_followed_in_straight_lines_by_name() -> None:
    controller = TrajectoryController(("a", "b"), (0.0, 0.0))
    assert controller.offer_trajectory(
        ("b", "a"), [((2.0, 1.0), 1.0), ((0.0, 1.0), 2.0)], 0, S) == ""
    assert [controller.setpoint(t) for t in (S, 3 * S // 2, 2 * S, 5 * S // 2, 3 * S, 9 * S)] == [
        (0.0, 0.0), (0.5, 1.0), (1.0, 2.0), (1.0, 1.0), (1.0, 0.0), (1.0, 0.0)]


def test_a_trajectory_of_one_point_at_once_is_a_command() -> None:
    controller = TrajectoryController(("a",), (0.0,))
    assert controller.offer_trajectory(("a",), [((0.7,), 0.0)], 0, S) == ""
    assert controller.setpoint(S) == (0.7,)


@pytest.mark.parametrize(("names", "points", "age_s"), [
    (("a",), [((1.0,), 1.0)], 0), (("a", "c"), [((1.0, 1.0), 1.0)], 0), (("a", "b"), [], 0),
    (("a", "b"), [((1.0,), 1.0)], 0), (("a", "b"), [((1.0, math.nan), 1.0)], 0),
    (("a", "b"), [((1.0, 1.0), 1.0)], 2),
])
def test_a_trajectory_that_does_not_fit_is_ignored(
        names: tuple[str, ...], points: list[tuple[tuple[float, ...], float]], age_s: int) -> None:
    controller = TrajectoryController(("a", "b"), (0.1, 0.2))
    assert controller.offer_trajectory(names, points, age_s * S, S) != ""
    assert controller.setpoint(S) == (0.1, 0.2)


def test_a_drive_turns_its_wheels_by_its_velocities() -> None:
    drive = DriveController(0.1, 0.4)
    assert drive.offer(0.5, 1.0, 0, 0) == ""
    assert drive.wheels(0) == pytest.approx((3.0, 7.0))


def test_a_drive_brakes_steadily_on_silence() -> None:
    drive = DriveController(0.1, 0.4, timeout_s=0.5, braking=2.0)
    drive.offer(1.0, 0.0, 0, 0)
    assert drive.velocity(S // 2) == (1.0, 0.0)
    assert drive.velocity(S // 2 + S // 10) == pytest.approx((0.8, 0.0))
    assert drive.velocity(2 * S) == (0.0, 0.0)


@pytest.mark.parametrize(("age_s", "taken"), [(0.0, True), (0.4, True), (0.6, False), (-3.0, True)])
def test_a_drive_ignores_what_is_older_than_its_timeout(age_s: float, taken: bool) -> None:
    drive = DriveController(0.1, 0.4, timeout_s=0.5)
    assert (drive.offer(1.0, 0.0, round(age_s * S), S) == "") == taken
    assert drive.velocity(S) == ((1.0, 0.0) if taken else (0.0, 0.0))


@given(st.lists(st.tuples(st.integers(0, S), st.floats(-2, 2)), max_size=20))
def test_a_drive_stands_after_any_commands_and_a_silence(told: list[tuple[int, float]]) -> None:
    drive, now = DriveController(0.1, 0.4), 0
    for wait, forward in told:
        now += wait
        drive.offer(forward, -forward, 0, now)
        drive.velocity(now)
    for _ in range(300):
        now += S // 100
        drive.velocity(now)
    assert drive.wheels(now) == (0.0, 0.0)
