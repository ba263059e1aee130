"""The planner against the real core: the same durations through pool, arbiter and latch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_rl.bench.virtual import VirtualGraph, run_virtual
from realtime_rl.core.enumerations import Algorithm, Dealing
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.schedule import planner
from realtime_rl.core.schedule.coordination_policy import CoordinationPolicy
from realtime_rl.core.schedule.planner import (
    MOST_WORKERS,
    Setting,
    fewest_workers,
    hold_ns,
    predict,
    representative_ns,
    required_workers,
    slot_cycle,
)
from realtime_rl.core.schedule.stagger import ALONE, EAGER, Schedule, promised_delay_ticks
from realtime_rl.core.types import Cause
from realtime_rl.policies.latency import Latency

PERIOD = 16_000_000
HANDOVER = 2_000_000
MS = 1_000_000
TICKS = 1500
STAGGERED = [(algorithm, dealing) for algorithm in Algorithm for dealing in Dealing
             if algorithm not in (*EAGER, *ALONE)]


def setting(algorithm: Algorithm = Algorithm.MAX_TIME, dealing: Dealing = Dealing.POOLED,
            **details: int) -> Setting:
    return Setting(PERIOD, HANDOVER, algorithm, dealing, **details)


def drawn(text: str, count: int = 2000) -> np.ndarray:
    latency, rng = Latency.parse(text), np.random.default_rng(5)
    return np.array([latency.sample(rng) for _ in range(count)])


@dataclass(frozen=True)
class Seen:
    inaction: float
    delay_ticks: float


def real(text: str, workers: int, wanted: Setting, *, promised: int, cycle: int,
         processes: int = 1) -> Seen:
    """Run the core itself, with the schedule that the planner reckons with."""
    active = tuple(range(workers))
    schedule = Schedule(active, PERIOD, 1, 0, promised, promised * PERIOD - HANDOVER,
                        wanted.algorithm, wanted.dealing, cycle=cycle)
    settled = 60
    records = run_virtual(VirtualGraph(
        CoordinationPolicy(active, PERIOD, HANDOVER), Latency.parse(text), TICKS + settled,
        schedule, processes, transport_ns=HANDOVER, seed=3))
    steps = records.timesteps[settled:]
    delays = [s.tick - s.observation_tick for s in steps if s.cause is Cause.POLICY]
    return Seen(1 - len(delays) / len(steps), float(np.mean(delays)))


def check(text: str, workers: int, wanted: Setting, cycle: int = 1, processes: int = 1) -> None:
    samples = drawn(text)
    predicted = predict(samples, workers, wanted, 4000, cycle=cycle)
    seen = real(text, workers, wanted, promised=predicted.promised_delay_ticks,
                cycle=max(cycle, 1), processes=processes)
    assert predicted.inaction == pytest.approx(seen.inaction, abs=0.03)
    # the planner's D follows the window, the core was given one
    assert predicted.delay_ticks == pytest.approx(seen.delay_ticks, abs=1.0)


@pytest.mark.parametrize("text", ["constant:94ms", "lognormal:94ms,cv=0.05",
                                  "lognormal:94ms,cv=0.3"])
@pytest.mark.parametrize(("algorithm", "dealing"), STAGGERED)
def test_it_foretells_what_the_core_does(algorithm: Algorithm, dealing: Dealing,
                                         text: str) -> None:
    wanted = setting(algorithm, dealing)
    required = required_workers(drawn(text), wanted)
    for workers in (required + 1, required, required - 2):
        check(text, workers, wanted)
        check(text, workers, wanted, cycle=required)


@pytest.mark.parametrize("text", ["lognormal:94ms,cv=0.05", "lognormal:94ms,cv=0.3"])
@pytest.mark.parametrize("algorithm", [*EAGER, *ALONE])
def test_it_foretells_the_baselines(algorithm: Algorithm, text: str) -> None:
    for workers in (1, 4, 9):
        check(text, workers, setting(algorithm))


def test_workers_that_start_together_act_together() -> None:
    wanted = setting(Algorithm.UNSTAGGERED)
    assert predict([94 * MS], 6, wanted).inaction == predict([94 * MS], 1, wanted).inaction
    check("constant:94ms", 6, wanted)


@pytest.mark.parametrize("workers", [8, 10])
def test_workers_stand_in_for_each_other_within_their_process_only(workers: int) -> None:
    text = "lognormal:94ms,cv=0.3"
    check(text, workers, setting(processes=2), processes=2)
    samples = drawn(text)
    assert required_workers(samples, setting(processes=4)) > required_workers(samples, setting())


@pytest.mark.parametrize(("ms", "ticks"), [(5, 1), (14, 1), (15, 1), (16, 1), (94, 6), (1150, 72)])
@pytest.mark.parametrize(("algorithm", "dealing"), STAGGERED)
def test_constant_durations_take_a_worker_for_each_tick_they_last(
        algorithm: Algorithm, dealing: Dealing, ms: int, ticks: int) -> None:
    wanted = setting(algorithm, dealing)
    assert required_workers([ms * MS], wanted) == ticks
    assert fewest_workers([ms * MS], wanted) == ticks
    predicted = predict([ms * MS], ticks, wanted)
    promised = promised_delay_ticks(ms * MS, HANDOVER, PERIOD)
    assert (predicted.inaction, predicted.delay_ticks) == (0.0, promised)
    assert predicted.promised_delay_ticks == promised


@settings(max_examples=30, deadline=None)
@given(workers=st.integers(1, 11), delay=st.integers(2, 12))
def test_too_few_workers_act_at_their_share_of_the_ticks(workers: int, delay: int) -> None:
    for dealing in Dealing:
        predicted = predict([delay * PERIOD - HANDOVER], workers, setting(dealing=dealing),
                            cycle=delay)
        assert predicted.inaction == pytest.approx(max(0.0, 1 - workers / delay), abs=0.02)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 40 * PERIOD), min_size=1, max_size=50),
       st.sampled_from(Algorithm), st.sampled_from(Dealing), st.integers(1, 30))
def test_whatever_was_measured_an_answer_makes_sense(
        durations: list[int], algorithm: Algorithm, dealing: Dealing, workers: int) -> None:
    wanted = setting(algorithm, dealing)
    predicted = predict(durations, workers, wanted, 300)
    assert 0.0 <= predicted.inaction <= 1.0
    assert predicted.promised_delay_ticks >= 1
    if predicted.inaction < 1.0:
        assert predicted.delay_ticks >= 1.0
    required = required_workers(durations, wanted, ticks=300)
    assert 1 <= required <= -(-max(durations) // PERIOD)
    assert workers <= slot_cycle(durations, workers, required, wanted, 300) <= max(workers,
                                                                                   required)
    assert predict(durations, workers, wanted, 300) == predicted


def test_pooled_workers_are_fewer_where_durations_vary() -> None:
    samples = drawn("lognormal:215ms,cv=0.3")
    pooled, fixed = (required_workers(samples, setting(dealing=dealing)) for dealing in Dealing)
    assert 15 <= pooled <= 20
    assert 1.4 * pooled <= fixed <= 2.2 * pooled


def test_more_than_anybody_has() -> None:
    assert required_workers([PERIOD * 2 * MOST_WORKERS], setting(), ticks=50) == MOST_WORKERS


def test_no_number_of_workers_makes_a_baseline_act_at_every_tick() -> None:
    for algorithm in (*ALONE, *EAGER):
        assert fewest_workers([94 * MS], setting(algorithm), ticks=500) is None
        assert fewest_workers([5 * MS], setting(algorithm), ticks=500) == 1


def test_slots_are_even_where_nothing_is_lost_by_it() -> None:
    assert slot_cycle([94 * MS], 4, 6, setting()) == 6
    assert slot_cycle([94 * MS], 6, 6, setting()) == 6
    assert slot_cycle([94 * MS], 9, 6, setting()) == 9


@pytest.mark.parametrize("dealing", Dealing)
def test_more_slots_are_dealt_where_durations_vary(dealing: Dealing) -> None:
    samples, wanted = drawn("lognormal:215ms,cv=0.3"), setting(dealing=dealing)
    required = required_workers(samples, wanted)
    cycle = slot_cycle(samples, required - 3, required, wanted)
    assert cycle < required
    even, dealt = (predict(samples, required - 3, wanted, cycle=length).inaction
                   for length in (required, cycle))
    assert dealt < even - 0.05


@pytest.mark.parametrize(("algorithm", "expected"), [
    (Algorithm.MAX_TIME, 90), (Algorithm.QUANTILE_TIME, 90), (Algorithm.EXP_TIME, 138),
    (Algorithm.SEQUENTIAL, 138)])
def test_what_a_schedule_reckons_with(algorithm: Algorithm, expected: int) -> None:
    durations = [*range(50, 91, 10), 480]  # one outlier
    assert representative_ns(durations, Setting(PERIOD, HANDOVER, algorithm, quantile=0.8)) \
        == expected
    assert representative_ns([7], Setting(PERIOD, HANDOVER, algorithm)) == 7


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=400))
def test_actions_are_held_until_99_percent_are_ready_and_never_longer_than_reckoned_with(
        durations: list[int]) -> None:
    even = setting(Algorithm.MAX_TIME)
    held = hold_ns(durations, even)
    assert held <= representative_ns(durations, even)
    late = sum(duration > held for duration in durations)
    assert late <= max(1, 0.01 * len(durations))
    sooner = sum(duration > held - 1 for duration in durations)
    assert sooner > 0.01 * (len(durations) - 1)
    quantile = setting(Algorithm.QUANTILE_TIME)
    assert hold_ns(durations, quantile) == representative_ns(durations, quantile)


def test_nothing_is_planned_without_durations_or_workers() -> None:
    with pytest.raises(ConfigError, match="nothing to plan with"):
        predict([], 3, setting())
    with pytest.raises(ConfigError, match="0 workers"):
        predict([5], 0, setting())
    with pytest.raises(ConfigError, match="nothing to plan with"):
        required_workers([], setting())


@given(period_ns=st.integers(1_000, 10_000), fewest=st.integers(1, 40), data=st.data(),
       dealing=st.sampled_from(Dealing), processes=st.integers(1, 4))
def test_durations_that_take_as_many_ticks_need_as_many_workers(
        period_ns: int, fewest: int, data: st.DataObject, dealing: Dealing, processes: int) -> None:
    """As the simulation finds, which is what is left out for them."""
    taken = st.integers((fewest - 1) * period_ns + 1, fewest * period_ns)
    samples = data.draw(st.lists(taken, min_size=1, max_size=20))
    setting = Setting(period_ns, 0, dealing=dealing, processes=processes)
    assert required_workers(samples, setting) == fewest
    draws, first = planner._draws(np.array(samples), setting, 2_000)
    assert planner._missed(draws, first, fewest, setting) == 0.0
    if fewest > 1:
        assert planner._missed(draws, first, fewest - 1, setting) > 0.005
