"""What cannot be is refused: records that anybody on the network may have written."""

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import replace

import pytest
from core.pausing_graph import PERIOD_NS, START_NS, PausingGraph
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_rl.core.enumerations import Fate, Miss, Reason
from realtime_rl.core.messages.ranges import MOST_GENERATION
from realtime_rl.core.messages.records import Command, Inference, Timestep, Verdict
from realtime_rl.core.messages.wire import WireError
from realtime_rl.core.schedule.coordination import Coordination
from realtime_rl.core.schedule.coordination_policy import CoordinationPolicy
from realtime_rl.core.schedule.tick_grid import ticks_in
from realtime_rl.core.settings.coordinator import CoordinatorParameters, policy_of
from realtime_rl.core.settings.parameters import ActuatorParameters
from realtime_rl.core.types import Cause

MS = 1_000_000
NODES = ("inference_0", "inference_1")
POLICY = CoordinationPolicy(tuple(range(7)), PERIOD_NS, 2 * MS, processes=NODES,
                            most_delay_ticks=896)


def running(policy: CoordinationPolicy = POLICY, seconds: float = 10.0) -> PausingGraph:
    graph = PausingGraph(policy, lambda tick: 95.0, processes=2).run(seconds)
    assert graph.coordination.schedule.promised_delay_ticks == 6
    return graph


NOW_TICK = round(10.0 * 1e9 / PERIOD_NS)
NOW_NS = NOW_TICK * PERIOD_NS


def record(graph: PausingGraph, ago_ticks: int = 7, **changes: object) -> Inference:
    """One that could be true, so long ago."""
    tick = NOW_TICK - ago_ticks
    schedule = graph.coordination.schedule
    worker = tick % 7
    return replace(Inference(
        START_NS + tick * PERIOD_NS, tick, schedule.due_tick(tick), worker, schedule.generation,
        1, 0.0, 0.095, 0.01, Miss.NONE, False, math.nan, NODES[worker % 2]), **changes)


def test_what_could_be_counts() -> None:
    graph = running()
    assert graph.coordination.on_inference(record(graph), NOW_NS) is None


@pytest.mark.parametrize(("changes", "problem"), [
    ({"worker": 99}, "there is no worker 99, only 7"),
    ({"worker": 7}, "there is no worker 7, only 7"),
    ({"node": "talker"}, "'talker' is no inference node"),
    ({"node": ""}, "'' is no inference node"),
    ({"worker": 2, "node": "inference_1"}, "worker 2 does not live in inference_1"),
    ({"tick": NOW_TICK + 50}, f"tick {NOW_TICK + 50} is to come, the plant is at"),
    ({"tick": 2**53}, "is to come"),
    ({"stamp_ns": START_NS + NOW_NS + 10**9}, "is to come"),
    ({"duration_s": 10.0}, "it took 10 s, its observation is"),
    ({"duration_s": 3599.0}, "it took"),
    ({"stamp_ns": START_NS - 3600 * 10**9, "tick": 0}, "s late, the plant is at")])
def test_what_cannot_be_is_refused_and_said(changes: dict[str, object], problem: str) -> None:
    graph = running()
    before = graph.coordination.evaluate()
    for _ in range(300):
        assert problem in str(graph.coordination.on_inference(record(graph, **changes), NOW_NS))
        assert graph.coordination.evaluate() == before
    assert graph.coordination.behind() == graph.coordination.out_of_sync() == []


def test_a_plant_that_is_not_heard_of_goes_on() -> None:
    """Its ticks may be drowned in a flood of false ones."""
    graph = running()
    for ticks in range(0, 600, 7):
        assert graph.coordination.on_inference(
            record(graph, -ticks), NOW_NS + ticks * PERIOD_NS + 120 * MS) is None


def test_a_worker_that_began_others_meanwhile_was_not_busy() -> None:
    graph = running()
    tick = NOW_TICK - 300
    for _ in range(273):
        said = graph.coordination.on_inference(record(
            graph, tick=tick, stamp_ns=START_NS + tick * PERIOD_NS, worker=2, node="inference_0",
            duration_s=4.9), NOW_NS)
        assert said == "worker 2 was busy for 4.9 s, and began others meanwhile"
        graph.coordination.evaluate()
    assert graph.coordination.schedule.promised_delay_ticks == 6


@pytest.mark.parametrize("ago_s", [1.5, 3.0, 6.0, 9.0])
def test_nor_was_one_busy_for_a_second_that_is_over(ago_s: float) -> None:
    graph = running()
    tick = NOW_TICK - round(ago_s * 1e9 / PERIOD_NS)
    assert graph.coordination.on_inference(record(
        graph, tick=tick, stamp_ns=START_NS + tick * PERIOD_NS, worker=2, node="inference_0",
        duration_s=1.0), NOW_NS) is not None


def test_a_worker_without_slots_gave_no_inference() -> None:
    graph = running(replace(POLICY, workers=tuple(range(9))))
    graph.coordination.on_process("inference_1", alive=False)
    schedule = graph.coordination.evaluate()
    assert schedule is not None
    assert "worker 3 has no slots in generation" in str(graph.coordination.on_inference(
        record(graph, worker=3, node="inference_1", generation=schedule.generation), NOW_NS))
    # its first worker may be on trial
    assert graph.coordination.on_inference(record(
        graph, worker=1, node="inference_1", generation=schedule.generation), NOW_NS) is None


def test_a_strangers_worker_brings_nobody_back() -> None:
    graph = running()
    graph.coordination.on_process("inference_1", alive=False)
    graph.coordination.evaluate()
    graph.coordination.on_process("inference_1", alive=True)
    generation = graph.coordination.schedule.generation
    for worker, back in ((99, ""), (2**53, ""), (1, "inference_1")):
        assert graph.coordination.on_verdict(Verdict(
            0, Fate.REJECTED, Reason.FUTURE, -1, 9, -1, worker, 1, generation, 0.0)) == back


FOREIGN = 2**31 - 1


@pytest.mark.parametrize("generation", [7, FOREIGN])
def test_a_process_that_somebody_else_told_is_told_again(generation: int) -> None:
    graph = running()
    schedule = graph.coordination.schedule
    assert graph.coordination.out_of_sync() == []
    assert graph.coordination.on_inference(record(
        graph, worker=1, node="inference_1", generation=generation), NOW_NS) is None
    assert graph.coordination.out_of_sync() == ["inference_1"]
    assert graph.coordination.out_of_sync() == []
    assert graph.coordination.schedule_for("inference_1") == schedule
    # it does not count on from what a stranger said
    graph.coordination.on_process("inference_0", alive=False)
    following = graph.coordination.evaluate()
    assert following is not None
    assert following.generation == schedule.generation + 1


def test_another_delay_in_a_generation_is_somebody_elses() -> None:
    graph = running()
    told = record(graph)
    graph.coordination.on_inference(replace(told, due_tick=told.tick + 60), NOW_NS)
    assert graph.coordination.out_of_sync() == [told.node]


def test_nobody_is_astray_before_the_first_schedule() -> None:
    """Those who follow a coordinator that was killed go on counting."""
    coordination = Coordination(POLICY)
    for tick in range(20):
        coordination.on_inference(Inference(
            START_NS + tick * PERIOD_NS, tick, tick + 6, tick % 7, 41, 1, 0.0, 0.095, 0.01,
            Miss.NONE, False, math.nan, NODES[tick % 7 % 2]))
    coordination.mark_out_of_sync("inference_0")
    assert coordination.out_of_sync() == []
    schedule = coordination.evaluate()
    assert schedule is not None
    assert schedule.generation == 42


@pytest.mark.parametrize("heard", [MOST_GENERATION - 1, MOST_GENERATION])
def test_generations_never_leave_their_range(heard: int) -> None:
    coordination = Coordination(POLICY)
    for tick in range(20):
        coordination.on_inference(Inference(
            START_NS + tick * PERIOD_NS, tick, tick + 6, tick % 7, heard, 1, 0.0, 0.095, 0.01,
            Miss.NONE, False, math.nan, NODES[tick % 7 % 2]))
    schedule = coordination.evaluate()
    assert schedule is not None
    assert schedule.generation == (MOST_GENERATION if heard < MOST_GENERATION else 1)
    coordination.on_process("inference_1", alive=False)
    following = coordination.evaluate()
    assert following is not None
    assert following.generation == (1 if heard < MOST_GENERATION else 2)


def test_a_plant_that_begins_anew_is_known_by_its_own_word_alone() -> None:
    graph = running()
    coordination = graph.coordination
    old = record(graph, tick=3)
    assert coordination.on_inference(old, NOW_NS) is None
    assert coordination.evaluate() is None  # a record alone begins nothing anew
    for tick in (2, 4):
        stamp_ns = START_NS + NOW_NS + (50 + tick) * PERIOD_NS
        with nullcontext() if tick > 2 else pytest.raises(WireError):
            coordination.on_timestep(Timestep.latching(
                Command(Cause.NONE, (0.0,)), stamp_ns=stamp_ns, tick=tick, period_ns=PERIOD_NS),
                NOW_NS + (50 + tick) * PERIOD_NS)
    schedule = coordination.evaluate()
    assert schedule is not None
    assert schedule.effective_tick == 4 + POLICY.lead_ticks


@pytest.mark.parametrize(("duration_s", "delay"), [(0.9, 54), (14.9, 891), (20.0, 896),
                                                   (3599.0, 896)])
def test_the_delay_has_a_cap(duration_s: float, delay: int) -> None:
    coordination = Coordination(POLICY)
    for tick in range(20):
        coordination.on_inference(Inference(
            START_NS + tick * PERIOD_NS, tick, -1, tick % 7, 0, 1, 0.0, duration_s, 0.01,
            Miss.NONE, False, math.nan, NODES[tick % 7 % 2]))
    schedule = coordination.evaluate()
    assert schedule is not None
    assert schedule.promised_delay_ticks == delay
    assert coordination.at_most is (delay == 896)


@pytest.mark.parametrize(("period_ns", "delay_max", "stale_after", "most"), [
    (PERIOD_NS, 15.0, 17.0, 895), (PERIOD_NS, 30.0, 17.0, 1015), (MS, 15.0, 17.0, 15_000),
    (MS, 0.5, 17.0, 500), (10**9, 0.5, 17.0, 1), (10**9, 15.0, 17.0, 15)])
def test_the_cap_is_time_and_what_the_actuator_takes(
        period_ns: int, delay_max: float, stale_after: float, most: int) -> None:
    policy = policy_of(CoordinatorParameters(period_ns=period_ns, delay_max=delay_max,
                                             stale_after=stale_after))
    assert policy.most_delay_ticks == most


@given(period_ns=st.integers(MS, 10**9), shorter=st.floats(0.1, 15.0))
def test_whatever_the_period_no_action_that_keeps_the_promise_is_stale(
        period_ns: int, shorter: float) -> None:
    promised = policy_of(CoordinatorParameters(period_ns=period_ns, delay_max=shorter))
    taken = ticks_in(ActuatorParameters().stale_after, period_ns)
    assert promised.most_delay_ticks <= taken
    assert (promised.most_delay_ticks + 1) * period_ns > round(shorter * 1e9)
    assert 16 * 10**9 <= taken * period_ns <= 17 * 10**9


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(
    st.integers(0, 700), st.integers(-1, 4095), st.sampled_from((*NODES, "", "x")),
    st.floats(0.0, 3600.0), st.integers(0, 2**53), st.floats(-1e20, 1e20)), max_size=40))
def test_no_records_of_a_stranger_make_the_delay_long(
        records: list[tuple[int, int, str, float, int, float]]) -> None:
    graph = running(seconds=5.0)
    at = round(5.0 * 1e9 / PERIOD_NS)
    for tick, worker, node, duration_s, generation, age_s in records:
        graph.coordination.on_inference(Inference(
            START_NS + tick * PERIOD_NS, tick, tick + 6, worker, generation, 1, age_s, duration_s,
            0.0, Miss.NONE, False, math.nan, node), at * PERIOD_NS)
        graph.coordination.evaluate()
        graph.coordination.out_of_sync()
    assert graph.coordination.schedule.promised_delay_ticks <= 12
    assert graph.coordination.schedule.generation <= 41
