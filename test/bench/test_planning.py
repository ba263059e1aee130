"""What a latency takes, approach by approach."""

from __future__ import annotations

import pytest

from realtime_rl.bench.approaches import BASELINES, COMPARED, STAGGERED, Approach, select
from realtime_rl.bench.planning import Expectation, plan
from realtime_rl.bench.virtual import VirtualGraph, run_virtual
from realtime_rl.core.enumerations import Algorithm, Dealing
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.figures.accounting import account
from realtime_rl.core.schedule.coordination_policy import CoordinationPolicy
from realtime_rl.policies.latency import Latency

PERIOD = 16_000_000
MAX_TIME = Approach(Algorithm.MAX_TIME)


def expected(text: str, **details: float) -> Expectation:
    return Expectation(Latency.parse(text), PERIOD, **details)


@pytest.mark.parametrize("approach", STAGGERED)
def test_a_constant_takes_as_many_workers_as_ticks(approach: Approach) -> None:
    found = plan(expected("constant:94ms"), approach, 3)
    assert found.required_workers == found.prediction.workers == 6
    assert (found.prediction.inaction, found.prediction.delay_ticks) == (0.0, 6.0)
    assert found.given is not None
    assert found.given.inaction == pytest.approx(0.5)


@pytest.mark.parametrize("approach", BASELINES)
def test_baselines_never_do(approach: Approach) -> None:
    found = plan(expected("constant:94ms"), approach)
    assert found.required_workers is None
    assert found.prediction.inaction > 0.5
    assert found.given is None


@pytest.mark.parametrize(("share", "workers"), [(0.05, 8), (0.1, 13)])
def test_contention_takes_more_workers(share: float, workers: int) -> None:
    """As many as the real core needs, each in flight slowing the others."""
    text = f"constant:94ms,contention={share}"
    found = plan(expected(text), MAX_TIME)
    assert found.required_workers == pytest.approx(workers, abs=1)
    needed = found.required_workers or 0
    for count, inactive in ((needed + 1, False), (needed - 2, True)):
        figures = account(run_virtual(VirtualGraph(
            CoordinationPolicy(tuple(range(count)), PERIOD, 2_000_000), Latency.parse(text), 1500)))
        fraction = figures["interaction"]["inaction_fraction"]
        assert fraction is not None
        assert (fraction > 0.05) is inactive


@pytest.mark.parametrize(("alone_ms", "share", "taken_ms"), [
    (10, 0.5, 10.0),  # over before the next one begins
    (24, 0.1, 26.4), (30, 0.1, 36.0)])
def test_an_inference_is_slowed_by_those_that_are_in_flight_when_it_begins(
    alone_ms: int, share: float, taken_ms: float
) -> None:
    found = expected(f"constant:{alone_ms}ms,contention={share}").durations_ns(MAX_TIME, 99)
    assert set(found) == {round(1e6 * taken_ms)}


def test_contention_may_be_more_than_any_number_of_workers_bears() -> None:
    hopeless = expected("constant:94ms,contention=0.3")
    assert not hopeless.bearable()
    found = plan(hopeless, MAX_TIME)
    assert found.required_workers is None
    assert found.prediction.inaction > 0.2
    assert expected("constant:94ms,contention=0.1").bearable()


def test_a_trace_is_planned_from_its_beginning(tmp_path) -> None:
    path = tmp_path / "trace.txt"
    path.write_text("94ms\n30ms\n")
    latency = Latency.parse(f"trace:{path}")
    one, two = (Expectation(latency, PERIOD).alone_ns for _ in range(2))
    assert one[0] == two[0] == 94_000_000
    assert set(one) == {94_000_000, 30_000_000}


def test_without_a_latency_there_is_nothing_to_plan() -> None:
    with pytest.raises(ConfigError, match="latency 'none': nothing to plan with"):
        expected("none")


def test_names_select_approaches() -> None:
    assert select("max_time", None) == (Approach(Algorithm.MAX_TIME),
                                        Approach(Algorithm.MAX_TIME, Dealing.FIXED))
    assert [str(each) for each in select(None, "fixed")] == [
        "max_time fixed", "quantile_time fixed", "exp_time fixed"]
    assert select("sequential", None) == (Approach(Algorithm.SEQUENTIAL),)
    assert select("sequential", "fixed") == ()
    assert len(select(None, None)) == 9
    assert [str(each) for each in COMPARED] == [
        "max_time pooled", "max_time fixed", "quantile_time pooled", "exp_time pooled",
        "sequential", "unstaggered", "single_queue"]
