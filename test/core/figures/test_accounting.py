from __future__ import annotations

import math
from typing import Any

import pytest
from handmade import (
    PERIOD_NS,
    defaulted,
    inference,
    learning,
    schedule,
    stamp,
    step,
    verdict,
)
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.enumerations import Algorithm, Dealing, Fate, Miss, Reason
from realtime_rl.core.figures.accounting import RunRecords, account, excess_delays, settled
from realtime_rl.core.types import Cause

DISTRIBUTION = dict.fromkeys(("mean", "std", "p50", "p95", "p99", "max", "n"))
SCHEMA: dict[str, Any] = {
    "schema": None,
    "plant": {"name": None, "ticks": None, "period_ms": None, "rate_hz": None,
              "interval_ms": DISTRIBUTION, "missed_ticks": None},
    "interaction": {
        "startup_ticks": None, "policy_ticks": None, "default_ticks": None,
        "operator_ticks": None, "stop_ticks": None, "none_ticks": None,
        "inaction_fraction": None,
        "rejected": dict.fromkeys(("malformed", "non_finite", "out_of_range", "stale", "late",
                                   "future", "duplicate", "unknown_worker")),
        "superseded": None, "action_interval_ms": DISTRIBUTION, "action_jitter_ms": DISTRIBUTION,
        "delay_ticks": DISTRIBUTION, "delay_ms": DISTRIBUTION,
        "excess_delay_ticks": DISTRIBUTION},
    "inference": {"workers": None, "processes": None, "algorithm": None, "dealing": None,
                  "required_workers": None, "promised_delay_ticks": None, "emulated": None,
                  "exploration": None,
                  "duration_ms": DISTRIBUTION, "observation_age_ms": DISTRIBUTION,
                  "generations": None},
    "learning": {"transitions": None, "updates": None, "policy_versions": None,
                 "swap_ms": DISTRIBUTION, "slots_missed_by_swap": None,
                 "policy_lag_versions": DISTRIBUTION, "policy_lag_s": DISTRIBUTION},
    "episodes": {"count": None, "return": DISTRIBUTION, "reward_per_tick": None,
                 "unfinished_reward": None},
    "recording": {"gaps": None, "duration_s": None, "deaths": None},
    "chunks": None, "robot": None}


def shape(value: Any) -> Any:
    """Only the keys of a figure, in order."""
    return {key: shape(item) for key, item in value.items()} if isinstance(value, dict) else None


def in_order(value: Any) -> Any:
    return [(k, in_order(v)) for k, v in value.items()] if isinstance(value, dict) else None


def test_exactly_the_keys_of_schema_1() -> None:
    figures = account(RunRecords((step(0),)))
    assert figures["schema"] == 1
    assert in_order(shape(figures)) == in_order(SCHEMA)


def test_kinds_of_ticks_after_startup() -> None:
    causes = [Cause.NONE, Cause.DEFAULT, Cause.POLICY, Cause.POLICY, Cause.DEFAULT,
              Cause.OPERATOR, Cause.STOP, Cause.NONE, Cause.POLICY]
    found = account(RunRecords([step(i, cause) for i, cause in enumerate(causes)]))["interaction"]
    assert found["startup_ticks"] == 2
    assert [found[key] for key in ("policy_ticks", "default_ticks", "operator_ticks",
                                   "stop_ticks", "none_ticks")] == [3, 1, 1, 1, 1]
    assert found["inaction_fraction"] == 2 / 7


def test_a_window_of_a_running_plant_has_no_startup() -> None:
    ticks = [step(100, Cause.DEFAULT), step(101)]
    assert account(RunRecords(ticks), started=True)["interaction"]["inaction_fraction"] == 0.5
    assert account(RunRecords(ticks))["interaction"]["inaction_fraction"] == 0.0


def test_without_a_policy_action_all_is_startup_and_inaction_unknown() -> None:
    found = account(RunRecords([step(i, Cause.DEFAULT) for i in range(5)]))["interaction"]
    assert (found["startup_ticks"], found["default_ticks"]) == (5, 0)
    assert found["inaction_fraction"] is None


@given(st.lists(st.tuples(st.integers(0, 6), st.sampled_from(Cause)), max_size=60), st.booleans())
def test_kinds_always_add_up(steps: list[tuple[int, Cause]], started: bool) -> None:
    ticks, tick = [], 0
    for place, (jump, cause) in enumerate(steps):
        tick = 0 if jump == 0 else tick + jump  # 0: the plant was started again
        ticks.append(step(tick, cause, stamp_ns=stamp(7 * place)))
    figures = account(RunRecords(ticks), started=started)
    found = figures["interaction"]
    kinds = ("startup_ticks", "policy_ticks", "default_ticks", "operator_ticks", "stop_ticks",
             "none_ticks")
    assert sum(found[key] for key in kinds) == figures["plant"]["ticks"] == len(ticks)  # type: ignore[literal-required]
    fraction = found["inaction_fraction"]
    assert fraction is None or 0.0 <= fraction <= 1.0


def test_the_plants_rate_and_intervals_are_of_actual_starts() -> None:
    ticks = [step(0), step(1, stamp_ns=stamp(1) + 1_000_000), step(2), step(3, missed=True)]
    plant = account(RunRecords(ticks))["plant"]
    assert plant["name"] == "counter"
    assert plant["period_ms"] == 10.0
    assert plant["rate_hz"] == pytest.approx(100.0)
    assert plant["interval_ms"]["max"] == pytest.approx(11.0)
    assert plant["interval_ms"]["n"] == 3
    assert plant["missed_ticks"] == 1


def test_the_rate_is_of_the_ticks_that_were_seen_whatever_their_numbers() -> None:
    seen = [step(100), step(103), step(7, stamp_ns=stamp(500)), step(9, stamp_ns=stamp(502))]
    assert account(RunRecords(seen))["plant"]["rate_hz"] == pytest.approx(100.0)


def test_gaps_are_reported_and_never_smoothed_over() -> None:
    figures = account(RunRecords([step(0), step(1), step(5), step(6), step(8)]))
    assert figures["recording"]["gaps"] == 4
    assert figures["plant"]["ticks"] == 5
    assert figures["plant"]["interval_ms"]["n"] == 2
    assert figures["plant"]["rate_hz"] == pytest.approx(100.0)


def test_a_plants_restart_is_no_gap_and_no_interval() -> None:
    ticks = [step(0), step(1), step(0, stamp_ns=stamp(500)), step(1, stamp_ns=stamp(501))]
    figures = account(RunRecords(ticks))
    assert figures["recording"]["gaps"] == 0
    assert figures["plant"]["rate_hz"] == pytest.approx(100.0)
    assert figures["plant"]["interval_ms"]["max"] == pytest.approx(10.0)


def test_one_tick_has_no_rate() -> None:
    plant = account(RunRecords([step(7)]))["plant"]
    assert plant["rate_hz"] is None
    assert plant["interval_ms"]["n"] == 0


def test_delay_of_applied_actions() -> None:
    ticks = [step(0, Cause.DEFAULT), step(1, Cause.DEFAULT), step(2), step(3, observation_tick=0),
             step(4, Cause.DEFAULT), step(5, observation_tick=-1)]
    found = account(RunRecords(ticks))["interaction"]
    assert (found["delay_ticks"]["mean"], found["delay_ticks"]["n"]) == (2.5, 2)
    assert (found["delay_ms"]["mean"], found["delay_ms"]["n"]) == (pytest.approx(25.0), 2)


def test_delay_in_ms_needs_the_observations_tick() -> None:
    found = account(RunRecords([step(10), step(11), step(12)]))["interaction"]
    assert found["delay_ticks"]["n"] == 3
    assert found["delay_ms"]["n"] == 1


def test_intervals_and_jitter_of_arrivals() -> None:
    verdicts = [verdict(2, arrival_s=1.000), verdict(3, arrival_s=1.010),
                verdict(4, Fate.REJECTED, reason=Reason.LATE, arrival_s=1.013), defaulted(4),
                verdict(5, Fate.SUPERSEDED, arrival_s=1.030)]
    found = account(RunRecords([step(i) for i in range(6)], verdicts))["interaction"]
    assert found["action_interval_ms"]["n"] == 3
    assert found["action_interval_ms"]["mean"] == pytest.approx(10.0)
    assert found["action_interval_ms"]["max"] == pytest.approx(17.0)
    assert found["action_jitter_ms"]["mean"] == pytest.approx((0.0 + 7.0 + 7.0) / 3)


def test_the_actuators_restart_gives_no_interval() -> None:
    verdicts = [verdict(t, arrival_s=s) for t, s in
                [(500, 5.0), (501, 5.01), (510, 0.0), (511, 0.02)]]
    found = account(RunRecords([step(500)], verdicts))["interaction"]["action_interval_ms"]
    assert (found["n"], found["max"]) == (2, pytest.approx(20.0))


def test_fates_are_counted() -> None:
    verdicts = [verdict(2), verdict(3, Fate.SUPERSEDED),
                verdict(4, Fate.REJECTED, reason=Reason.LATE),
                verdict(5, Fate.REJECTED, reason=Reason.LATE),
                verdict(6, Fate.REJECTED, reason=Reason.NON_FINITE)]
    found = account(RunRecords([step(2)], verdicts))["interaction"]
    assert found["superseded"] == 1
    assert found["rejected"] == {"malformed": 0, "non_finite": 1, "out_of_range": 0, "stale": 0,
                                 "late": 2, "future": 0, "duplicate": 0,
                                 "unknown_worker": 0}


def test_excess_delay_under_max_time_is_beyond_the_promise_of_its_generation() -> None:
    records = RunRecords(
        [step(9)], [verdict(5, generation=1), verdict(6, generation=2, delay_ticks=5),
                    verdict(7, generation=3), verdict(8, Fate.REJECTED, generation=1)],
        schedules=[schedule(1, delay=1), schedule(2, delay=5)])
    assert list(excess_delays(records)) == [1, 0]  # generation 3 was not recorded


def test_excess_delay_under_quantile_time_is_beyond_the_promise_too() -> None:
    promised = schedule(1, delay=1, algorithm=Algorithm.QUANTILE_TIME)
    records = RunRecords([step(9)], [verdict(5, generation=1)], [inference(3)], [promised])
    assert list(excess_delays(records)) == [1]


def test_excess_delay_under_exp_time_is_beyond_its_own_duration() -> None:
    # 12 ms and a hand-over of 2 ms are two periods; 19 ms are three, without hand-over two
    exp = schedule(1, delay=9, algorithm=Algorithm.EXP_TIME)
    inferences = [inference(3), inference(4, duration_s=0.019, worker=1),
                  inference(5, miss=Miss.FAILED), inference(6, worker=9)]
    verdicts = [verdict(5, generation=1, delay_ticks=4),
                verdict(6, generation=1, worker=1, delay_ticks=4),
                verdict(7, generation=1), verdict(8, generation=1)]
    records = RunRecords([step(9)], verdicts, inferences, [exp])
    assert list(excess_delays(records)) == [2, 1]
    instant = RunRecords([step(9)], verdicts, inferences,
                         [schedule(1, algorithm=Algorithm.EXP_TIME, handover_ns=0)])
    assert list(excess_delays(instant)) == [2, 2]


def test_excess_delay_before_the_first_schedule_uses_the_stated_allowance() -> None:
    records = RunRecords([step(5)], [verdict(5, delay_ticks=3)], [inference(3, duration_s=0.019)])
    assert list(excess_delays(records)) == [0]
    assert account(records)["interaction"]["excess_delay_ticks"]["n"] == 1


def test_the_workers_and_their_schedule() -> None:
    inferences = [
        inference(0), inference(1, node="inference_1", duration_s=0.020, age_s=0.003),
        inference(2, worker=-1, miss=Miss.BUSY, duration_s=0.0, age_s=9.0)]
    schedules = [schedule(1, active=(0, 1, 2, 3)),
                 schedule(2, delay=4, active=(0, 1, 2), dealing=Dealing.FIXED)]
    found = account(RunRecords([step(0)], (), inferences, schedules))["inference"]
    assert found["workers"] == 3
    assert found["processes"] == 2
    assert (found["algorithm"], found["dealing"]) == ("max_time", "fixed")
    assert (found["required_workers"], found["promised_delay_ticks"]) == (4, 4)
    assert found["emulated"] is None
    assert found["duration_ms"]["mean"] == pytest.approx(16.0)
    assert found["observation_age_ms"]["max"] == pytest.approx(3.0)
    assert found["generations"] == 2


def test_every_algorithm_that_dealt_slots_is_named() -> None:
    schedules = [schedule(1), schedule(2, algorithm=Algorithm.EXP_TIME),
                 schedule(3, algorithm=Algorithm.EXP_TIME, dealing=Dealing.FIXED)]
    inferences = [inference(tick, generation=1 + tick) for tick in range(3)]
    found = account(RunRecords([step(0)], (), inferences, schedules))["inference"]
    assert (found["algorithm"], found["dealing"]) == ("max_time exp_time", "pooled fixed")
    found = account(RunRecords([step(0)], (), inferences[1:], schedules))["inference"]
    assert (found["algorithm"], found["dealing"]) == ("exp_time", "pooled fixed")


def test_an_emulated_accelerator_is_named() -> None:
    found = account(RunRecords([step(0)], (), [inference(0, emulated="constant:95ms")]))
    assert found["inference"]["emulated"] == "constant:95ms"


@pytest.mark.parametrize(("said", "known"), [
    ([], None), ([""], None), (["off", "off"], "off"), (["off", "", "learner"], "off learner")])
def test_exploration_in_force_is_named_and_never_guessed(said: list[str], known: str | None
                                                         ) -> None:
    inferences = [inference(tick, exploration=text) for tick, text in enumerate(said)]
    assert account(RunRecords([step(0)], (), inferences))["inference"]["exploration"] == known


def test_without_a_schedule_the_workers_are_those_seen() -> None:
    found = account(RunRecords([step(0)], (), [inference(0), inference(1, worker=4)]))["inference"]
    assert (found["workers"], found["algorithm"], found["promised_delay_ticks"]) == (2, None, None)
    assert found["generations"] == 0


def test_learning_and_swaps() -> None:
    inferences = [inference(0, swap_s=0.05), inference(1), inference(2, swap_s=0.07),
                  inference(3, worker=-1, miss=Miss.BUSY, swapping=True),
                  inference(4, worker=-1, miss=Miss.BUSY), inference(5, swapping=True)]
    found = account(RunRecords([step(0)], (), inferences, (), [learning(1), learning(10)],
                               announced=("a", "b", "a")))["learning"]
    assert (found["updates"], found["transitions"]) == (10, 20)
    assert found["policy_versions"] == 2
    assert (found["swap_ms"]["n"], found["swap_ms"]["mean"]) == (2, pytest.approx(60.0))
    assert found["slots_missed_by_swap"] == 1


def test_returns_of_whole_episodes() -> None:
    ticks = [step(0, first=True), step(1, reward=1.5), step(2, reward=-0.5, last=True),
             step(3, first=True), step(4, reward=7.0)]
    found = account(RunRecords(ticks))["episodes"]
    assert (found["count"], found["return"]["mean"], found["return"]["n"]) == (1, 1.0, 1)


def test_what_was_not_recorded_is_null() -> None:
    figures = account(RunRecords([step(0)], topics=frozenset({"timestep"})))
    interaction, inference_, learned = (figures["interaction"], figures["inference"],
                                        figures["learning"])
    assert interaction["rejected"] is None
    assert interaction["superseded"] is None
    assert [value for value in inference_.values() if not isinstance(value, dict)] == [None] * 9
    assert [value for value in learned.values() if not isinstance(value, dict)] == [None] * 4
    assert figures["recording"]["duration_s"] is None


def test_no_records_at_all() -> None:
    figures = account(RunRecords())
    assert figures["plant"]["ticks"] == 0
    assert figures["plant"]["name"] is None
    assert figures["plant"]["period_ms"] is None
    assert figures["episodes"]["count"] == 0


def test_a_plant_without_a_name() -> None:
    assert account(RunRecords([step(0, plant="")]))["plant"]["name"] is None


def test_a_reward_that_is_not_finite_never_reaches_the_json() -> None:
    ticks = [step(0, first=True), step(1, reward=math.nan, last=True)]
    assert account(RunRecords(ticks))["episodes"] == {
        "count": 1, "return": {**DISTRIBUTION, "n": 0}, "reward_per_tick": 0.0,
        "unfinished_reward": 0.0}


def test_rewards_of_play_that_never_ends_are_counted() -> None:
    endless = account(RunRecords([step(tick, reward=0.1) for tick in range(30)]))["episodes"]
    assert (endless["count"], endless["return"]["mean"]) == (0, None)
    assert endless["reward_per_tick"] == pytest.approx(0.1)
    assert endless["unfinished_reward"] == 3.0
    assert account(RunRecords())["episodes"]["reward_per_tick"] is None


def test_rewards_outside_of_whole_episodes_are_told_apart() -> None:
    ticks = [step(0, reward=0.3, last=True), step(1, first=True), step(2, reward=0.1),
             step(3, reward=math.inf), step(4, reward=0.2, last=True), step(5, first=True),
             step(6, reward=0.7, last=True)]
    found = account(RunRecords(ticks))["episodes"]
    assert (found["count"], found["return"]["n"], found["return"]["mean"]) == (2, 1, 0.7)
    assert found["unfinished_reward"] == 0.6
    assert found["reward_per_tick"] == pytest.approx(1.3 / 6)


def test_the_period_is_the_newest() -> None:
    ticks = [step(0), step(1, period_ns=2 * PERIOD_NS)]
    assert account(RunRecords(ticks))["plant"]["period_ms"] == 20.0


def test_the_beginning_can_be_left_out() -> None:
    period_s = step(0).period_ns / 1e9
    steps = [step(tick) for tick in range(10)]
    records = RunRecords(steps, [verdict(2), verdict(6)], [inference(1), inference(6)],
                         robots=[])
    kept = settled(records, 4 * period_s)
    assert [each.tick for each in kept.timesteps] == [4, 5, 6, 7, 8, 9]
    assert [each.stamp_ns for each in kept.verdicts] == [verdict(6).stamp_ns]
    assert [each.tick for each in kept.inferences] == [6]
    assert repr(settled(records, 0.0)) == repr(records)
    assert settled(RunRecords(), 4.0) == RunRecords()
