"""What stood still is no slow model: durations that span a pause do not count."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from core.pausing_graph import LOOK_NS, PERIOD_NS, PausingGraph

from realtime_rl.core.schedule.coordination_policy import CoordinationPolicy

LOOKS_PER_S = 1_000_000_000 // LOOK_NS


def policy(workers: int, processes: int = 1, **changes: object) -> CoordinationPolicy:
    names = tuple(f"inference_{process}" for process in range(processes))
    return replace(CoordinationPolicy(tuple(range(workers)), PERIOD_NS, 2_000_000,
                                      processes=names), **changes)


def looks(graph: PausingGraph, begin_s: float, end_s: float) -> list[int]:
    return graph.delays[round(begin_s * LOOKS_PER_S):round(end_s * LOOKS_PER_S)]


@pytest.mark.parametrize("tells_ticks", [True, False])
@pytest.mark.parametrize(("workers", "duration_ms", "delay"), [
    (4, 95.0, 6), (7, 95.0, 6), (8, 95.0, 6), (16, 200.0, 13), (16, 95.0, 6), (72, 1150.0, 69)])
def test_a_stop_of_three_seconds_does_not_make_the_policy_late(
        workers: int, duration_ms: float, delay: int, tells_ticks: bool) -> None:
    graph = PausingGraph(policy(workers), lambda tick: duration_ms, {0: [(20.0, 23.0)]},
                         tells_ticks=tells_ticks).run(40.0)
    assert set(looks(graph, 10.0, 40.0)) == {delay}
    assert graph.coordination.left_out >= min(workers, delay) - 1


@pytest.mark.parametrize("pause_s", [0.3, 0.5, 1.0, 10.0])
@pytest.mark.parametrize("paused", [(0,), (1,), (0, 1)])
def test_whoever_stands_still_for_how_long(pause_s: float, paused: tuple[int, ...]) -> None:
    graph = PausingGraph(policy(8, 2), lambda tick: 95.0,
                         {process: [(20.0, 20.0 + pause_s)] for process in paused},
                         processes=2).run(40.0)
    assert set(looks(graph, 10.0, 40.0)) == {6}


def test_pauses_one_after_another() -> None:
    graph = PausingGraph(policy(8), lambda tick: 95.0,
                         {0: [(begin, begin + 0.8) for begin in np.arange(10.0, 30.0, 2.5)]}
                         ).run(40.0)
    assert set(looks(graph, 5.0, 40.0)) == {6}


def test_varying_durations_are_as_they_were_with_a_pause_among_them() -> None:
    durations = np.random.default_rng(3).lognormal(math.log(205.0), 0.3, 4000)

    def run(pauses: list[tuple[float, float]]) -> PausingGraph:
        return PausingGraph(policy(20), lambda tick: float(durations[tick]), {0: pauses}).run(50.0)

    calm, paused = run([]), run([(25.0, 28.0)])
    assert max(looks(paused, 25.0, 50.0)) <= max(looks(calm, 25.0, 50.0)) + 1


@pytest.mark.parametrize(("workers", "slow_ms"), [(8, 600.0), (16, 400.0), (40, 600.0),
                                                  (72, 1150.0)])
def test_a_model_that_became_slow_is_believed(workers: int, slow_ms: float) -> None:
    """After an inference of its own, and one more to see that no others were left out."""
    graph = PausingGraph(policy(workers), lambda tick: slow_ms if tick > 1200 else 95.0).run(30.0)
    delay = math.ceil((slow_ms + 2.0) * 1e6 / PERIOD_NS)
    at_s = 1200 * PERIOD_NS / 1e9
    assert set(looks(graph, 10.0, at_s)) == {6}
    assert set(looks(graph, at_s + 2.1 * slow_ms / 1e3 + 0.4, 30.0)) == {delay}
    assert graph.coordination.left_out <= workers


@pytest.mark.parametrize("waiting", [4, 29, 1000])
@pytest.mark.parametrize("workers", [4, 8, 16])
def test_observations_that_waited_meanwhile_do_not_hide_a_pause(workers: int, waiting: int) -> None:
    """A socket keeps what came while its process was stopped."""
    graph = PausingGraph(policy(workers), lambda tick: 95.0, {0: [(20.0, 23.0)]},
                         waiting=waiting).run(40.0)
    assert set(looks(graph, 10.0, 40.0)) == {6}
