"""What became of a run in which a robot met a fault: from the robot's own log and from the bag."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.robot_scene import Scene
from benchmarks.running import telling
from realtime_rl.bags.attribution import disagreements
from realtime_rl.core.enumerations import Phase, StopCause
from realtime_rl.core.figures.accounting import RunRecords
from realtime_rl.core.messages.records import RobotRecord

_NOTABLE = r"\[WARN|\[ERROR|error:|died|nothing is sent"
_RESTART = "the plant was started again"


@dataclass(frozen=True)
class Fault:
    """What is done to a run."""

    do: Callable[[Scene], None]
    stops: int = 0
    """What is to be among the causes of a stop."""
    statuses: tuple[int, ...] = (0,)
    words: tuple[str, ...] = ()
    policy: str = ""
    acts: bool = True
    """The policy is to drive in the end."""
    shim: bool = False
    still: bool = True
    """The arm is to come to rest meanwhile."""


@dataclass(frozen=True)
class Outcome:
    """One run with one fault."""

    fault: str
    step: float
    """The largest between two commands, in the whole run [rad]."""
    velocity: float
    acceleration: float
    beyond: list[str]
    """Limits that a command was beyond."""
    held: float
    """How far the first command was from what was measured [rad]."""
    still_after_s: float | None
    """From the fault on, until the commands stood still or stopped coming; `None`: they did not."""
    phases: list[str]
    """Of the robot's node, from the fault on, in their order; of a stop with its causes."""
    acts_again_s: float | None
    """From the end of the fault, or its release, until the policy drives again."""
    missed: int
    unattributed: int
    status: int | None
    said: str
    wrong: str


def judge(name: str, fault: Fault, records: RunRecords, log: Mapping[str, Any], scene: Scene,
          *, status: int | None) -> Outcome:
    """Say what became of a run."""
    after = [record for record in records.robots if record.stamp_ns >= scene.begin_ns]
    problems = [line for line in disagreements(records) if not line.startswith(_RESTART)]
    joints = log["joints"].values()
    still_after_s = still_after(name, log["events"])
    causes = StopCause(0)
    for record in after:
        causes |= StopCause(record.stopped_by)
    again_s = acts_again_s(after, scene.end_ns)
    wrong = [*(text for text, is_so in (
        (f"status {status}", status not in fault.statuses),
        (problems[0] if problems else "", bool(problems)),
        (log["beyond"][0] if log["beyond"] else "", bool(log["beyond"])),
        ("no record of the robot", not after),
        ("not stopped by it", fault.stops and not causes & fault.stops),
        ("it never stood still", fault.still and still_after_s is None),
        ("the policy does not act again", fault.acts and again_s is None),
        ("it acts", not fault.acts and any(r.phase is Phase.ACTING for r in after)),
        ("never released", "never released" in scene.refusals)) if is_so)]
    return Outcome(
        name, *(max(joint[key] for joint in joints) for key in ("step", "velocity",
                                                                "acceleration")),
        log["beyond"], (log["hold"] or {}).get("from_measured", float("nan")), still_after_s,
        phases(after), again_s,
        sum(step.missed for step in records.timesteps if step.stamp_ns >= scene.begin_ns),
        sum(int(match[0]) for line in problems if (match := re.match(r"\d+", line))), status,
        telling([line for _, line in scene.running.lines
                 if "EMULATED" not in line and "no metadata" not in line], _NOTABLE),
        "; ".join(wrong))


def still_after(name: str, events: Sequence[Mapping[str, Any]]) -> float | None:
    """From the mark of a fault until the commands stood still, while it lasted."""
    begin = next(index for index, each in enumerate(events)
                 if each["what"].startswith(f"mark={name}"))
    found = [each["t"] + each["settled_s"] for each in events[begin:begin + 2]
             if each["settled_s"] is not None and not each["what"].endswith("ends")]
    return min(found) - events[begin]["t"] if found else None


def phases(records: Sequence[RobotRecord]) -> list[str]:
    """Return the phases in their order, each once in a row."""
    found: list[str] = []
    for record in records:
        causes = [str(each.name).lower() for each in StopCause if record.stopped_by & each]
        word = record.phase.word + (f" ({', '.join(causes)})" if causes else "")
        if not found or found[-1] != word:
            found.append(word)
    return found


def acts_again_s(records: Sequence[RobotRecord], end_ns: int) -> float | None:
    """From `end_ns` until the policy drives, blended or not; `None`: it does not in the end."""
    drives = (Phase.ACTING, Phase.BLENDING)
    late = [record for record in records if record.stamp_ns >= end_ns]
    if not late or late[-1].phase not in drives:
        return None
    rest = [record for record in late if record.phase not in drives]
    begin_ns = rest[-1].stamp_ns if rest else end_ns
    return (begin_ns - end_ns) / 1e9


def row(outcome: Outcome) -> str:
    """Return an outcome as a line."""
    still = "moves on" if outcome.still_after_s is None else f"{outcome.still_after_s:.2f} s"
    again = "never" if outcome.acts_again_s is None else f"{outcome.acts_again_s:.2f} s"
    return (f"{outcome.fault:24} step {outcome.step:.4f} velocity {outcome.velocity:.3f} "
            f"acceleration {outcome.acceleration:.2f} beyond {len(outcome.beyond)} held "
            f"{outcome.held:.5f} still {still:>8} again {again:>7} missed {outcome.missed} "
            f"unattributed {outcome.unattributed} status {outcome.status}  "
            f"{' > '.join(outcome.phases)}  {outcome.said or '–'}"
            f"{f'   WRONG: {outcome.wrong}' if outcome.wrong else ''}")
