"""The allowance for messages and wake-ups, measured."""

from __future__ import annotations

import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.enumerations import Fate, Miss, Reason
from realtime_rl.core.messages.records import Inference, Verdict
from realtime_rl.core.schedule.handover import Handover
from realtime_rl.core.schedule.stagger import Schedule

MS = 1_000_000
SCHEDULE = Schedule((0, 1, 2), 16 * MS, generation=1, promised_delay_ticks=3, hold_ns=40 * MS)


def inference(tick: int, duration_ms: float = 38.0) -> Inference:
    return Inference(1, tick, tick + 3, 0, 1, 0, 0.0, duration_ms / 1e3, 0.0, Miss.NONE, False,
                     math.nan)


def verdict(tick: int, age_ms: float) -> Verdict:
    return Verdict(1, Fate.APPLIED, Reason.NONE, tick + 3, tick, 3, 0, 0, 1, 0.0, age_ms / 1e3)


def fed(handover: Handover, ways_ms: list[float], duration_ms: float = 38.0, first: int = 0,
        schedule: Schedule = SCHEDULE) -> Handover:
    released_ms = schedule.release_ns(0, round(duration_ms * MS)) / MS
    for tick, way_ms in enumerate(ways_ms, first):
        handover.on_inference(inference(tick, duration_ms))
        handover.on_verdict(verdict(tick, released_ms + way_ms), schedule)
    return handover


def test_the_least_is_allowed_until_enough_is_known() -> None:
    handover = Handover(2 * MS, 50 * MS, 16 * MS)
    fed(handover, [9.0] * 511)  # half of them while processes start
    assert handover.allowance_ns == 2 * MS
    fed(handover, [9.0], first=511)
    assert handover.allowance_ns == 10 * MS  # and a millisecond from there to the plant


def test_what_an_action_was_held_for_or_took_is_no_way() -> None:
    for duration_ms in (1.0, 38.0, 40.0, 45.0, 70.0):
        handover = fed(Handover(2 * MS, 50 * MS, 16 * MS), [4.0] * 600, duration_ms)
        assert handover.allowance_ns == 5 * MS


def test_a_few_slow_ones_do_not_count_and_many_do() -> None:
    handover = fed(Handover(2 * MS, 50 * MS, 16 * MS), [3.0] * 1280)
    fed(handover, [30.0] * 5, first=2000)
    assert handover.allowance_ns == 4 * MS
    fed(handover, [30.0], first=3000)
    assert handover.allowance_ns == 31 * MS
    fed(handover, [3.0] * 1024, first=4000)  # it forgets
    assert handover.allowance_ns == 4 * MS


def test_one_stall_at_the_start_does_not_count() -> None:
    handover = fed(Handover(2 * MS, 50 * MS, 16 * MS), [3.0] * 400)
    fed(handover, [49.0, 32.0, 16.0], first=400)
    fed(handover, [3.0] * 110, first=403)
    assert handover.allowance_ns == 4 * MS


def test_actions_of_a_process_that_hung_do_not_count() -> None:
    handover = fed(Handover(2 * MS, 50 * MS, 16 * MS), [3.0] * 1280)
    fed(handover, [8000.0] * 5, first=2000)
    assert handover.allowance_ns == 4 * MS


@given(st.lists(st.floats(-20.0, 500.0), min_size=1, max_size=32))
def test_it_stays_between_its_bounds(ways_ms: list[float]) -> None:
    ways_ms = (ways_ms * 520)[:520]
    assert 2 * MS <= fed(Handover(2 * MS, 20 * MS, 16 * MS), ways_ms).allowance_ns <= 20 * MS
    assert fed(Handover(2 * MS, 0, 16 * MS), ways_ms).allowance_ns == 2 * MS


def test_only_actions_that_were_computed_and_timed_count() -> None:
    handover = Handover(2 * MS, 50 * MS, 16 * MS)
    for tick in range(600):
        handover.on_inference(replace(inference(tick, math.nan), miss=Miss.BUSY, worker=-1))
        handover.on_verdict(verdict(tick, 90.0), SCHEDULE)
        handover.on_inference(inference(tick + 1000))
        handover.on_verdict(replace(verdict(tick + 1000, 90.0), age_s=math.nan), SCHEDULE)
        handover.on_verdict(verdict(tick + 1000, 90.0), SCHEDULE)  # told a second time
    assert handover.allowance_ns == 2 * MS


def test_a_plant_that_begins_anew_is_not_mixed_up_with_its_former_life() -> None:
    handover = fed(Handover(2 * MS, 50 * MS, 16 * MS), [3.0] * 600)
    for tick in range(600):
        handover.on_inference(inference(tick))
    handover.restarted()
    for tick in range(600):
        handover.on_verdict(verdict(tick, 90.0), SCHEDULE)
    assert handover.allowance_ns == 4 * MS


def test_a_chunk_is_not_held() -> None:
    handover = Handover(2 * MS, 50 * MS, 16 * MS)
    for tick in range(600):
        handover.on_inference(replace(inference(tick, 5.0), horizon=20))
        handover.on_verdict(verdict(tick, 9.0), SCHEDULE)
    assert handover.allowance_ns == 5 * MS
