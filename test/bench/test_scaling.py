"""Required workers against inference time, in virtual time."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.bench import scaling as module
from realtime_rl.bench.documents import scaling_document, scaling_text, to_json
from realtime_rl.bench.drawing import draw_scaling
from realtime_rl.bench.live import LiveBench
from realtime_rl.bench.progress import Stages
from realtime_rl.bench.scaling import LiveTrial, Point, Scaling, fit, in_virtual_time
from realtime_rl.runner.supervisor import NodeFailedError

CONSTANT = Scaling(16_000_000, 2_000_000, 0.0, 0.005)


@pytest.fixture(scope="module")
def points() -> list[Point]:
    return list(in_virtual_time(CONSTANT, [1, 3, 8, 20], Stages()))


def test_a_worker_a_tick(points: list[Point]) -> None:
    assert [(p.latency_ticks, p.required_workers) for p in points] == [
        (1, 1), (3, 3), (8, 8), (20, 20)]
    assert [p.inaction for p in points] == [0.0] * 4
    assert [p.sequential_inaction for p in points] == pytest.approx([0, 2 / 3, 7 / 8, 19 / 20],
                                                                    abs=0.01)
    line = fit(points)
    assert line is not None
    assert (line.slope, line.intercept, line.r_squared) == pytest.approx((1, 0, 1))


def test_varying_times_take_a_few_more() -> None:
    [point] = in_virtual_time(Scaling(16_000_000, 2_000_000, 0.1, 0.02), [8], Stages())
    assert point.required_workers is not None
    assert 8 < point.required_workers < 13


def test_what_is_said_and_drawn(points: list[Point], tmp_path: Path) -> None:
    lived = [Point(8.0, 8, 0.001, trials=(LiveTrial(8, 0.001, 0.4, 1),
                                          LiveTrial(7, 0.125, 1.5, 3))),
             Point(12.0, None, 0.5, trials=(LiveTrial(12, 0.5, 0.25, 1),))]
    text = scaling_text([*points, *lived], fit(points), fit(lived))
    assert "workers = 1.0000 x ticks" in text
    assert "8 live" in text
    assert ("tried live at 8 ticks: 8 workers 0.10 % (0.40 % stolen), "
            "7 workers 12.50 % (1.50 % stolen; the calmest of 3 runs)") in text
    document = scaling_document(CONSTANT, [*points, *lived], fit(points), fit(lived))
    assert document["live_fit"] is None
    assert [point["live"] for point in document["points"]] == [False] * 4 + [True] * 2
    assert list(document["points"][-1]["trials"]) == [
        {"workers": 12, "inaction": 0.5, "stolen_percent": 0.25, "runs": 1}]
    assert '"required_workers": 20' in to_json(document)
    draw_scaling([*points, *lived], fit(points), tmp_path / "s.svg")
    assert (tmp_path / "s.svg").stat().st_size > 1000


@given(needed=st.integers(1, 200), likely=st.integers(1, 200))
def test_the_search_finds_the_fewest(needed: int, likely: int) -> None:
    tried: list[int] = []

    def inaction(workers: int) -> float:
        tried.append(workers)
        return 0.0 if workers >= needed else 1.0

    assert module._fewest(inaction, 0.01, likely, 400) == needed
    assert module._fewest(lambda workers: 1.0, 0.01, likely, 400) is None


@given(needed=st.integers(1, 20), likely=st.integers(1, 20))
def test_the_live_search_goes_one_by_one(needed: int, likely: int) -> None:
    found, inaction = module._walk(lambda workers: 0.0 if workers >= needed else 1.0, 0.01, likely)
    assert found == (needed if needed <= likely + 4 else None)
    assert inaction == (0.0 if found else 1.0)


def test_a_live_search_says_what_was_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(bench: LiveBench, *_: object) -> SimpleNamespace:
        enough = int(bench.workers) >= 5
        figures = {"interaction": {"inaction_fraction": 0.0 if enough else None}}
        return SimpleNamespace(report=SimpleNamespace(figures=figures), stolen_percent=0.5, runs=2,
                               deaths=0)

    monkeypatch.setattr(module, "measure", measure)
    bench = LiveBench(workers="1", latency="constant:1ms", duration_s=1.0)
    [point] = module.live(CONSTANT, [5], bench, Stages())
    assert (point.required_workers, point.inaction, point.live) == (5, 0.0, True)
    assert point.trials == (LiveTrial(5, 0.0, 0.5, 2), LiveTrial(4, 1.0, 0.5, 2))


def test_a_live_search_ends_where_nodes_die(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "measure", lambda *_: SimpleNamespace(deaths=3))
    bench = LiveBench(workers="1", latency="constant:1ms", duration_s=1.0)
    with pytest.raises(NodeFailedError, match=r"nodes died 3 time\(s\): the figures of such a run"):
        list(module.live(CONSTANT, [5], bench, Stages()))


@pytest.mark.parametrize(("cv", "workers"), [(0.0, 8), (0.3, 12)])
def test_live_runs_are_where_so_many_workers_are_planned(cv: float, workers: int) -> None:
    scaling = Scaling(16_000_000, 2_000_000, cv, 0.01)
    ticks = module._ticks_for(scaling, workers)
    planned = module.plan(scaling.expectation(ticks), module.MAX_TIME).required_workers
    assert planned == pytest.approx(workers, abs=1)
