"""A robot as a whole, tick by tick, with faults: what it is sent, and on whose behalf."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
from contracts import arm
from hypothesis import given, settings
from hypothesis import strategies as st
from robot_messages import SECOND_NS, joints

from realtime_rl.core.enumerations import Phase, StopCause
from realtime_rl.core.messages.records import Command
from realtime_rl.core.robot.robot import Robot, RobotTick
from realtime_rl.core.types import Cause

PERIOD_NS = 20_000_000
ROS_NS = 1_700_000_000 * SECOND_NS
CHANGES: dict[str, Any] = {
    "limits__j1__max_acceleration": 6.0, "limits__j2__max_acceleration": 6.0,
    "start__ramp": 0.2, "estop": {"topic": "/estop", "timeout": 0.5}}


class Arm:
    """An arm that goes where it is sent, and says so before every tick."""

    def __init__(self, stops: dict[str, str] | None = None) -> None:
        self.robot = Robot(arm(**CHANGES), stops or {})
        self.number = 50
        self.positions = [0.1, -0.2]
        self.silent = self.estop_silent = False
        self.clock_back_ns = 0
        self.path: list[tuple[int, list[float]]] = []

    def tick(self, action: tuple[float, float] | None = None, count: int = 1, *,
             pause: int = 0) -> RobotTick:
        """Tick with a policy's action or none, after a pause of some periods."""
        for _ in range(count):
            self.number += 1 + pause
            now_ns = self.number * PERIOD_NS
            if not self.silent:
                stamp_ns = ROS_NS + now_ns - self.clock_back_ns
                self.robot.observer.offer("joints", joints(
                    ["j2", "j1"], self.positions[::-1], [0.0, 0.0], stamp_ns=stamp_ns - 1_000_000
                    ), now_ns - 500_000, stamp_ns - 500_000)
            if not self.estop_silent:
                self.robot.guards.on_estop(False, now_ns)
            command = (Command(Cause.DEFAULT, (0.0, 0.0)) if action is None
                       else Command(Cause.POLICY, action, 0, 1, self.number - 1))
            tick = self.robot.tick(command, now_ns)
            values = tick.sent.values[0]
            if values is not None:
                self.positions = list(values)
                self.path.append((self.number, self.positions))
        return tick


def test_it_begins_where_it_is_and_does_what_is_asked_for() -> None:
    robot = Arm()
    first = robot.tick()
    assert (first.sent.phase, first.sent.values) == (Phase.HOLDING, ((0.1, -0.2),))
    assert first.observation is not None
    assert first.outcome.first
    done = robot.tick((0.2, 0.0), 60)
    assert (done.sent.phase, done.command.cause) == (Phase.ACTING, Cause.POLICY)
    assert done.command.action == pytest.approx((0.2, 0.0))
    record = done.record(7, 8, ("j1", "j2"))
    assert record.sent == pytest.approx((0.2, 0.0))
    assert record.measured == pytest.approx((0.2, 0.0))
    assert record.ages_s[0] == pytest.approx(0.001)


def test_a_silent_source_stops_it_until_it_is_released() -> None:
    robot = Arm()
    robot.tick((0.2, 0.0), 60)
    robot.silent = True
    stopped = robot.tick((0.5, 0.5), 6)
    assert (stopped.sent.phase, stopped.sent.stopped_by) == (Phase.STOPPED, StopCause.STALE)
    assert (stopped.command.cause, stopped.observation) == (Cause.STOP, None)
    assert robot.robot.guards.release(robot.number * PERIOD_NS)
    again = Arm(robot.robot.stops)
    assert again.tick((0.5, 0.5)).sent.stopped_by == StopCause.STALE
    robot.silent = False
    assert robot.tick((0.5, 0.5), 5).sent.phase is Phase.STOPPED
    assert not robot.robot.guards.release(robot.number * PERIOD_NS)
    assert robot.tick((0.5, 0.5)).sent.phase is Phase.BLENDING


def test_a_clock_that_is_set_back_begins_anew() -> None:
    robot = Arm()
    robot.tick((0.2, 0.0), 60)
    robot.clock_back_ns = 100 * SECOND_NS
    held = robot.tick((0.5, 0.5))
    assert held.sent.stopped_by == 0
    assert robot.robot.observer.jumps == 1
    assert robot.tick((0.5, 0.5), 30).sent.phase is Phase.ACTING


EVENTS = st.lists(st.tuples(
    st.sampled_from(["act", "idle", "silent", "heard", "estop", "release", "clock", "pause"]),
    st.floats(-2.0, 2.0), st.floats(-2.0, 2.0), st.integers(1, 30)), max_size=20)


@settings(max_examples=30)
@given(EVENTS)
def test_whatever_fails_commands_stay_within_the_limits_and_have_a_cause(
        events: list[tuple[str, float, float, int]]) -> None:
    robot = Arm()
    robot.tick(count=3)
    for what, one, two, count in events:
        robot.silent = what == "silent" or (robot.silent and what != "heard")
        robot.estop_silent = what == "estop"
        robot.clock_back_ns += 5 * SECOND_NS * (what == "clock")
        if what == "release":
            robot.robot.guards.release(robot.number * PERIOD_NS)
        tick = robot.tick(None if what == "idle" else (one, two), count,
                          pause=count if what == "pause" else 0)
        assert tick.command.cause is not Cause.POLICY or not tick.sent.stopped_by
        assert (tick.command.cause is Cause.STOP) == bool(tick.sent.stopped_by)
    for joint in (0, 1):
        velocities = [0.0]
        for (before, old), (after, new) in pairwise(robot.path):
            step = new[joint] - old[joint]
            assert abs(step) <= 1.5 * 0.02 + 1e-9
            assert -2.0 <= new[joint] <= 2.0
            goes_on = after - before <= 27  # later on it is begun anew, at rest
            velocities.append(step / 0.02 if goes_on else math.nan)
        changes = [after - before for before, after in pairwise(velocities)]
        assert all(abs(change) <= 6.0 * 0.02 + 1e-6 for change in changes
                   if not math.isnan(change))
