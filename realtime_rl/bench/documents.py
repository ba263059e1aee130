"""What the benchmarks say: JSON (schema 1) and tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from realtime_rl import strict_json
from realtime_rl.bench.compare import Comparison, Row
from realtime_rl.bench.live import LiveBench, Measured
from realtime_rl.bench.scaling import Line, Point, Scaling
from realtime_rl.bench.text import UNKNOWN, number, percent, table

_SCHEMA = 1


def to_json(document: dict[str, Any]) -> str:
    """Write a document, with a newline at the end."""
    return strict_json.dumps(document, indent=2) + "\n"


def stagger_document(bench: LiveBench, measured: Measured) -> dict[str, Any]:
    """Return the report's figures, with CPU, memory, and what was asked for."""
    asked = {"workers": bench.workers, "processes": bench.processes, "latency": bench.latency,
             "algorithm": bench.algorithm, "dealing": bench.dealing,
             "slot_source": bench.slot_source, "duration_s": bench.duration_s,
             "settle_s": bench.settle_s,
             "plant": bench.plant, "network": bench.network, "learner": bench.learner,
             "assignments": list(bench.assignments)}
    return {**measured.report.figures, **asdict(measured.used), "runs": measured.runs,
            "bench": asked}


def stagger_text(measured: Measured) -> str:
    """Write the report's summary, with CPU and memory."""
    interaction, used = measured.report.figures["interaction"], measured.used
    lines = [
        ("Jitter p95", number(interaction["action_jitter_ms"]["p95"], 2), "ms"),
        ("Excess", number(interaction["excess_delay_ticks"]["p99"], 0),
         "ticks of delay beyond the promised one, in 99 % of the actions at most"),
        ("CPU", number(used.cpu_percent, 1),
         "% of one core: all inference processes together, after warm-up"),
        ("Memory", number(used.rss_mb, 0),
         "MB resident: all inference processes together, at its largest"),
        ("Stolen", number(used.stolen_percent, 2),
         "% of the machine's CPU time went to others on its host: more than 0.5 shows"
         + (f"; the calmest of {measured.runs} runs" if measured.runs > 1 else ""))]
    from realtime_rl.bags.report import to_text

    return to_text(measured.report) + "\n" + "".join(
        f"  {label:<10}{value:>10}  {detail}\n" for label, value, detail in lines)


def compare_document(comparison: Comparison, rows: Sequence[Row]) -> dict[str, Any]:
    """Return a comparison's rows with what was asked for."""
    expected = comparison.expected
    return {"schema": _SCHEMA, "latency": str(expected.latency),
            "outlier": comparison.outlier or None, "period_ms": expected.period_ns / 1e6,
            "duration_s": comparison.duration_s, "settle_s": comparison.settle_s,
            "live": comparison.live is not None,
            "rows": [_compared(row) for row in rows]}


def _compared(row: Row) -> dict[str, Any]:
    interaction, inference = row.figures["interaction"], row.figures["inference"]
    kept = ("inaction_fraction", "action_interval_ms", "action_jitter_ms", "delay_ticks",
            "delay_ms", "excess_delay_ticks", "rejected", "superseded")
    return {"name": str(row.approach), "algorithm": row.approach.algorithm.word,
            "dealing": row.approach.dealing_name, "workers": row.workers,
            **{name: interaction[name] for name in kept},  # type: ignore[literal-required]
            "promised_delay_ticks": inference["promised_delay_ticks"],
            "recovery_ticks": row.recovery.ticks if row.recovery else None,
            "outlier": asdict(row.recovery) if row.recovery else None,
            "planned": {"inaction_fraction": row.planned.inaction,
                        "delay_ticks": row.planned.delay_ticks},
            **asdict(row.used), "runs": row.runs}


def compare_text(rows: Sequence[Row]) -> str:
    """Write a comparison as a table."""
    head = ["algorithm", "workers", "no action", "planned", "jitter p95 [ms]", "delay [ticks]",
            "delay [ms]", "recovery [ticks]", "CPU [%]", "stolen [%]"]
    body = []
    for row in rows:
        interaction = row.figures["interaction"]
        recovered = row.recovery.ticks if row.recovery else None
        body.append([
            str(row.approach), str(row.workers), percent(interaction["inaction_fraction"]),
            percent(row.planned.inaction), number(interaction["action_jitter_ms"]["p95"]),
            number(interaction["delay_ticks"]["mean"]), number(interaction["delay_ms"]["mean"], 0),
            number(recovered, 0), number(row.used.cpu_percent, 1),
            number(row.used.stolen_percent)])
    again = [f"{row.approach} {row.runs}" for row in rows if row.runs > 1]
    return (table(head, body) + "\n\nrecovery: ticks from the first without an action after the "
            f"outlier until one acts at every tick again; {UNKNOWN}: it never did."
            + (f"\nthe calmest of several runs: {', '.join(again)}" if again else ""))


def scaling_document(scaling: Scaling, points: Sequence[Point], line: Line | None,
                     live_line: Line | None) -> dict[str, Any]:
    """Return the points and the lines through them."""
    return {"schema": _SCHEMA, "period_ms": scaling.period_ns / 1e6,
            "handover_ms": scaling.handover_ns / 1e6, "cv": scaling.cv, "target": scaling.target,
            "fit": asdict(line) if line else None,
            "live_fit": asdict(live_line) if live_line else None,
            "points": [{**asdict(point), "live": point.live} for point in points]}


def scaling_text(points: Sequence[Point], line: Line | None, live_line: Line | None) -> str:
    """Write the points as a table, and the lines through them."""
    head = ["inference [ticks]", "workers", "no action", "no action, unstaggered",
            "no action, sequential"]
    body = [[f"{point.latency_ticks:.4g}{' live' if point.live else ''}",
             number(point.required_workers, 0), percent(point.inaction),
             percent(point.unstaggered_inaction), percent(point.sequential_inaction)]
            for point in points]
    said = [f"{what}: workers = {found.slope:.4f} x ticks {found.intercept:+.2f}, "
            f"R² = {found.r_squared:.5f}"
            for what, found in (("virtual time", line), ("live", live_line)) if found is not None]
    tried = [f"tried live at {point.latency_ticks:.4g} ticks: " + ", ".join(
        f"{trial.workers} workers {percent(trial.inaction)} ({trial.stolen_percent:.2f} % stolen"
        + (f"; the calmest of {trial.runs} runs)" if trial.runs > 1 else ")")
        for trial in point.trials) for point in points if point.live]
    return "\n".join([table(head, body), "", *tried, *said])
