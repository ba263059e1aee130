"""What a report says of a robot in words."""

from __future__ import annotations

from collections.abc import Sequence

from realtime_rl.core.figures.robot_figures import stops
from realtime_rl.core.figures.schema import RobotFigures
from realtime_rl.core.messages.records import RobotRecord, Timestep

_SHOWN = 20
_IN_SHORT = 3


def stop_lines(robots: Sequence[RobotRecord], steps: Sequence[Timestep]) -> list[str]:
    """Say when a robot was stopped, for how long and by what; the first of very many."""
    found = stops(robots)
    if not found:
        return []
    first_ns = steps[0].stamp_ns
    lines = [f"{(stop.begin_ns - first_ns) / 1e9:.2f} s: for "
             f"{(stop.end_ns - stop.begin_ns) / 1e9:.2f} s, by {stop.words}"
             for stop in found[:_SHOWN]]
    rest = len(found) - len(lines)
    return [*lines, f"{rest} more"] if rest else lines


def in_short(robot: RobotFigures) -> tuple[str, str]:
    """Return how long a robot acted, and in one line what else there is to say of it."""
    acting = robot["acting_ticks"] + robot["blending_ticks"]
    by = ", ".join(f"{count:,} by {cause}" for cause, count in robot["stopped_ticks_by"].items()
                   if count)
    limited = {name: figures["limited_ticks"] for name, figures in robot["elements"].items()
               if figures["limited_ticks"]}
    parts = [f"of {robot['ticks']:,} ticks it followed what was asked for, within its limits",
             f"stopped {robot['stops']:,} times (ticks: {by})" if robot["stops"]
             else "never stopped"]
    if robot["ended_ticks"]:
        parts.append(f"between episodes at {robot['ended_ticks']:,}")
    if limited:
        most = sorted(limited, key=limited.__getitem__, reverse=True)
        parts.append("ticks limited: "
                     + ", ".join(f"{name} {limited[name]:,}" for name in most[:_IN_SHORT])
                     + (", …" if len(most) > _IN_SHORT else ""))
    oldest = [(figures["age_ms"]["max"] or 0.0, name) for name, figures in
              robot["sources"].items()]
    if oldest:
        age_ms, name = max(oldest)
        parts.append(f"{name} was {age_ms:,.0f} ms old at most")
    return f"{acting:,}", "; ".join(parts)
