"""The report of a run: its figures as JSON, and in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from realtime_rl import strict_json
from realtime_rl.bags import run_record
from realtime_rl.bags.attribution import disagreements
from realtime_rl.bags.chunk_rows import seam_sizes
from realtime_rl.bags.reader import Progress, Run, read_run
from realtime_rl.bags.robot_report import in_short
from realtime_rl.bags.run_record import RunRecord
from realtime_rl.core.errors import BagError
from realtime_rl.core.figures.accounting import account, settled
from realtime_rl.core.figures.chunk_figures import ChunkFigures
from realtime_rl.core.figures.schema import RunFigures
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.messages.table import Table
from realtime_rl.core.types import Cause

UNKNOWN = "–"
_WIDTH = 100


@dataclass(frozen=True, slots=True)
class Report:
    """A run and what is to be said of it."""

    run: Run
    figures: RunFigures
    skipped_s: float
    """The figures leave out so much of its beginning."""
    warnings: tuple[str, ...]
    """What is wrong with the bag, then where its records break the law of the bag."""
    rate: str = ""
    """How the plant's period comes about, where whoever watched over the run noted it."""
    noted: RunRecord | None = None
    """How the nodes fared, where somebody watched over them; the deaths are among `warnings`."""


@dataclass(frozen=True, slots=True)
class Headline:
    """One figure that everybody asks for."""

    label: str
    value: str
    detail: str


def make_report(path: Path, namespace: str | None = None,
                progress: Progress | None = None, *, skip_s: float = 0.0) -> Report:
    """Read a bag and account for it, from `skip_s` on; `BagError` as `read_run` says."""
    run = read_run(path, namespace, progress)
    noted, trouble = _noted(path)
    run = replace(run, records=replace(
        run.records, deaths=None if noted is None else noted.count, seam_sizes=seam_sizes(run)))
    records = run.records
    kept = settled(records, skip_s) if skip_s else records
    if run.records.timesteps and not kept.timesteps:
        raise BagError(f"bag {str(path)!r} ends before the {skip_s:g} s that are to be skipped")
    before = len(run.records.timesteps) - len(kept.timesteps)
    steps = Table.of(Timestep, run.records.timesteps)
    started = bool(steps[:before].equal("cause", Cause.POLICY).any())
    return Report(run, account(kept, started=started), skip_s,
                  (*trouble, *run.warnings, *disagreements(run.records)),
                  "" if noted is None else noted.rate, noted)


def _noted(bag: Path) -> tuple[RunRecord | None, list[str]]:
    """What whoever watched over the nodes noted of them, and what of that is to be said."""
    try:
        noted = run_record.read(bag)
    except ValueError as error:
        return None, [f"{run_record.NAME}: not the record of a run: {error}"]
    return noted, [] if noted is None else noted.lines


def to_json(figures: RunFigures) -> str:
    """Write the figures as JSON (schema 1), with a newline at the end."""
    return strict_json.dumps(figures, indent=2) + "\n"


def number(value: float | None, digits: int = 2, unit: str = "") -> str:
    """Write a figure for people; what is not known is a dash."""
    if value is None:
        return UNKNOWN
    text = f"{value:,.{digits}f}" if digits else f"{round(value):,}"
    return f"{text} {unit}" if unit else text


def title(report: Report) -> str:
    """What ran: the plant, and the robot's namespace where there is one."""
    namespace = f" in {report.run.namespace}" if report.run.namespace else ""
    return f"{report.figures['plant']['name'] or 'unnamed plant'}{namespace}"


def scale(report: Report) -> str:
    """How much was recorded, in one line."""
    plant, inference = report.figures["plant"], report.figures["inference"]
    steps = Table.of(Timestep, report.run.records.timesteps)
    parts = [f"{plant['ticks']:,} ticks in {number(_spanned_s(report), 1, 's')}"]
    if report.skipped_s:
        parts.append(f"the first {report.skipped_s:g} s left out")
    if inference["workers"] is not None:
        where = f" in {inference['processes']} process(es)" if inference["processes"] else ""
        how = (f", {inference['algorithm']}, {inference['dealing']}" if inference["algorithm"]
               else "")
        parts.append(f"{inference['workers']} workers{where}{how}")
    versions = [version for version in np.unique(steps.ints("version")).tolist() if version >= 0]
    if versions:
        parts.append(f"policy version {versions[0]}" if len(versions) == 1
                     else f"policy versions {versions[0]} to {versions[-1]}")
    if inference["exploration"] is not None:
        parts.append(f"exploration: {inference['exploration']}")
    return " · ".join(parts)


def _spanned_s(report: Report) -> float:
    """Return how long the ticks took that count.

    That is not how long it was recorded: a recorder that comes late is told of ticks before it.
    """
    steps = report.run.records.timesteps
    stamps_ns = Table.of(Timestep, steps).ints("stamp_ns")
    spanned_ns = int(np.ptp(stamps_ns)) + steps[-1].period_ns
    return max(0.0, spanned_ns / 1e9 - report.skipped_s)


def emulation(report: Report) -> str | None:
    """What to say first about a run whose accelerator was emulated; else `None`."""
    spec = report.figures["inference"]["emulated"]
    return None if spec is None else (
        f"Emulated accelerator: {spec}; inference times are made to be so, not measured on the "
        "hardware that would give them")


def headlines(report: Report) -> Iterator[Headline]:
    """The figures that come first, each with a sentence of what it means."""
    figures = report.figures
    plant, interaction = figures["plant"], figures["interaction"]
    yield Headline("Rate", number(plant["rate_hz"], 2, "Hz"),
                   f"asked for: a tick every {number(plant['period_ms'], 3, 'ms')}; "
                   f"{number(plant['missed_ticks'], 0)} ticks started over a period late"
                   f"{f' ({report.rate})' if report.rate else ''}")
    fraction = interaction["inaction_fraction"]
    yield Headline("Inaction", UNKNOWN if fraction is None else f"{fraction * 100:.2f} %",
                   f"of the ticks had no action in time: {interaction['default_ticks']:,} default, "
                   f"{interaction['none_ticks']:,} silent; {interaction['startup_ticks']:,} at "
                   "startup are not counted")
    yield _startup(figures)
    promised = number(figures["inference"]["promised_delay_ticks"], 0)
    yield Headline("Delay", f"{number(interaction['delay_ticks']['p50'], 0)} ticks",
                   f"from observation to action, {number(interaction['delay_ms']['p50'], 1, 'ms')} "
                   f"(median); promised: {promised}; "
                   f"99 % within {number(interaction['delay_ticks']['p99'], 0)}")
    if figures["chunks"] is not None:
        yield from _of_chunks(figures["chunks"])
    else:
        yield Headline("Jitter", number(interaction["action_jitter_ms"]["p50"], 2, "ms"),
                       "how far the time between two actions is off one period (median); 99 % "
                       f"within {number(interaction['action_jitter_ms']['p99'], 2, 'ms')}")
    if figures["robot"] is not None:
        acting, detail = in_short(figures["robot"])
        yield Headline("Robot", acting, detail)
    yield from _of_the_policy(figures)


def _of_chunks(chunks: ChunkFigures) -> Iterator[Headline]:
    age, every = chunks["feedback_age_ticks"], chunks["every_ticks"]
    yield Headline("Feedback", f"{number(age['mean'], 1)} ticks",
                   f"old in the mean, 95 % within {number(age['p95'], 0)}: {chunks['chunks']:,} "
                   f"chunks acted, one every {number(every['mean'], 1)} ticks; each reaches "
                   f"{number(chunks['horizon'], 0)} ticks")
    yield Headline("Tails", number(chunks["tail_ticks"], 0),
                   "ticks at which an older chunk acted than was promised by then")
    seam = chunks["seam_step"]
    yield Headline("Seams", number(seam["mean"], 3),
                   "between what acts where another chunk begins and what the one before had for "
                   f"that tick (mean); 95 % within {number(seam['p95'], 3)}; known of "
                   f"{seam['n']:,} of {chunks['seams']:,}")


def _startup(figures: RunFigures) -> Headline:
    plant, ticks = figures["plant"], figures["interaction"]["startup_ticks"]
    acted = ticks < plant["ticks"]
    period_ms = plant["period_ms"]
    taken_s = None if period_ms is None or not acted else ticks * period_ms / 1e3
    return Headline("Startup", number(taken_s, 1, "s"),
                    f"{ticks:,} ticks before the policy's first action" if acted else
                    f"the policy never acted, in {ticks:,} ticks")


def _versions(figures: RunFigures) -> Headline:
    learning = figures["learning"]
    announced = learning["policy_versions"]
    if not announced:  # what came into use is the one to start from
        return Headline("Policies", number(announced, 0),
                        "versions announced: none followed the one to start from"
                        if announced == 0 else "nothing is recorded of versions announced")
    taken = number(learning["swap_ms"]["p50"], 0, "ms")
    missed = number(learning["slots_missed_by_swap"], 0)
    return Headline("Policies", number(announced, 0),
                    f"versions announced; in use after {taken} (median); slots missed by "
                    f"swapping: {missed}")


def _of_the_policy(figures: RunFigures) -> Iterator[Headline]:
    inference, learning, episodes = figures["inference"], figures["learning"], figures["episodes"]
    yield Headline("Inference", number(inference["duration_ms"]["p50"], 1, "ms"),
                   f"a worker is taken so long (median); observations are "
                   f"{number(inference['observation_age_ms']['p50'], 2, 'ms')} old by then")
    yield _versions(figures)
    lag = learning["policy_lag_versions"]
    if lag["n"]:
        yield Headline("Policy lag", number(lag["mean"], 2),
                       "versions that what acted was behind the newest exported (mean); outdated "
                       f"for {number(learning['policy_lag_s']['p99'], 2, 's')} at most (99 %)")
    if learning["updates"] is not None:
        yield Headline("Learning", number(learning["updates"], 0),
                       f"updates on {number(learning['transitions'], 0)} transitions")
    returns = episodes["return"]
    yield Headline("Return", number(returns["mean"], 2),
                   f"mean of {episodes['count']:,} whole episodes, "
                   f"standard deviation {number(returns['std'], 2)}")
    for name, counted in episodes["counters"].items():
        yield Headline(name, f"{counted['total']:,.10g}",
                       "counted in all; of an episode "
                       f"{number(counted['per_episode']['mean'], 2)} (mean)")
    yield Headline("Reward", number(episodes["reward_per_tick"], 4),
                   f"a tick (mean); {number(episodes['unfinished_reward'], 2)} in all came in "
                   "episodes that were not seen from first to last")


def to_text(report: Report) -> str:
    """Write a summary for a terminal."""
    lines = [f"{title(report)}: {scale(report)}"]
    spec = emulation(report)
    if spec is not None:
        lines.append(spec)
    lines.append("")
    told = list(headlines(report))
    width = max(10, *(len(line.label) + 1 for line in told))
    lines += [f"  {line.label:<{width}}{line.value:>10}  {line.detail}" for line in told]
    if report.warnings:
        lines.append("")
        lines += [f"  warning: {warning}" for warning in report.warnings]
    return "\n".join(lines) + "\n"
