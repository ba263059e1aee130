"""A burst of outliers that is over is forgotten soon; ordinary variation is followed as before."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from core.pausing_graph import LOOK_NS, PERIOD_NS, PausingGraph
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_rl.core.schedule.coordination_policy import CoordinationPolicy
from realtime_rl.core.schedule.durations import is_far, without_burst
from realtime_rl.core.schedule.settling import Hysteresis, Settling

MS = 1_000_000
POLICY = CoordinationPolicy(tuple(range(16)), PERIOD_NS, 2 * MS, processes=("inference_0",))
LOOKS_PER_S = 1_000_000_000 // LOOK_NS


def test_far_is_twice_as_long_and_a_quarter_of_a_second() -> None:
    assert is_far(400 * MS, 100 * MS)
    assert not is_far(340 * MS, 100 * MS)
    assert not is_far(1900 * MS, 1000 * MS)
    assert is_far(2100 * MS, 1000 * MS)


CALM = [100 * MS] * 150
BURST = [900 * MS, 100 * MS, 800 * MS, 700 * MS]


@pytest.mark.parametrize(("window", "kept"), [
    ([*CALM, *BURST, *CALM], 301),
    ([*CALM, *BURST, *CALM[:100]], 254),  # it is not over yet
    ([*CALM[:100], *BURST, *CALM], 254),  # what was usual before it is not known
    ([*CALM, *BURST[:2], *CALM], 302),  # as few as come now and then
    ([*CALM, *BURST, *CALM, 900 * MS, *CALM], 455),  # they come now and then
    ([*CALM, *([900 * MS, *CALM[:5]] * 5), *CALM], 330),  # not one after another
    ([*CALM, *[900 * MS] * 110, *CALM], 410),  # they are no burst, but how the model is
    ([*CALM, *[300 * MS] * 4, *CALM], 304),  # they are not far
    (CALM, 150), ([], 0)])
def test_a_burst_that_is_over_is_left_out(window: list[int], kept: int) -> None:
    assert len(without_burst(window, 128)) == kept


@settings(max_examples=50)
@given(st.lists(st.integers(80 * MS, 300 * MS), max_size=400))
def test_nothing_of_an_ordinary_variation_is_left_out(window: list[int]) -> None:
    assert without_burst(window, 32) == window


def slow(begin_s: float, end_s: float, slow_ms: float, calm_ms: float = 95.0) -> PausingGraph:
    """A machine that is busy for a while: all inferences take longer, none is left out."""
    def duration_ms(tick: int) -> float:
        return slow_ms if begin_s <= tick * PERIOD_NS / 1e9 < end_s else calm_ms

    return PausingGraph(POLICY, duration_ms).run(60.0)


@pytest.mark.parametrize("slow_ms", [500.0, 900.0])
def test_the_delay_comes_down_within_seconds_of_a_burst(slow_ms: float) -> None:
    graph = slow(25.0, 27.0, slow_ms)
    assert graph.coordination.left_out == 0
    assert max(graph.delays) == math.ceil((slow_ms + 2) * MS / PERIOD_NS)  # it was met
    over = round((27.0 + slow_ms / 1e3 + 5.0) * LOOKS_PER_S)
    assert set(graph.delays[over:]) == {6}
    # and is told to begin at once, not when the longer delay is over
    at_s, schedule = graph.told[-1]
    assert schedule.effective_tick <= at_s * 1e9 / PERIOD_NS + POLICY.lead_ticks + 1


def test_what_is_not_far_falls_as_late_as_ever() -> None:
    graph = slow(25.0, 27.0, 190.0)
    assert set(graph.delays[29 * LOOKS_PER_S:57 * LOOKS_PER_S]) == {12}


def test_a_model_that_became_slower_for_good_keeps_its_delay() -> None:
    assert set(slow(25.0, 99.0, 900.0).delays[30 * LOOKS_PER_S:]) == {54}


@pytest.mark.parametrize("share", [0.0, 0.01])
def test_ordinary_outliers_keep_their_delay(share: float) -> None:
    """1 % that take three times as long are no burst, however they fall."""
    rng = np.random.default_rng(0)
    durations = rng.lognormal(math.log(95.0), 0.1, 4000) * np.where(
        rng.random(4000) < share, 5.0, 1.0)
    graph = PausingGraph(replace(POLICY, workers=tuple(range(40))),
                         lambda tick: float(durations[tick])).run(60.0)
    later = graph.delays[20 * LOOKS_PER_S:]
    assert all(after >= before for before, after in pairwise(later))


SETTLING = Settling(2, 300, 20, 100, PERIOD_NS)


def settle(hysteresis: Hysteresis, wanted: int, looks: int) -> list[int]:
    return [hysteresis.settle(wanted) for _ in range(looks)]


@pytest.mark.parametrize(("calm", "away", "soon"), [
    (100, 2, True), (100, 100, True), (100, 101, False), (99, 2, False)])
def test_a_short_excursion_by_far_ends_soon(calm: int, away: int, soon: bool) -> None:
    hysteresis = Hysteresis(SETTLING)
    assert settle(hysteresis, 6, calm) == [6] * calm
    assert settle(hysteresis, 60, away)[-1] == 60
    assert settle(hysteresis, 6, 301).index(6) == (19 if soon else 299)


def test_an_excursion_in_steps_is_one() -> None:
    hysteresis = Hysteresis(SETTLING)
    settle(hysteresis, 6, 400)
    for wanted in (30, 6, 60, 30, 6, 90):
        settle(hysteresis, wanted, 5)
    assert settle(hysteresis, 6, 20)[-2:] == [90, 6]


def test_excursions_one_after_another_are_how_things_are() -> None:
    hysteresis = Hysteresis(SETTLING)
    settle(hysteresis, 6, 400)
    for number in range(4):
        settle(hysteresis, 60, 5)
        fallen = settle(hysteresis, 6, 100)
        assert (fallen[-1] == 6) is (number == 0)


def test_a_fall_that_is_not_far_is_believed_late() -> None:
    hysteresis = Hysteresis(SETTLING)
    settle(hysteresis, 12, 400)
    settle(hysteresis, 20, 2)
    assert settle(hysteresis, 12, 300) == [*[20] * 299, 12]  # 8 periods are no quarter of a second
    settle(hysteresis, 80, 400)
    settle(hysteresis, 150, 2)
    assert settle(hysteresis, 80, 300) == [*[150] * 299, 80]  # not twice as much


def test_looks_are_counted_as_time() -> None:
    slower = replace(POLICY, look_ns=1_000_000_000)
    assert POLICY.settling(1) == Settling(2, 300, 20, 100, 1)
    assert slower.settling(1) == Settling(2, 30, 2, 10, 1)
    assert (POLICY.resend_after, slower.resend_after) == (5, 1)


@pytest.mark.parametrize(("period_ns", "ticks"), [
    (1_000_000, 51), (2_000_000, 26), (5_000_000, 11), (PERIOD_NS, 4), (50_000_000, 2),
    (1_000_000_000, 2)])
def test_a_generation_begins_so_long_ahead_at_any_rate(period_ns: int, ticks: int) -> None:
    policy = replace(POLICY, period_ns=period_ns)
    assert policy.lead_ticks == ticks
    assert (ticks - 1) * period_ns >= policy.lead_ns  # the newest tick may be nearly over
