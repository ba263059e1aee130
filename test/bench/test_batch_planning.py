"""What runs of several observations take and give, beside staggered runs of one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_rl.bench.batch_planning import BatchPlan, best, parse, plan_batches
from realtime_rl.bench.planning import Expectation
from realtime_rl.cli import main
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.schedule.planner import Setting, fewest_workers, predict
from realtime_rl.core.schedule.stagger import promised_delay_ticks
from realtime_rl.policies.latency import Latency

MS = 1_000_000
SETTING = Setting(10 * MS, 2 * MS)
TICKS = 400
spans = st.integers(1, 90).map(lambda ms: ms * MS)


@given(spans, st.integers(1, 12), st.integers(1, 12))
@settings(max_examples=20, deadline=None)
def test_an_action_is_as_late_as_its_run_and_the_wait_for_the_last_of_it(
    run_ns: int, size: int, spare: int
) -> None:
    batched = replace(SETTING, batch=size)
    workers = fewest_workers([run_ns], batched, 0.0, TICKS)
    assert workers is not None
    assert workers >= size
    found = predict([run_ns], workers + spare - 1, batched, TICKS)
    assert found.inaction == 0.0
    assert found.promised_delay_ticks == found.delay_ticks == size - 1 + promised_delay_ticks(
        run_ns, 2 * MS, 10 * MS)
    if workers > 1:
        assert predict([run_ns], workers - 1, batched, TICKS).inaction > 0.0


@given(st.lists(spans, min_size=2, max_size=8), st.integers(1, 9))
@settings(max_examples=20, deadline=None)
def test_a_batch_of_one_is_a_staggered_run(durations: list[int], workers: int) -> None:
    one = replace(SETTING, batch=1)
    assert predict(durations, workers, one, TICKS) == predict(durations, workers, SETTING, TICKS)


@given(st.lists(spans, min_size=2, max_size=8), st.integers(1, 20), st.integers(1, 6))
@settings(max_examples=20, deadline=None)
def test_each_further_observation_of_a_run_costs_a_tick(
    durations: list[int], workers: int, size: int
) -> None:
    one, more = (predict(durations, workers, replace(SETTING, batch=each), TICKS)
                 for each in (size, size + 1))
    assert more.promised_delay_ticks == one.promised_delay_ticks + 1


def planned(latency: str, profile: str, period_ms: int = 10) -> tuple[list[BatchPlan], BatchPlan]:
    plans = plan_batches(Expectation(Latency.parse(latency), period_ms * MS), parse(profile))
    return plans, best(plans)


@pytest.mark.parametrize(("latency", "profile", "size"), [
    ("constant:20ms", "2=20ms,4=20ms", 1),  # what a batch saves nobody needs
    ("constant:20ms,contention=0.05", "2=22ms,4=26ms", 1),  # it runs some at a time
    ("constant:20ms,contention=1", "2=22ms,4=26ms,8=34ms", 4),  # it runs one at a time
    ("constant:20ms,contention=1", "2=40ms,4=80ms", 1),  # and a batch saves nothing
    ("constant:8ms,contention=1", "2=9ms,4=10ms", 1),  # one at a time is enough
])
def test_a_batch_pays_where_runs_would_wait_for_each_other(
    latency: str, profile: str, size: int
) -> None:
    plans, chosen = planned(latency, profile)
    assert chosen.size == size
    assert [each.size for each in plans] == sorted({1, *parse(profile)})


def test_one_run_at_a_time_is_told_from_several() -> None:
    plans, chosen = planned("constant:20ms,contention=1", "4=26ms,8=34ms")
    assert [(each.enough, each.runs_at_once) for each in plans] == [
        (False, 1), (True, 1), (True, 1)]
    assert chosen.prediction.promised_delay_ticks == 3 + 3
    assert plans[0].prediction.inaction == pytest.approx(0.5, abs=0.01)


@given(st.floats(0.01, 1.0), st.floats(1.0, 4.0))
@settings(max_examples=3, deadline=None)
def test_the_best_is_never_worse_than_one_that_it_was_compared_with(
    share: float, growth: float
) -> None:
    plans, chosen = planned(f"constant:20ms,contention={share:.3f}",
                            f"2={20 * growth:.3f}ms,4={30 * growth:.3f}ms")
    for each in plans:
        if each.enough:
            assert chosen.enough
            assert (chosen.prediction.promised_delay_ticks
                    <= each.prediction.promised_delay_ticks)
    assert all(np.isfinite(each.prediction.delay_ticks) for each in plans)


@pytest.mark.parametrize("text", ["", "2", "2=", "0=1ms", "x=1ms", "2=1ms,2=2ms", "2000=1ms"])
def test_a_profile_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--batch: "):
        parse(text)


def say(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    status = main.main(["plan", "--latency", "constant:20ms,contention=1", "--period", "10ms",
                        "--batch", "2=22ms,4=26ms", *words])
    return status, capsys.readouterr()


def test_the_verb_says_what_to_set(capsys: pytest.CaptureFixture[str]) -> None:
    status, said = say(capsys)
    assert status == 0
    assert "inference.batch=4 with scenario.workers=" in " ".join(said.out.split())
    status, said = say(capsys, "--json", "-")
    found = json.loads(said.out)
    assert status == 0
    assert found["best"] == 4
    assert [row["batch"] for row in found["rows"]] == [1, 2, 4]
    assert found["rows"][2]["delay_ms"] == 10 * found["rows"][2]["delay_ticks"]


@pytest.mark.parametrize("words", [("--chunk", "9"), ("--workers", "3"), ("--processes", "2"),
                                   ("--algorithm", "exp_time"), ("--dealing", "fixed")])
def test_what_it_does_not_plan_for_is_refused(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    status, said = say(capsys, *words)
    assert status != 0
    assert said.err.count("\n") == 1
    assert words[0] in said.err
