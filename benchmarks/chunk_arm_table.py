"""Episodes of the pushed arm as a table, as CSV and as a plot."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from statistics import fmean

from realtime_rl.core.enumerations import MergeRule
from realtime_rl.core.figures.intervals import mean_of

MERGES = tuple(rule.word for rule in (MergeRule.NEWEST, MergeRule.ENSEMBLE, MergeRule.BLEND))
QUEUE = "queue"
WAITS = "world waits"


@dataclass(frozen=True)
class Episode:
    """One, from its second second on."""

    workers: int
    run_as: str
    """A merge of `MERGES`, or how else."""
    episode: int
    error_mm: float
    """Of the arm's tip from the mark, in the mean."""
    near_percent: float
    """Of the ticks within 20 mm."""
    feedback_ticks: float
    """Age of the observation that acted, in the mean."""
    seam: float | None
    """In halves of a joint's range, in the mean."""
    no_action_percent: float


@dataclass(frozen=True)
class Row:
    """Episodes of one setting; intervals are 95 %."""

    run_as: str
    workers: int
    episodes: int
    error_mm: float
    error_low: float
    error_high: float
    less_mm: float | None
    """Than the first queue's, episode by episode."""
    less_low: float | None
    less_high: float | None
    near_percent: float
    feedback_ticks: float
    seam: float | None
    no_action_percent: float


def rows_of(episodes: Sequence[Episode]) -> list[Row]:
    """Sum the episodes of each setting up, in order."""
    groups: dict[tuple[str, int], list[Episode]] = {}
    for each in episodes:
        groups.setdefault((each.run_as, each.workers), []).append(each)
    queue = next((mine for (name, _), mine in groups.items() if name.startswith(QUEUE)), [])
    return [_row(mine, queue) for mine in groups.values()]


def _row(mine: Sequence[Episode], queue: Sequence[Episode]) -> Row:
    error = mean_of([each.error_mm for each in mine])
    less = (mean_of([one.error_mm - other.error_mm for one, other in zip(mine, queue, strict=True)])
            if queue and mine is not queue else None)
    seams = [each.seam for each in mine if each.seam is not None]
    return Row(mine[0].run_as, mine[0].workers, len(mine), error.mean, error.low, error.high,
               *((None, None, None) if less is None else (less.mean, less.low, less.high)),
               fmean(each.near_percent for each in mine),
               fmean(each.feedback_ticks for each in mine), fmean(seams) if seams else None,
               fmean(each.no_action_percent for each in mine))


def text(rows: Sequence[Row]) -> str:
    """Write the table as Markdown."""
    lines = ["| run as | workers | error [mm] | error less the queue's [mm] | within 20 mm [%] | "
             "feedback [ticks] | seam | no action [%] |", "|---" * 8 + "|"]
    for row in rows:
        less = ("–" if row.less_mm is None else
                f"{row.less_mm:+.1f} [{row.less_low:+.1f}, {row.less_high:+.1f}]")
        seam = "–" if row.seam is None else f"{row.seam:.3f}"
        lines.append(f"| {row.run_as} | {row.workers} | {row.error_mm:.1f} [{row.error_low:.1f}, "
                     f"{row.error_high:.1f}] | {less} | {row.near_percent:.1f} | "
                     f"{row.feedback_ticks:.1f} | {seam} | {row.no_action_percent:.2f} |")
    return "\n".join(lines) + "\n"


def save(path: Path, kind: type[Episode] | type[Row], records: Sequence[Episode | Row],
         digits: int) -> None:
    """Write records as CSV, numbers with so many significant digits."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([each.name for each in fields(kind)])
        for record in records:
            writer.writerow([f"{value:.{digits}g}" if isinstance(value, float) else value
                             for value in asdict(record).values()])


def draw(rows: Sequence[Row], path: Path, title: str) -> None:
    """Plot the error over the workers, a line a merge, with the queue and the best case."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "chunk_arm"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7.5, 4.5))
    workers = sorted({row.workers for row in rows})
    for place, merge in enumerate(MERGES):
        mine = [row for row in rows if row.run_as == merge]
        axes.errorbar([workers.index(row.workers) + 0.06 * (place - 1) for row in mine],
                      [row.error_mm for row in mine],
                      [[row.error_mm - row.error_low for row in mine],
                       [row.error_high - row.error_mm for row in mine]],
                      marker="os^"[place], capsize=3, label=f"staggered, {merge}")
    others = [row for row in rows if row.run_as not in MERGES]
    for row, style in zip(others, (":", "--", "-.", "-"), strict=False):
        label = "LeRobot's " * row.run_as.startswith(QUEUE) + row.run_as
        axes.axhline(row.error_mm, color="0.3", linestyle=style, linewidth=1.2, label=label)
        axes.axhspan(row.error_low, row.error_high, color="0.3", alpha=0.1, linewidth=0)
    axes.set_xticks(range(len(workers)), list(map(str, workers)))
    axes.set(xlabel="workers", ylabel="mean distance from the mark [mm]",
             ylim=(0, 1.25 * max(row.error_high for row in rows)))
    axes.set_title(title, fontsize=9)
    axes.legend(fontsize=8, ncols=2)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
