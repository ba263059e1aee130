"""A plan for chunks, in words and as JSON."""

from __future__ import annotations

import math
import textwrap
from typing import Any

from realtime_rl.bench.chunk_planning import ChunkPlan
from realtime_rl.bench.planning import Expectation
from realtime_rl.bench.text import UNKNOWN, number, percent, table
from realtime_rl.core.schedule.horizon import ChunkPrediction

SCHEMA = 1


def text(expected: Expectation, found: ChunkPlan) -> str:
    """Write the table and what it says."""
    rows = [*found.rows]
    if found.given is not None and found.given not in rows:
        rows = sorted([*rows, found.given], key=lambda each: each.workers)
    return "\n".join([table(
        ["workers", "a chunk every", "rows it takes", "feedback [ticks]", "p95", "[ms]",
         "no action"], [_row(each, expected.period_ns) for each in rows]), "",
        *(textwrap.fill(line, 100) for line in _advice(expected, found))])


def _row(each: ChunkPrediction, period_ns: int) -> list[str]:
    return [str(each.workers), f"{number(each.every, 1)} ticks", str(each.rows_needed),
            *((UNKNOWN,) * 3 if math.isnan(each.age_mean) else (
                number(each.age_mean, 1), number(each.age_p95, 0),
                number(each.age_mean * period_ns / 1e6, 0))), percent(each.inaction)]


def _advice(expected: Expectation, found: ChunkPlan) -> list[str]:
    enough, best = found.enough, found.rows[-1]
    if enough is None:
        return [f"Chunks of {found.horizon} are too short for any number of workers: their rows "
                f"act from {best.delay} ticks after the observation on. {best.rows_needed} rows "
                f"would do, with {best.workers} workers."]
    period_ms = expected.period_ns / 1e6
    lines = [f"{enough.workers} worker(s) leave no tick without an action: the feedback is "
             f"{enough.age_mean:.1f} ticks ({enough.age_mean * period_ms:.0f} ms) old in the mean. "
             f"With {enough.rows_for_a_loss} rows a lost chunk leaves none "
             "either."]
    if found.apart:
        lines.append(f"What acts until a chunk can is settled where chunks begin {found.apart} "
                     "ticks apart, the delay: more workers are spare.")
    if best.workers > enough.workers:
        lines.append(f"Each further worker buys fresher feedback, down to {best.age_mean:.1f} "
                     f"ticks ({best.age_mean * period_ms:.0f} ms) with {best.workers}; more than "
                     "that buy nothing.")
    return lines


def document(expected: Expectation, found: ChunkPlan) -> dict[str, Any]:
    """Return it as JSON holds it."""
    return {"schema": SCHEMA, "latency": str(expected.latency),
            "period_ms": expected.period_ns / 1e6, "handover_ms": expected.handover_ns / 1e6,
            "chunk": found.horizon, "apart_ticks": found.apart or None,
            "required_workers": found.required_workers,
            "rows": [_predicted(each) for each in found.rows],
            "given": None if found.given is None else _predicted(found.given)}


def _predicted(each: ChunkPrediction) -> dict[str, float | int | None]:
    known = not math.isnan(each.age_mean)
    return {"workers": each.workers, "every_ticks": each.every, "promised_delay_ticks": each.delay,
            "rows_needed": each.rows_needed, "inaction_fraction": each.inaction,
            "feedback_age_ticks": each.age_mean if known else None,
            "feedback_age_p95_ticks": each.age_p95 if known else None,
            "tail_fraction": each.tails}
