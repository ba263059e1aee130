"""The graph in virtual time: the real core, from the first inference on."""

from __future__ import annotations

import pytest
from alike import same
from hypothesis import example, given, settings
from hypothesis import strategies as st

from realtime_rl.bags.attribution import disagreements
from realtime_rl.bench.virtual import VirtualGraph, run_virtual
from realtime_rl.core.enumerations import Algorithm, Dealing, Fate, Miss
from realtime_rl.core.figures.accounting import account
from realtime_rl.core.schedule.coordination_policy import CoordinationPolicy
from realtime_rl.core.types import Cause
from realtime_rl.policies.latency import Latency

PERIOD = 16_000_000


def graph(text: str, workers: int, ticks: int = 600, *, processes: int = 1, seed: int = 0,
          algorithm: Algorithm = Algorithm.MAX_TIME, dealing: Dealing = Dealing.POOLED
          ) -> VirtualGraph:
    names = tuple(f"inference_{index}" for index in range(processes))
    policy = CoordinationPolicy(tuple(range(workers)), PERIOD, 2_000_000, algorithm=algorithm,
                                dealing=dealing, processes=names)
    return VirtualGraph(policy, Latency.parse(text), ticks, processes=processes, seed=seed)


@pytest.mark.parametrize("processes", [1, 3])
@pytest.mark.parametrize("algorithm", [Algorithm.MAX_TIME, Algorithm.EXP_TIME])
def test_as_many_workers_as_needed_act_at_every_tick(algorithm: Algorithm, processes: int) -> None:
    records = run_virtual(graph("constant:94ms", 6, algorithm=algorithm, processes=processes))
    figures = account(records)
    # at most, once: the change from no schedule to the first one
    assert figures["interaction"]["default_ticks"] <= (0 if processes == 1 else 6)
    assert figures["interaction"]["delay_ticks"]["max"] == 6
    assert figures["interaction"]["action_jitter_ms"]["p95"] == pytest.approx(0.0, abs=1e-6)
    assert figures["interaction"]["excess_delay_ticks"]["max"] == 0
    assert figures["inference"]["required_workers"] == 6
    assert figures["inference"]["processes"] == processes


def test_one_worker_acts_at_one_tick_in_six() -> None:
    figures = account(run_virtual(graph("constant:94ms", 1, 1200)))
    assert figures["interaction"]["inaction_fraction"] == pytest.approx(5 / 6, abs=0.01)


def test_contention_slows_as_many_as_are_in_flight() -> None:
    records = run_virtual(graph("constant:32ms,contention=0.5", 4, 60))
    alone, second = records.inferences[0], records.inferences[1]
    assert alone.duration_s == pytest.approx(0.032)
    assert second.duration_s == pytest.approx(0.048)


@settings(max_examples=25, deadline=None)
# one that takes longer than any before is under way at the end
@example(workers=3, algorithm=Algorithm.EXP_TIME, dealing=Dealing.POOLED, processes=2, seed=5,
         cv=1.0)
@given(workers=st.integers(1, 9), algorithm=st.sampled_from(Algorithm),
       dealing=st.sampled_from(Dealing), processes=st.integers(1, 3), seed=st.integers(0, 99),
       cv=st.sampled_from([0.05, 0.3, 1.0]))
def test_every_tick_has_a_cause_and_every_action_a_fate(
        *, workers: int, algorithm: Algorithm, dealing: Dealing, processes: int, seed: int,
        cv: float) -> None:
    wanted = graph(f"lognormal:60ms,cv={cv}", workers, 250, processes=min(processes, workers),
                   seed=seed, algorithm=algorithm, dealing=dealing)
    records = run_virtual(wanted)
    assert [step.tick for step in records.timesteps] == list(range(250))
    assert list(disagreements(records)) == []
    applied = [v for v in records.verdicts if v.fate is Fate.APPLIED]
    assert len(applied) == sum(step.cause is Cause.POLICY for step in records.timesteps)
    assert all(i.worker < 0 for i in records.inferences if i.miss is Miss.BUSY)
    assert same(run_virtual(wanted), records)


def test_progress_is_told() -> None:
    told: list[int] = []
    run_virtual(graph("constant:30ms", 3, 600), told.append)
    assert told == [0, 256, 512]
