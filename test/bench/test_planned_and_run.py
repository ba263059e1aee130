"""What `bench compare` plans and what it runs in virtual time are the same, for every approach."""

from __future__ import annotations

import pytest

from realtime_rl.bench.approaches import BASELINES, STAGGERED
from realtime_rl.bench.compare import Comparison, compare
from realtime_rl.bench.planning import Expectation
from realtime_rl.bench.progress import Stages
from realtime_rl.policies.latency import Latency

APPROACHES = (*STAGGERED, *BASELINES)


@pytest.mark.parametrize(("text", "workers", "duration_s"), [
    ("constant:95ms", None, 6.0), ("constant:95ms,contention=0.05", 4, 6.0),
    ("lognormal:95ms,cv=0.2", 5, 20.0)])
def test_a_run_shows_what_is_planned(text: str, workers: int | None, duration_s: float) -> None:
    expected = Expectation(Latency.parse(text), 16_742_706)
    comparison = Comparison(expected, 0.0, duration_s, 6.0, workers, None)
    rows = list(compare(comparison, Stages(len(APPROACHES)), APPROACHES))
    planned = {str(row.approach): row.planned.inaction for row in rows}
    seen = {str(row.approach): row.figures["interaction"]["inaction_fraction"] for row in rows}
    assert seen == pytest.approx(planned, abs=0.03)
