"""A plan for runs of several observations, in words and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from realtime_rl.bench.batch_planning import BatchPlan, best
from realtime_rl.bench.planning import Expectation
from realtime_rl.bench.text import number, percent, table

SCHEMA = 1


def text(expected: Expectation, plans: Sequence[BatchPlan]) -> str:
    """Write the table and what it says."""
    period_ms = expected.period_ns / 1e6
    rows = [[str(each.size), number(each.run_ns / 1e6, 1), str(each.prediction.workers),
             str(each.runs_at_once), number(each.prediction.delay_ticks, 1),
             number(each.prediction.delay_ticks * period_ms, 0),
             percent(each.prediction.inaction)] for each in plans]
    return "\n".join([table(
        ["observations a run", "run [ms]", "workers", "runs at once", "feedback [ticks]", "[ms]",
         "no action"], rows), "", *(textwrap.fill(line, 100) for line in _advice(expected, plans))])


def _advice(expected: Expectation, plans: Sequence[BatchPlan]) -> list[str]:
    chosen = best([*plans])
    seen = chosen.prediction
    what = ("Staggered runs of one observation are the better ones: leave inference.batch at 1, "
            f"with scenario.workers={seen.workers}" if chosen.size == 1 else
            f"Runs of {chosen.size} observations are the better ones: inference.batch="
            f"{chosen.size} with scenario.workers={seen.workers}, as each observation waits with "
            "a worker of its own for the last of its run")
    lines = [f"{what}. What acts answers an observation of {seen.delay_ticks:.1f} ticks "
             f"({seen.delay_ticks * expected.period_ns / 1e6:.0f} ms) before, in the mean; "
             f"promised are {seen.promised_delay_ticks}. {percent(seen.inaction)} of the ticks go "
             "without an action."]
    if not chosen.enough:
        lines.append("No size is enough for an action at every tick: take a faster model or a "
                     "second accelerator, or measure larger sizes.")
    return lines


def document(expected: Expectation, plans: Sequence[BatchPlan]) -> dict[str, Any]:
    """Return it as JSON holds it."""
    return {"schema": SCHEMA, "latency": str(expected.latency),
            "period_ms": expected.period_ns / 1e6, "handover_ms": expected.handover_ns / 1e6,
            "target": expected.target, "best": best([*plans]).size,
            "rows": [{"batch": each.size, "run_ms": each.run_ns / 1e6,
                      "workers": each.prediction.workers, "runs_at_once": each.runs_at_once,
                      "enough": each.enough,
                      "promised_delay_ticks": each.prediction.promised_delay_ticks,
                      "delay_ticks": each.prediction.delay_ticks,
                      "delay_ms": each.prediction.delay_ticks * expected.period_ns / 1e6,
                      "inaction_fraction": each.prediction.inaction} for each in plans]}
