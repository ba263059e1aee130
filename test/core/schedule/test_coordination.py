"""From measured inferences to the schedule that everybody follows."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_rl.core.enumerations import Algorithm, Dealing, Fate, Miss, Reason, SlotSource
from realtime_rl.core.messages.records import Inference, Verdict
from realtime_rl.core.schedule.coordination import Coordination
from realtime_rl.core.schedule.coordination_policy import CoordinationPolicy, Sizing
from realtime_rl.core.schedule.stagger import Schedule

MS = 1_000_000
PERIOD = 16 * MS
HANDOVER = 2 * MS
POLICY = CoordinationPolicy((0, 1, 2, 3), PERIOD, HANDOVER, window=16, warmup=2)


def inference(tick: int, duration_ms: float, generation: int = 0, *, node: str = "inference_0",
              miss: Miss = Miss.NONE, life: int = 0) -> Inference:
    missed = miss not in (Miss.NONE, Miss.FAILED)
    return Inference((life + 1) * 10**15 + tick * PERIOD, tick, -1, -1 if missed else tick % 4,
                     generation, 1, 0.0, duration_ms / 1e3, duration_ms / 1e3, miss, False,
                     math.nan, node)


def feed(coordination: Coordination, ticks: range, duration_ms: float,
         generation: int | None = None, **details: object) -> None:
    for tick in ticks:
        coordination.on_inference(inference(
            tick, duration_ms,
            coordination.schedule.generation if generation is None else generation, **details))


def settled(duration_ms: float = 40.0, **changes: object) -> tuple[Coordination, Schedule]:
    coordination = Coordination(replace(POLICY, **changes))
    feed(coordination, range(20), duration_ms)
    schedule = coordination.evaluate()
    assert schedule is not None
    return coordination, schedule


def test_there_is_no_schedule_before_eight_durations_beside_the_warm_up() -> None:
    coordination = Coordination(POLICY)
    assert coordination.schedule == Schedule((0, 1, 2, 3), PERIOD)
    for tick in range(9):
        coordination.on_inference(inference(tick, 40.0))
        assert coordination.evaluate() is None
    coordination.on_inference(inference(9, 40.0))
    schedule = coordination.evaluate()
    assert schedule is not None
    assert coordination.schedule is schedule


@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_baseline_is_one_before_anything_was_measured(algorithm: Algorithm) -> None:
    schedule = Coordination(replace(POLICY, algorithm=algorithm, dealing=Dealing.FIXED)).schedule
    assert (schedule.generation, schedule.algorithm, schedule.dealing) == (
        0, algorithm, Dealing.FIXED)


def test_the_first_schedule() -> None:
    coordination, schedule = settled(
        40.0, algorithm=Algorithm.EXP_TIME, dealing=Dealing.FIXED, slot_source=SlotSource.TIMER)
    # ceil((40 + 2)/16) = 3; slot 19 is the newest heard of, and it took three ticks; some are ahead
    assert schedule == Schedule((0, 1, 2, 3), PERIOD, 1, 19 + 3 + POLICY.lead_ticks, 3, 40 * MS,
                                Algorithm.EXP_TIME, Dealing.FIXED, SlotSource.TIMER, 4)
    assert coordination.required_workers == 3


@pytest.mark.parametrize(("duration_ms", "delay"), [(0.5, 1), (14.0, 1), (14.1, 2), (46.0, 3),
                                                    (1150.0, 72)])
def test_the_promised_delay_covers_the_handover(duration_ms: float, delay: int) -> None:
    coordination, schedule = settled(duration_ms)
    assert schedule.promised_delay_ticks == delay
    assert coordination.required_workers == math.ceil(duration_ms * MS / PERIOD)


def test_warm_up_and_one_outlier_do_not_count() -> None:
    coordination = Coordination(POLICY)
    feed(coordination, range(2), 900.0)
    feed(coordination, range(2, 8), 40.0)
    feed(coordination, range(8, 9), 900.0)
    feed(coordination, range(9, 12), 40.0)
    schedule = coordination.evaluate()
    assert schedule is not None
    assert coordination.duration_ns == schedule.hold_ns == 40 * MS


def test_slots_without_an_action_do_not_count() -> None:
    coordination, _ = settled(40.0)
    feed(coordination, range(20, 60), math.nan, miss=Miss.BUSY)
    feed(coordination, range(60, 90), 900.0, miss=Miss.FAILED)
    assert coordination.absurd == 0
    assert [coordination.evaluate() for _ in range(5)] == [None] * 5


def test_absurd_durations_are_counted_but_do_not_count() -> None:
    coordination, _ = settled(40.0)
    for duration_ms in (math.nan, -1.0, 4e6):
        coordination.on_inference(inference(20, duration_ms, 1))
    assert coordination.absurd == 3
    assert coordination.evaluate() is None


def test_a_present_schedule_stands() -> None:
    coordination, _ = settled(40.0)
    for tick in range(20, 60):
        feed(coordination, range(tick, tick + 1), 40.3)
        assert coordination.evaluate() is None


def test_a_fresher_duration_is_told_without_a_new_generation() -> None:
    coordination, first = settled(40.0)
    feed(coordination, range(20, 40), 40.6)
    assert coordination.evaluate() == replace(first, hold_ns=40_600_000)
    assert coordination.evaluate() is None
    feed(coordination, range(40, 60), 40.0)
    assert coordination.evaluate() == first


def arrive(coordination: Coordination, ticks: range, way_ms: float) -> None:
    """Actions that come to the actuator so long after they left."""
    for tick in ticks:
        generation, sent = coordination.schedule.generation, inference(tick, 40.0)
        coordination.on_inference(replace(sent, generation=generation))
        left_ns = coordination.schedule.release_ns(0, 40 * MS)
        coordination.on_verdict(Verdict(
            sent.stamp_ns, Fate.APPLIED, Reason.NONE, tick + 4, tick, 4, 0, 0, generation, 0.0,
            left_ns / 1e9 + way_ms / 1e3))


def test_messages_that_take_long_make_the_promised_delay_longer() -> None:
    coordination, first = settled(40.0, most_handover_ns=50 * MS)
    arrive(coordination, range(20, 620), 8.0)
    assert coordination.handover_ns == 9 * MS
    assert coordination.evaluate() is None
    longer = coordination.evaluate()
    assert longer is not None
    assert longer.promised_delay_ticks == first.promised_delay_ticks + 1
    arrive(coordination, range(620, 1700), 8.0)  # they are held longer, and their way is as long
    assert coordination.handover_ns == 9 * MS


def test_how_long_messages_take_is_of_no_account_where_nothing_is_held_or_nothing_allowed() -> None:
    for changes in ({"algorithm": Algorithm.EXP_TIME, "most_handover_ns": 50 * MS}, {}):
        coordination, _ = settled(40.0, **changes)
        arrive(coordination, range(20, 620), 8.0)
        assert coordination.handover_ns == HANDOVER


def test_a_longer_delay_is_promised_when_two_evaluations_agree() -> None:
    coordination, _ = settled(40.0)
    feed(coordination, range(20, 22), 60.0)
    assert coordination.evaluate() is None
    schedule = coordination.evaluate()
    assert schedule is not None
    assert (schedule.generation, schedule.promised_delay_ticks) == (2, 4)
    assert schedule.effective_tick == 21 + 4 + POLICY.lead_ticks
    assert coordination.evaluate() is None


def test_one_evaluation_alone_changes_nothing() -> None:
    coordination, _ = settled(40.0)
    tick = 20
    for _ in range(5):
        feed(coordination, range(tick, tick + 2), 60.0)
        assert coordination.evaluate() is None
        feed(coordination, range(tick + 2, tick + 20), 40.0)  # the window forgets
        assert coordination.evaluate() is None
        tick += 20


def test_a_shorter_delay_is_promised_when_three_hundred_evaluations_agree() -> None:
    coordination, first = settled(60.0)
    feed(coordination, range(20, 40), 40.0)
    assert [coordination.evaluate() for _ in range(299)] == [None] * 299
    schedule = coordination.evaluate()
    assert schedule is not None
    assert (schedule.generation, schedule.promised_delay_ticks) == (2, 3)
    assert schedule.effective_tick == 39 + first.promised_delay_ticks + POLICY.lead_ticks


def test_agreement_begins_anew_when_the_direction_changes() -> None:
    coordination, _ = settled(60.0)
    feed(coordination, range(20, 40), 40.0)
    assert [coordination.evaluate() for _ in range(299)] == [None] * 299
    feed(coordination, range(40, 42), 80.0)
    assert coordination.evaluate() is None  # one for raising
    feed(coordination, range(42, 62), 40.0)
    assert [coordination.evaluate() for _ in range(299)] == [None] * 299
    assert coordination.evaluate() is not None


def test_agreement_begins_anew_when_the_present_delay_fits_again() -> None:
    coordination, _ = settled(60.0)
    feed(coordination, range(20, 40), 40.0)
    assert [coordination.evaluate() for _ in range(299)] == [None] * 299
    feed(coordination, range(40, 42), 60.0)
    assert coordination.evaluate() is None
    feed(coordination, range(42, 62), 40.0)
    assert coordination.evaluate() is None


def test_too_few_workers_of_varying_durations_are_dealt_more_slots_than_they_can_take() -> None:
    coordination = Coordination(replace(POLICY, workers=tuple(range(12)), window=512))
    durations = np.random.default_rng(0).lognormal(math.log(205.0), 0.3, 300)
    for tick, duration_ms in enumerate(durations):
        coordination.on_inference(inference(tick, duration_ms, 0))
    schedule = coordination.evaluate()
    assert schedule is not None
    assert 12 <= schedule.cycle < coordination.required_workers < schedule.promised_delay_ticks


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(1.0, 200.0), min_size=20, max_size=120))
def test_generations_only_change_with_the_promised_delay(durations: list[float]) -> None:
    coordination = Coordination(POLICY)
    told = [coordination.schedule]
    for tick, duration in enumerate(durations):
        coordination.on_inference(inference(tick, duration, coordination.schedule.generation))
        schedule = coordination.evaluate()
        if schedule is None:
            continue
        if schedule.generation == told[-1].generation:
            assert replace(schedule, hold_ns=0) == replace(told[-1], hold_ns=0)
        else:
            assert schedule.generation == told[-1].generation + 1
            assert len(told) == 1 or (schedule.promised_delay_ticks, schedule.cycle_ticks) != (
                told[-1].promised_delay_ticks, told[-1].cycle_ticks)
            assert schedule.effective_tick > tick + POLICY.lead_ticks
        told.append(schedule)


def test_nobody_is_behind_before_the_effective_tick() -> None:
    coordination, schedule = settled()
    feed(coordination, range(20, schedule.effective_tick), 40.0, generation=0)
    assert coordination.behind() == []
    feed(coordination, range(schedule.effective_tick, schedule.effective_tick + 1), 40.0,
         generation=0)
    assert coordination.behind() == ["inference_0"]


def test_only_the_process_that_was_started_again_is_behind() -> None:
    coordination, schedule = settled()
    begin = schedule.effective_tick
    for tick in range(begin, begin + 20):
        coordination.on_inference(inference(tick, 40.0, 1, node=f"inference_{tick % 2}"))
    assert coordination.behind() == []
    coordination.on_inference(inference(begin + 20, 40.0, 0, node="inference_1"))
    assert coordination.behind() == ["inference_1"]
    coordination.on_inference(inference(begin + 21, 40.0, 1, node="inference_1"))
    assert coordination.behind() == []


def test_a_process_that_was_started_again_warms_up_again() -> None:
    coordination, schedule = settled()
    feed(coordination, range(schedule.effective_tick, schedule.effective_tick + 5), 40.0)
    feed(coordination, range(90, 92), 200.0, generation=0)
    assert [coordination.evaluate() for _ in range(4)] == [None] * 4
    feed(coordination, range(92, 94), 200.0, generation=0)
    assert [coordination.evaluate() is None for _ in range(2)] == [True, False]


def test_a_held_action_that_is_told_of_late_is_no_restart() -> None:
    """Missed slots are reported at once, actions of an older generation when they leave."""
    coordination, schedule = settled()
    begin = schedule.effective_tick
    coordination.on_inference(inference(begin, math.nan, 1, miss=Miss.BUSY))
    feed(coordination, range(begin - 3, begin), 60.0, generation=0)
    assert coordination.behind() == []
    # the first two of them were not taken for a warm-up: D is raised
    assert [coordination.evaluate() is None for _ in range(2)] == [True, False]


def test_a_coordinator_that_was_started_again_goes_on_counting() -> None:
    coordination = Coordination(POLICY)
    feed(coordination, range(1000, 1010), 40.0, generation=7)
    feed(coordination, range(1000, 1010), 40.0, generation=6, node="inference_1")
    schedule = coordination.evaluate()
    assert schedule is not None
    assert schedule.generation == 8
    assert schedule.effective_tick == 1009 + 3 + POLICY.lead_ticks


def test_a_plant_that_begins_anew_gets_a_generation_that_holds_soon() -> None:
    coordination, first = settled()
    feed(coordination, range(20, 5000), 40.0)
    feed(coordination, range(3), 40.0, life=1)
    feed(coordination, range(5000, 5003), 40.0)  # what was still under way
    schedule = coordination.evaluate()
    assert schedule == replace(first, generation=2, effective_tick=2 + 3 + POLICY.lead_ticks)
    assert coordination.evaluate() is None
    begin = schedule.effective_tick
    feed(coordination, range(3, begin), 40.0, generation=1, life=1)
    assert coordination.behind() == []
    feed(coordination, range(begin, begin + 1), 40.0, generation=1, life=1)
    assert coordination.behind() == ["inference_0"]
    feed(coordination, range(begin + 1, begin + 2), 40.0, generation=2, life=1)
    assert coordination.behind() == []


def test_slots_that_were_jumped_over_are_no_new_life() -> None:
    """They are reported with the stamp of the observation that did arrive."""
    coordination, _ = settled()
    newest = inference(40, 40.0, 1)
    coordination.on_inference(newest)
    for tick in range(35, 41):
        coordination.on_inference(replace(
            inference(tick, math.nan, 1, miss=Miss.BUSY, node="inference_1"),
            stamp_ns=newest.stamp_ns + PERIOD))
    assert coordination.evaluate() is None
    assert coordination.schedule.generation == 1


def heard(coordination: Coordination, worker: int, generation: int | None = None) -> str:
    return coordination.on_verdict(Verdict(
        0, Fate.REJECTED, Reason.DUPLICATE, -1, 30, -1, worker, 0,
        coordination.schedule.generation if generation is None else generation, 0.0, 0.0))


def test_a_dead_process_loses_its_slots_and_a_returning_one_gets_them_back() -> None:
    coordination, first = settled(processes=("inference_0", "inference_1"))
    assert first.active == (0, 1, 2, 3)
    coordination.on_process("inference_1", alive=False)
    without = coordination.evaluate()
    assert without is not None
    assert (without.generation, without.active) == (2, (0, 2))
    coordination.on_process("inference_0", alive=False)
    assert coordination.evaluate() is None
    for worker, name in enumerate(("inference_0", "inference_1")):
        coordination.on_process(name, alive=True)
        assert coordination.evaluate() is None  # it is there; nobody may hear it yet
        assert heard(coordination, worker + 2) == name
    again = coordination.evaluate()
    assert again is not None
    assert (again.generation, again.active) == (3, (0, 1, 2, 3))


def test_who_returns_takes_slots_that_others_have_too_until_it_is_heard() -> None:
    names = ("inference_0", "inference_1")
    coordination, first = settled(processes=names)
    assert [coordination.schedule_for(name) for name in names] == [first, first]
    coordination.on_process("inference_1", alive=False)
    without = coordination.evaluate()
    assert without is not None
    coordination.on_process("inference_1", alive=True)
    assert coordination.schedule_for("inference_0") == without
    trial = coordination.schedule_for("inference_1")
    assert trial == replace(without, active=(1,), cycle=without.cycle_ticks)
    owners = [trial.owner(tick) for tick in range(trial.effective_tick, trial.effective_tick + 30)]
    # as often as a worker of the schedule, which is busy for three ticks
    assert owners.count(1) == 30 // without.cycle_ticks
    assert min(b - a for a, b in itertools.pairwise(
        place for place, owner in enumerate(owners) if owner == 1)) >= 3
    assert heard(coordination, 3) == "inference_1"
    assert coordination.schedule_for("inference_1") == without  # as long as there is no other


def test_whom_all_wait_for_is_not_on_trial() -> None:
    coordination, first = settled(processes=("inference_0",))
    coordination.on_process("inference_0", alive=False)
    assert coordination.evaluate() is None
    coordination.on_process("inference_0", alive=True)
    assert coordination.schedule_for("inference_0") == first


def test_who_died_again_who_never_did_and_what_was_sent_before_count_for_nothing() -> None:
    coordination, _ = settled(processes=("inference_0", "inference_1"))
    assert heard(coordination, 0) == ""
    coordination.on_process("inference_1", alive=False)
    coordination.evaluate()
    coordination.on_process("inference_1", alive=True)
    assert heard(coordination, 3, generation=1) == ""  # on its way since before it died
    assert heard(coordination, -1) == ""  # a tick that went without an action
    coordination.on_process("inference_1", alive=False)
    assert heard(coordination, 3) == ""
    coordination.evaluate()
    assert coordination.schedule.active == (0, 2)


def test_who_is_not_heard_is_told_again_now_and_then() -> None:
    coordination, _ = settled(processes=("inference_0", "inference_1"))
    assert [coordination.to_resend() for _ in range(20)] == [[]] * 20
    coordination.on_process("inference_1", alive=False)
    coordination.evaluate()
    assert [coordination.to_resend() for _ in range(20)] == [[]] * 20  # nobody is there
    coordination.on_process("inference_1", alive=True)
    told = [coordination.to_resend() for _ in range(15)]
    assert told == [*[[]] * 4, ["inference_1"]] * 3
    coordination.to_resend()
    heard(coordination, 1)
    assert [coordination.to_resend() for _ in range(20)] == [[]] * 20


def test_a_process_that_follows_an_older_schedule_is_told_again() -> None:
    coordination, schedule = settled()
    feed(coordination, range(schedule.effective_tick, schedule.effective_tick + 1), 40.0,
         generation=0)
    assert [coordination.to_resend() for _ in range(5)] == [*[[]] * 4, ["inference_0"]]


@pytest.mark.parametrize(("sizing", "active"), [
    (Sizing(auto=True, headroom=0), 3), (Sizing(auto=True, headroom=1), 4),
    (Sizing(auto=True, headroom=9), 8), (Sizing(auto=True, minimum=6), 6),
    (Sizing(auto=True, maximum=2), 2), (Sizing(auto=False), 8)])
def test_as_many_workers_as_required_are_active(sizing: Sizing, active: int) -> None:
    # 40 ms in periods of 16 ms require three
    _, schedule = settled(40.0, workers=tuple(range(8)), sizing=sizing)
    assert schedule.active == tuple(range(active))


def test_a_model_that_becomes_slower_gets_its_workers_before_the_window_shows_it() -> None:
    coordination, first = settled(40.0, workers=tuple(range(20)), window=256,
                                  sizing=Sizing(auto=True, headroom=0))
    feed(coordination, range(20, 300), 40.0)
    feed(coordination, range(300, 340), 80.0)
    told = [coordination.evaluate() for _ in range(2)]
    assert first.active == (0, 1, 2)
    assert told[-1] is not None
    assert told[-1].active == (0, 1, 2, 3, 4)


@pytest.mark.parametrize(("changes", "delay", "hold_ms"), [
    ({"algorithm": Algorithm.EXP_TIME}, 3, 40.0),
    ({"dealing": Dealing.FIXED}, 3, 40.0), ({"slot_source": SlotSource.TIMER}, 3, 40.0),
    ({"algorithm": Algorithm.SEQUENTIAL}, 3, 40.0)])
def test_what_else_is_asked_for_is_told_at_once_as_a_new_generation(
    changes: dict[str, object], delay: int, hold_ms: float
) -> None:
    coordination, before = settled(40.0)
    coordination.follow(replace(POLICY, **changes))
    schedule = coordination.evaluate()
    assert schedule is not None
    assert schedule.generation == before.generation + 1
    assert schedule.effective_tick > 19
    assert (schedule.promised_delay_ticks, schedule.hold_ns) == (delay, hold_ms * MS)
    for name, value in changes.items():
        assert getattr(schedule, name) is value
    assert coordination.evaluate() is None


def test_another_quantile_is_promised_at_once_from_the_durations_that_are_known() -> None:
    policy = replace(POLICY, algorithm=Algorithm.QUANTILE_TIME, quantile=0.99, window=100)
    coordination = Coordination(policy)
    feed(coordination, range(62), 40.0)
    feed(coordination, range(62, 102), 90.0)
    schedule = coordination.evaluate()
    assert schedule is not None and schedule.promised_delay_ticks == 6
    coordination.follow(replace(policy, quantile=0.5))
    schedule = coordination.evaluate()
    assert schedule is not None and schedule.promised_delay_ticks == 3


def test_another_sizing_keeps_the_promised_delay() -> None:
    coordination, before = settled(40.0)
    coordination.follow(replace(POLICY, sizing=Sizing(auto=True, maximum=2)))
    schedule = coordination.evaluate()
    assert schedule is not None
    assert schedule.active == (0, 1)
    assert schedule.promised_delay_ticks == before.promised_delay_ticks


def test_nothing_is_told_anew_where_nothing_else_is_asked_for() -> None:
    coordination, _ = settled(40.0)
    coordination.follow(replace(POLICY))
    assert coordination.evaluate() is None


def test_what_is_asked_for_before_the_first_schedule_is_in_it() -> None:
    coordination = Coordination(POLICY)
    coordination.follow(replace(POLICY, algorithm=Algorithm.EXP_TIME))
    assert coordination.evaluate() is None
    feed(coordination, range(20), 40.0)
    schedule = coordination.evaluate()
    assert schedule is not None and schedule.algorithm is Algorithm.EXP_TIME
