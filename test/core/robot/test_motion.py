"""What a robot is sent: it starts where it is, blends, holds, stops, and never jumps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import pytest
from contracts import arm
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.enumerations import Phase, StopCause
from realtime_rl.core.messages.records import Command
from realtime_rl.core.robot.guards import Stops
from realtime_rl.core.robot.motion import Motion, Sent
from realtime_rl.core.types import Action, Cause

PERIOD_NS = 20_000_000
HOME = {"j1": 0.1, "j2": -0.2}
AT_HOME = (0.1, -0.2)
NEAR = (0.12, -0.19)
BASE: dict[str, Any] = {
    "actions": ["base"], "action": {"base": {
        "topic": "/cmd_vel", "type": "geometry_msgs/msg/TwistStamped", "names": ["vx", "wz"],
        "mode": "velocity", "timeout": 0.5}},
    "limits": {"vx": {"max_velocity": 0.5, "max_acceleration": 1.0}, "wz": {"max_velocity": 1.0}}}


class Robot:
    """A robot whose ticks are counted; it is where it was sent, unless `positions` says so."""

    def __init__(self, **changes: Any) -> None:
        self.motion = Motion(arm(**changes))
        self.tick_number = 50
        self.positions: Mapping[str, float] = HOME

    def tick(self, cause: Cause = Cause.DEFAULT, action: Action | None = None, count: int = 1,
             **more: Any) -> Sent:
        """Tick with the same command, `count` times; return what came of the last."""
        for _ in range(count):
            self.tick_number += 1
            sent = self.motion.tick(
                Command(cause, AT_HOME if action is None else action), self.positions,
                self.tick_number * PERIOD_NS, **more)
        return sent

    def acts(self, action: Action = NEAR, count: int = 1, **more: Any) -> Sent:
        return self.tick(Cause.POLICY, action, count, **more)


def only(sent: Sent) -> tuple[float, ...] | None:
    """What the one action is sent."""
    assert len(sent.values) == 1
    return sent.values[0]


def largest_step(path: Sequence[tuple[float, ...]]) -> float:
    return max(abs(after - before) for old, new in pairwise(path)
               for before, after in zip(old, new, strict=True))


def test_an_actuator_that_was_not_heard_yet_is_waited_for() -> None:
    robot = Robot()
    assert robot.tick(Cause.NONE).why == "waiting for the actuator"
    assert robot.tick().why == ""
    assert robot.tick(Cause.NONE).why == "the actuator is silent"


def test_nothing_is_sent_before_all_is_known() -> None:
    robot = Robot()
    sent = robot.acts(waiting=("source.cam: nothing heard",))
    assert (sent.phase, only(sent), sent.cause) == (Phase.WAITING, None, Cause.DEFAULT)
    assert all(map(math.isnan, sent.elements))
    robot.positions = {"j1": 0.1}
    sent = robot.acts()
    assert (sent.phase, sent.why) == (Phase.WAITING, "action.arm: 'j2' has no measured position")
    robot.positions = HOME
    assert robot.tick().phase is Phase.HOLDING


def test_it_holds_where_it_was_measured_and_does_not_follow_its_sagging() -> None:
    robot = Robot()
    assert only(robot.tick()) == AT_HOME
    robot.positions = {"j1": 0.05, "j2": -0.3}
    assert only(robot.tick(count=100)) == AT_HOME


def test_a_robot_beyond_its_limits_is_not_started() -> None:
    robot = Robot()
    robot.positions = {"j1": 0.0, "j2": 2.1}
    sent = robot.acts()
    assert (sent.phase, only(sent)) == (Phase.WAITING, None)
    assert sent.why == ("limits.j2: it is at 2.1000, which is beyond -2 … 2; move it there by "
                        "hand, or widen its limits")


def test_it_blends_from_what_it_held_into_what_is_asked_for() -> None:
    robot = Robot(start__ramp=1.0)
    robot.tick(count=5)
    path = [only(robot.acts()) or () for _ in range(60)]
    assert path[0] == AT_HOME
    assert path[25] == pytest.approx((0.11, -0.195))
    assert path[50:] == [NEAR] * 10
    assert largest_step(path) < 0.02 * 1.51 / 50
    assert robot.acts().phase is Phase.ACTING


def test_phases_and_causes_are_told() -> None:
    robot = Robot()
    robot.tick()
    first = robot.acts()
    assert (first.phase, first.cause, first.acted) == (Phase.BLENDING, Cause.POLICY, AT_HOME)
    last = robot.acts(count=60)
    assert (last.phase, last.cause, last.acted) == (Phase.ACTING, Cause.POLICY, NEAR)
    assert last.why == ""


def test_without_a_ramp_the_first_action_acts_at_once() -> None:
    robot = Robot(start__ramp=0.0)
    robot.tick()
    assert only(robot.acts()) == NEAR


def test_a_first_target_far_away_is_refused() -> None:
    robot = Robot(start__max_first_step=0.05)
    robot.tick()
    sent = robot.acts((0.1, 0.1))
    assert (only(sent), sent.phase, sent.cause) == (AT_HOME, Phase.HOLDING, Cause.DEFAULT)
    assert sent.why == ("action.arm: first target of 'j2' is 0.1000, it is at -0.2000: 0.3000 "
                        "away, start.max_first_step allows 0.05")
    assert robot.acts().phase is Phase.BLENDING
    assert robot.acts((0.1, 0.1), 60).phase is Phase.ACTING


def test_a_few_ticks_without_an_action_are_no_new_start_and_many_are() -> None:
    robot = Robot(start__after_silence=0.5)
    robot.acts(count=80)
    assert only(robot.tick()) == NEAR
    assert robot.acts((0.13, -0.19)).phase is Phase.ACTING
    assert robot.tick(count=27).phase is Phase.ACTING
    assert robot.tick().phase is Phase.HOLDING
    assert robot.acts().phase is Phase.BLENDING


def test_a_start_that_needs_a_person_waits_for_one() -> None:
    robot = Robot(start__require_service=True)
    sent = robot.acts(count=5)
    assert (only(sent), sent.phase) == (AT_HOME, Phase.HOLDING)
    assert "require_service" in sent.why
    robot.motion.start()
    assert robot.acts().phase is Phase.BLENDING


@pytest.mark.parametrize(("cause", "stops", "told", "by"), [
    (Cause.STOP, Stops(), Cause.STOP, StopCause.SERVICE),
    (Cause.NONE, Stops(), Cause.NONE, StopCause.SILENCE),
    (Cause.POLICY, Stops(StopCause.STALE, ("source.joints: old",)), Cause.STOP, StopCause.STALE),
    (Cause.OPERATOR, Stops(StopCause.ESTOP, ("estop: pressed",)), Cause.STOP, StopCause.ESTOP),
    (Cause.STOP, Stops(StopCause.ESTOP, ("estop: pressed",)), Cause.STOP,
     StopCause.SERVICE | StopCause.ESTOP)])
def test_a_stop_holds_the_last_command_and_goes_through_the_start(
        cause: Cause, stops: Stops, told: Cause, by: StopCause) -> None:
    robot = Robot()
    robot.acts(count=80)
    robot.positions = {"j1": 0.0, "j2": 0.0}
    sent = robot.tick(cause, (0.5, 0.5), 40, stops=stops)
    assert (only(sent), sent.phase, sent.cause, sent.stopped_by) == (NEAR, Phase.STOPPED, told, by)
    assert all(reason in sent.why for reason in stops.reasons)
    assert (only(robot.tick()), robot.tick().phase) == (NEAR, Phase.HOLDING)
    sent = robot.acts((0.3, 0.3))
    assert (only(sent), sent.phase) == (NEAR, Phase.BLENDING)


def test_one_tick_of_silence_is_no_new_start() -> None:
    robot = Robot()
    robot.acts(count=80)
    assert robot.tick(Cause.NONE).phase is Phase.STOPPED
    assert robot.acts().phase is Phase.ACTING


def test_a_short_stop_is_a_new_start() -> None:
    robot = Robot()
    robot.acts(count=80)
    robot.tick(Cause.STOP)
    assert robot.acts().phase is Phase.BLENDING


def test_a_deadman_is_the_policys_not_the_operators() -> None:
    robot = Robot()
    held = Stops(StopCause.DEADMAN, ("deadman: not held",))
    assert robot.acts(stops=held).phase is Phase.STOPPED
    assert robot.tick(Cause.OPERATOR, NEAR, stops=held).phase is Phase.BLENDING


def test_a_takeover_blends_there_and_back() -> None:
    robot = Robot()
    robot.acts(count=80)
    sent = robot.tick(Cause.OPERATOR, (0.5, 0.5))
    assert (only(sent), sent.phase, sent.cause) == (NEAR, Phase.BLENDING, Cause.OPERATOR)
    robot.tick(Cause.OPERATOR, (0.5, 0.5), 80)
    sent = robot.acts()
    assert (only(sent), sent.phase) == ((0.5, 0.5), Phase.BLENDING)


def test_a_moving_joint_comes_to_rest_within_its_limits_and_stays() -> None:
    robot = Robot(start__ramp=0.0, limits__j1__max_acceleration=6.0)
    robot.tick()
    moving = [only(robot.acts((1.5, -0.2))) or () for _ in range(10)]
    rest = [only(robot.tick(Cause.STOP)) or () for _ in range(50)]
    path = [values[0] for values in (*moving, *rest)]
    steps = [after - before for before, after in pairwise(path)]
    assert steps[8] == pytest.approx(10 * 6.0 * 0.02**2)
    assert all(abs(after - before) <= 6.0 * 0.02**2 + 1e-12
               for before, after in pairwise(steps))
    assert min(steps) >= -1e-12
    assert path[-1] == path[-30]


def test_held_as_measured_when_the_hold_began() -> None:
    robot = Robot(action__arm__on_stop="hold_measured")
    robot.acts(count=80)
    robot.positions = {"j1": 0.11, "j2": -0.195}
    assert only(robot.tick(Cause.STOP, count=3)) == pytest.approx((0.11, -0.195))
    robot.positions = {"j1": 0.0, "j2": 0.0}
    assert only(robot.tick(Cause.STOP, count=30)) == pytest.approx((0.11, -0.195))
    assert only(robot.tick(count=30)) == pytest.approx((0.11, -0.195))


def test_after_silence_of_its_own_it_starts_where_it_is() -> None:
    robot = Robot(action__arm__on_stop="send_nothing")
    robot.acts(count=80)
    assert only(robot.tick(Cause.STOP)) is None
    robot.positions = {"j1": 0.4, "j2": 0.4}
    assert only(robot.tick()) == NEAR
    assert only(robot.tick(Cause.STOP, count=40)) is None
    assert only(robot.tick()) == (0.4, 0.4)
    assert only(robot.acts()) == (0.4, 0.4)


def test_it_does_not_start_again_where_it_is_not_measured() -> None:
    robot = Robot(action__arm__default="send_nothing")
    robot.acts(count=80)
    robot.tick(count=40)
    robot.positions = {}
    sent = robot.acts()
    assert (only(sent), sent.phase, sent.cause) == (None, Phase.HOLDING, Cause.DEFAULT)
    assert sent.why == "action.arm: 'j1' has no measured position"


def test_sensors_that_begin_anew_make_it_begin_anew() -> None:
    robot = Robot()
    robot.acts(count=80)
    sent = robot.acts(waiting=("source.joints: nothing heard",))
    assert (only(sent), sent.phase) == (NEAR, Phase.HOLDING)
    assert robot.acts().phase is Phase.BLENDING


@pytest.mark.parametrize("action", [(math.nan, 0.0), (0.1, math.inf), (2.5, 0.0), (0.1,), ()])
def test_nonsense_is_not_done(action: Action) -> None:
    robot = Robot()
    robot.acts(count=80)
    sent = robot.acts(action)
    assert (only(sent), sent.cause) == (NEAR, Cause.DEFAULT)
    assert "is not in the space" in sent.why


def test_what_is_limited_is_told_and_what_was_done_is_told_in_the_policys_units() -> None:
    robot = Robot(start__ramp=0.0, action__arm__scale=[0.5], action__arm__offset=[0.1, 0.0])
    robot.tick()
    sent = robot.acts((0.04, 0.8))
    assert sent.limited == (False, True)
    assert sent.elements == pytest.approx((0.12, -0.17))
    assert sent.acted == pytest.approx((0.04, -0.34))
    assert robot.tick().limited == (False, False)


def test_rejected_actions_leave_it_where_it_is() -> None:
    robot = Robot(limits__policy="reject", start__ramp=0.1)
    robot.acts(count=10)
    sent = robot.acts((0.12, 0.5))
    assert (only(sent), sent.cause, sent.limited) == (NEAR, Cause.DEFAULT, (False, True))
    assert "'j2'" in sent.why
    assert only(robot.acts((0.13, -0.2))) == (0.13, -0.2)


def test_steps_are_onto_the_last_command() -> None:
    robot = Robot(action__arm__mode="delta", action__arm__scale=0.01, start__ramp=0.0)
    robot.tick()
    robot.positions = {"j1": -1.0, "j2": 1.0}
    sent = robot.acts((1.0, -0.5), 3)
    assert only(sent) == pytest.approx((0.13, -0.215))
    assert sent.acted == pytest.approx((1.0, -0.5))
    assert robot.tick().acted == (0.0, 0.0)
    sent = robot.acts((3.0, 2.0), 200)
    assert only(sent) == (2.0, 2.0)
    assert sent.limited == (True, True)


def test_choices_ask_for_their_values() -> None:
    robot = Robot(action__arm__mode="delta", choices={
        "left": [-0.01, 0.0], "stay": [0.0, 0.0], "up": [0.0, 0.02]}, start__ramp=0.0)
    robot.tick()
    sent = robot.acts((2.0,))
    assert only(sent) == pytest.approx((0.1, -0.18))
    assert sent.acted == (2.0,)
    assert robot.tick(action=(1.0,)).acted == (1.0,)
    assert robot.tick(Cause.STOP, (1.0,)).acted == (1.0,)


def test_a_base_brakes_and_is_released_from_rest() -> None:
    robot = Robot(**BASE, start__ramp=0.0)
    assert only(robot.tick()) == (0.0, 0.0)
    robot.acts((0.5, 1.0), 40)
    assert only(robot.acts((0.5, 1.0))) == (0.5, 1.0)
    assert only(robot.tick()) == pytest.approx((0.48, 0.0))
    assert only(robot.tick(Cause.STOP, count=40)) == (0.0, 0.0)


def test_a_base_that_is_taken_over_does_not_go_on_as_before() -> None:
    robot = Robot(**BASE)
    robot.acts((0.5, 0.0), 80)
    path = [only(robot.tick(Cause.OPERATOR, (0.0, 0.0))) or () for _ in range(30)]
    assert path[0][0] == pytest.approx(0.48)
    assert path[-1] == (0.0, 0.0)


def test_zeros_at_once() -> None:
    robot = Robot(**{**BASE, "action": {"base": {**BASE["action"]["base"],
                                                 "on_stop": "zero_velocity"}}})
    robot.acts((0.5, 0.5), 80)
    assert only(robot.tick(Cause.STOP)) == (0.0, 0.0)
    assert only(robot.acts((0.5, 0.5))) == (0.0, 0.0)


def test_an_action_that_nobody_measures_begins_with_its_first_order() -> None:
    robot = Robot(actions=["arm", "cup"], action__cup={
        "topic": "/cup", "type": "std_msgs/msg/Bool", "names": ["suction"], "low": 0.0,
        "high": 1.0})
    assert robot.tick(action=(*AT_HOME, 0.0)).values == (AT_HOME, None)
    assert robot.acts((*NEAR, 1.0)).values == (AT_HOME, (1.0,))
    robot.acts((*NEAR, 1.0), 80)
    assert robot.tick(Cause.STOP, (*AT_HOME, 0.0), 200).values == (NEAR, (1.0,))


@pytest.mark.parametrize("mode", ["position", "delta"])
def test_between_two_episodes_it_goes_to_its_pose_within_the_limits(mode: str) -> None:
    robot = Robot(action__arm__on_end="pose", action__arm__pose=[0.0, 0.5],
                  action__arm__mode=mode)
    robot.acts(NEAR if mode == "position" else (0.0, 0.0), count=80)
    held = NEAR if mode == "position" else AT_HOME
    assert only(robot.acts((0.0, 0.0), ended=True)) == held
    assert not robot.motion.at_pose
    path = [only(robot.acts((0.0, 0.0), ended=True)) or () for _ in range(80)]
    assert path[-1] == (0.0, 0.5)
    assert robot.motion.at_pose
    assert largest_step(path) <= 1.5 * 0.02 + 1e-12
    sent = robot.tick(ended=True)
    assert (sent.phase, sent.cause) == (Phase.ENDED, Cause.STOP)
    sent = robot.acts((0.0, 0.0))
    assert (only(sent), sent.phase) == ((0.0, 0.5), Phase.BLENDING)


def test_a_tick_that_is_overdue_sends_nothing_and_the_next_goes_on_by_a_ticks_step() -> None:
    robot = Robot(start__ramp=0.0)
    asked = [(0.1 + 0.03 * tick, -0.2) for tick in range(12)]
    path = [only(robot.acts(each, overdue=place in (6, 7))) for place, each in enumerate(asked)]
    assert path[6:8] == [None, None]
    assert path[5] == pytest.approx(asked[5])
    assert path[8] == pytest.approx((asked[5][0] + 0.03, -0.2))


def test_what_was_not_sent_was_not_done() -> None:
    robot = Robot(start__ramp=0.0)
    before = robot.acts(NEAR, 10)
    sent = robot.acts((0.5, 0.5), overdue=True)
    assert (sent.cause, sent.acted, sent.values) == (Cause.DEFAULT, before.acted, (None,))
    assert all(map(math.isnan, sent.elements))


def test_between_two_episodes_a_stop_is_a_stop() -> None:
    robot = Robot(action__arm__on_end="pose", action__arm__pose=[0.0, 0.5])
    robot.acts(count=80)
    assert only(robot.tick(Cause.STOP, count=50, ended=True)) == NEAR
    assert robot.tick(ended=True).phase is Phase.ENDED


EVENTS = st.lists(st.tuples(
    st.sampled_from(["policy", "operator", "default", "stop", "none", "stale", "ended", "waiting",
                     "nonsense"]),
    st.floats(-2.0, 2.0), st.floats(-2.0, 2.0), st.integers(1, 40), st.integers(0, 3)),
    max_size=25)
COMMANDS = {"policy": Cause.POLICY, "operator": Cause.OPERATOR, "stop": Cause.STOP,
            "none": Cause.NONE, "nonsense": Cause.POLICY}


@given(EVENTS, st.sampled_from(["hold_last", "hold_measured"]),
       st.sampled_from(["clamp", "scale", "reject"]), st.sampled_from([0.0, 0.3]))
def test_whatever_happens_every_command_is_within_the_limits(
        events: list[tuple[str, float, float, int, int]], behaviour: str, excess: str,
        ramp: float) -> None:
    robot = Robot(action__arm__on_stop=behaviour, limits__policy=excess, start__ramp=ramp,
                  limits__j1__max_acceleration=6.0, limits__j2__max_acceleration=9.0,
                  limits__j2__max_step=0.02, action__arm__on_end="pose",
                  action__arm__pose=[1.0, -1.0])
    path = [only(robot.tick())]
    for what, one, two, count, overdue in events:
        action = (one, two) if what != "nonsense" else (math.nan, 0.0)
        stops = Stops(StopCause.STALE, ("old",)) if what == "stale" else Stops()
        for place in range(count):
            sent = robot.tick(COMMANDS.get(what, Cause.DEFAULT), action, stops=stops,
                              ended=what == "ended", overdue=place < overdue,
                              waiting=("source.cam: silent",) if what == "waiting" else ())
            path += [only(sent)] if place >= overdue else []
            assert (sent.values == (None,)) == (place < overdue)
            if sent.cause in (Cause.POLICY, Cause.OPERATOR):
                assert what in ("policy", "operator")
    for joint, (acceleration, most) in enumerate(((6.0, 0.03), (9.0, 0.02))):
        values = [each[joint] for each in path if each is not None]
        steps = [0.0, *(after - before for before, after in pairwise(values))]
        assert max(map(abs, values)) <= 2.0
        assert max(map(abs, steps)) <= most + 1e-9
        assert all(abs(after - before) <= acceleration * 0.02**2 + 1e-9
                   for before, after in pairwise(steps))
