"""Limits: kept whatever is asked for, and unnoticed by whoever keeps them himself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.robot.contract_choices import Excess, Mode
from realtime_rl.core.robot.limits import Limiter, PositionLimiter, limiter
from realtime_rl.core.robot.sections import Limit

JOINT = Limit(-1.0, 2.0, 1.5, 6.0)
PERIOD = 0.02
POSITIONS = (Mode.POSITION, Mode.DELTA)

periods = st.sampled_from([0.002, 0.005, 0.02, 0.1])
amounts = st.just(0.0) | st.floats(0.01, 20.0)
limits = st.builds(lambda low, wide, *rest: Limit(low, low + wide, *rest),
                   st.floats(-3.0, 3.0), st.just(0.0) | st.floats(0.01, 5.0), amounts, amounts,
                   amounts, amounts)
targets = st.floats(-4.0, 4.0) | st.sampled_from([1e308, -1e308, 0.0])


def sent(limits: Limiter, asked: Sequence[tuple[float, ...]], *, stepwise: bool = False
         ) -> list[tuple[float, ...]]:
    """Ask for one after another, and send what may be sent."""
    found = []
    for each in asked:
        step = limits.towards(each, stepwise=stepwise)
        limits.keep(step)
        found.append(step.values)
    return found


def inside(limit: Limit) -> float:
    """A position from which one may begin."""
    return (limit.min_position + limit.max_position) / 2 if limit.has_positions else 0.3


def check_positions(limit: Limit, period: float, path: Sequence[float]) -> None:
    """From rest, no limit is exceeded anywhere on the path, the end of which is at rest."""
    last_step = 0.0
    for before, after in pairwise(path):
        step = after - before
        most = 1e-9 * max(1.0, abs(before))
        assert not limit.has_positions or limit.min_position <= after <= limit.max_position
        assert not limit.max_velocity or abs(step) <= (limit.max_velocity + most) * period
        assert not limit.max_step or abs(step) <= limit.max_step + most
        assert not limit.max_acceleration or (
            abs(step - last_step) <= limit.max_acceleration * period**2 + most * period)
        last_step = step


def check_velocities(limit: Limit, period: float, path: Sequence[float]) -> None:
    for before, after in pairwise(path):
        assert not limit.max_velocity or abs(after) <= limit.max_velocity + 1e-9
        assert not limit.max_acceleration or (
            abs(after - before) <= limit.max_acceleration * period + 1e-9)


@given(st.data(), st.sampled_from(Mode), st.sampled_from(Excess), periods)
def test_no_sequence_of_targets_exceeds_a_limit(
        data: st.DataObject, mode: Mode, excess: Excess, period: float) -> None:
    each = data.draw(st.lists(limits, min_size=1, max_size=4))
    asked = data.draw(st.lists(st.tuples(*[targets] * len(each)), max_size=60))
    made = limiter(mode, each, excess, period)
    begin = tuple(map(inside, each)) if mode in POSITIONS else (0.0,) * len(each)
    made.begin(begin)
    path = [begin, *sent(made, asked, stepwise=mode is Mode.DELTA)]
    resting = made.resting
    path += sent(made, [resting] * 40)
    for number, limit in enumerate(each):
        of_one = [values[number] for values in path]
        if mode in POSITIONS:
            if all(abs(value) < 1e9 for value in of_one):
                check_positions(limit, period, of_one)
        elif mode is Mode.VELOCITY:
            check_velocities(limit, period, of_one)
        elif limit.max_effort:
            assert max(map(abs, of_one)) <= limit.max_effort


@given(st.lists(st.floats(-1.0, 1.0), max_size=50), st.sampled_from(Excess), periods)
def test_targets_that_keep_the_limits_are_sent_as_they_are(
        accelerations: list[float], excess: Excess, period: float) -> None:
    made = PositionLimiter([JOINT], excess, period)
    made.begin((0.5,))
    value, velocity, asked = 0.5, 0.0, []
    for share in accelerations:
        velocity += share * JOINT.max_acceleration * period * 0.999
        velocity = min(max(velocity, -JOINT.max_velocity), JOINT.max_velocity)
        value += velocity * period
        stop = value + math.copysign(velocity**2 / 2 / JOINT.max_acceleration
                                     + abs(velocity) * period, velocity)
        if not JOINT.min_position < stop < JOINT.max_position:
            break
        asked.append((value,))
    for each in asked:
        step = made.towards(each)
        assert step.values == each
        assert step.limited == (False,)
        made.keep(step)


@given(st.floats(-1.0, 2.0), st.floats(-1.0, 2.0), limits, periods)
def test_a_step_is_reached_without_passing_it_and_kept(
        begin: float, target: float, limit: Limit, period: float) -> None:
    limit = Limit(-1.0, 2.0, limit.max_velocity, limit.max_acceleration, limit.max_step)
    made = PositionLimiter([limit], Excess.CLAMP, period)
    made.begin((begin,))
    slowest = min(limit.max_velocity or math.inf, limit.max_step / period or math.inf)
    needed = abs(target - begin) / slowest + 2 * math.sqrt(
        2 * abs(target - begin) / (limit.max_acceleration or math.inf))
    path = [values[0] for values in sent(made, [(target,)] * min(round(needed / period) + 20, 500))]
    sign = math.copysign(1.0, target - begin)
    assert all((after - before) * sign >= 0.0 for before, after in pairwise([begin, *path]))
    assert (target - path[-1]) * sign >= 0.0
    assert len(path) == 500 or path[-10:] == [target] * 10


@given(st.lists(st.floats(-1.0, 2.0), min_size=1, max_size=40), st.floats(-1.0, 2.0),
       st.sampled_from([Excess.CLAMP, Excess.SCALE]))
def test_whatever_came_before_a_target_that_stays_is_reached_and_passed_once_at_most(
        before: list[float], target: float, excess: Excess) -> None:
    other = Limit(-1.0, 2.0, 0.6, 1.9, 0.05)
    made = PositionLimiter([JOINT, other], excess, 0.05)
    made.begin((0.5, 0.5))
    sent(made, [(each, -each / 2) for each in before])
    path = sent(made, [(target, 0.1)] * 250)
    assert path[-10:] == [(target, 0.1)] * 10
    sides = [math.copysign(1.0, values[0] - target) for values in path[2:]
             if abs(values[0] - target) > 1e-9]
    assert sum(here != there for here, there in pairwise(sides)) <= 2


def test_a_joint_comes_to_rest_where_it_says_and_stays_there() -> None:
    made = PositionLimiter([JOINT], Excess.CLAMP, PERIOD)
    made.begin((0.0,))
    sent(made, [(2.0,)] * 20)
    resting = made.resting
    assert made.values[0] < resting[0] < 2.0
    path = sent(made, [resting] * 100)
    assert path[-1] == path[-50]
    assert path[-1][0] == pytest.approx(resting[0], abs=1e-12)


def test_a_target_that_moves_is_caught_up_with() -> None:
    made = PositionLimiter([JOINT], Excess.CLAMP, PERIOD)
    made.begin((-0.5,))
    asked = [(0.01 * tick,) for tick in range(120)]
    path = sent(made, asked)
    assert path[0] != asked[0]
    assert path[-10:] == asked[-10:]
    assert all(values[0] <= each[0] + 1e-12 for values, each in zip(path, asked, strict=True))


def test_a_target_that_comes_to_rest_is_not_passed() -> None:
    made = PositionLimiter([JOINT], Excess.CLAMP, PERIOD)
    made.begin((-0.5,))
    asked, value, velocity = [], 0.0, 1.0
    for tick in range(120):
        velocity = max(0.0, velocity - 5.0 * PERIOD * (tick > 40))
        value += velocity * PERIOD
        asked.append((value,))
    path = sent(made, asked)
    assert path[-10:] == asked[-10:]
    assert all(values[0] <= value + 1e-9 for values in path)


def test_scaled_steps_keep_their_direction() -> None:
    slow = Limit(-1.0, 2.0, 0.1, 1.0)
    made = PositionLimiter([JOINT, slow], Excess.SCALE, PERIOD)
    made.begin((0.0, 0.0))
    path = sent(made, [(1.0, 0.5)] * 400)
    assert all(one == pytest.approx(2 * two) for one, two in path)
    assert path[-1] == (1.0, 0.5)


def test_scaled_velocities_keep_the_curve() -> None:
    made = limiter(Mode.VELOCITY, [Limit(max_velocity=0.5), Limit(max_velocity=1.0)],
                   Excess.SCALE, PERIOD)
    step = made.towards((1.0, 1.5))
    assert step.values == (0.5, 0.75)
    assert step.limited == (True, True)


def test_each_does_as_much_of_it_as_it_may() -> None:
    made = limiter(Mode.VELOCITY, [Limit(max_velocity=0.5), Limit(max_acceleration=10.0)],
                   Excess.CLAMP, PERIOD)
    step = made.towards((1.0, 0.1))
    assert step.values == (0.5, 0.1)
    assert step.limited == (True, False)
    assert limiter(Mode.EFFORT, [Limit(max_effort=2.0)], Excess.CLAMP, PERIOD).towards(
        (-3.0,)).values == (-2.0,)


def test_without_limits_nothing_is_limited() -> None:
    for mode in Mode:
        made = limiter(mode, [Limit()], Excess.SCALE, PERIOD)
        assert sent(made, [(5e3,), (-7.0,)]) == [(5e3,), (-7.0,)]


def test_a_step_that_is_not_kept_is_forgotten() -> None:
    made = PositionLimiter([JOINT], Excess.CLAMP, PERIOD)
    made.begin((0.0,))
    assert made.towards((1.0,)) == made.towards((1.0,))
    assert made.values == (0.0,)


def test_float32_resolution_is_not_called_a_limit() -> None:
    made = PositionLimiter([Limit(-2.6, 2.6)], Excess.CLAMP, PERIOD)
    made.begin((0.0,))
    step = made.towards((2.6 * (1 + 2.0**-24),))
    assert step.values == (2.6,)
    assert step.limited == (False,)
