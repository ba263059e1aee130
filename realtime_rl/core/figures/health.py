"""What the monitor says of a window of records: live figures in words, and whether all is well."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from realtime_rl.core.figures.chunk_figures import ChunkFigures
from realtime_rl.core.figures.counters import in_words
from realtime_rl.core.figures.present import Present
from realtime_rl.core.figures.schema import RunFigures
from realtime_rl.core.messages.records import Learning, ScheduleRecord
from realtime_rl.core.schedule.horizon import rows_needed
from realtime_rl.core.types import Cause

_INACTION_LIMIT = 0.05
_NOTHING: Mapping[str, float] = {}
_LEARNER_LIMIT_S = 5.0
"""A learner says once a second where it stands."""


class Level(enum.IntEnum):
    """Levels of `diagnostic_msgs/DiagnosticStatus`."""

    OK = 0
    WARN = 1
    ERROR = 2
    STALE = 3


@dataclass(frozen=True, slots=True)
class Health:
    """One status: what it is about, how it is, and its figures."""

    name: str
    level: Level
    message: str
    figures: dict[str, str]


def assess(figures: RunFigures, schedule: ScheduleRecord | None, learning: Learning | None,
           returns: Sequence[float], version: int, *, learner_silent_s: float = 0.0,
           so_far: float = 0.0, present: Present | None = None,
           counted: Mapping[str, float] = _NOTHING) -> list[Health]:
    """Put a window's figures into words.

    Args:
        figures: of the window.
        schedule: the newest; `None` before the first.
        learning: the learner's newest figures; `None` without a learner.
        returns: of the newest episodes.
        version: policy version of the newest applied action; -1 before one.
        learner_silent_s: how long ago the learner's figures came [s].
        so_far: reward of the episode that is under way.
        present: how it is at this moment; left out, nothing is said of it.
        counted: by the plant, since the run began to be watched.
    """
    acting = [] if present is None or present.step is None else [_acting(present)]
    return [*acting, _plant(figures, returns, so_far, present or Present(), counted),
            _interaction(figures),
            _inference(figures, schedule, version), _learning(learning, learner_silent_s)]


def _acting(present: Present) -> Health:
    """Who acts at this moment."""
    cause = None if present.step is None else present.step.cause
    level = (Level.ERROR if present.silent or cause is Cause.NONE
             else Level.WARN if present.stopped else Level.OK)
    return Health("acting", level, present.who, {
        "acting now": present.who, "operator": present.operator,
        "stop": present.stop})


def _plant(figures: RunFigures, returns: Sequence[float], so_far: float, present: Present,
           counted: Mapping[str, float]) -> Health:
    plant = figures["plant"]
    if not plant["ticks"]:
        return Health("plant", Level.STALE, "no tick was heard of", {})
    level = Level.WARN if plant["missed_ticks"] else Level.OK
    message = "ticks were missed" if plant["missed_ticks"] else "on its grid"
    if present.standstill:
        level, message = Level.ERROR, present.standstill
    recent = f"mean of {len(returns)}: {sum(returns) / len(returns):.2f}" if returns else "none yet"
    return Health("plant", level, message, {
        "plant rate": f"{_number(plant['rate_hz'], 3)} Hz, {plant['missed_ticks']} missed",
        "episode return": recent,
        "reward": f"{_number(figures['episodes']['reward_per_tick'], 4)} a tick, {so_far:.2f} in "
                  "this episode so far",
        **({"counted": in_words(counted)} if counted else {})})


def _interaction(figures: RunFigures) -> Health:
    interaction = figures["interaction"]
    inaction = interaction["inaction_fraction"]
    idle = inaction is not None and inaction > _INACTION_LIMIT
    rejected = sum((interaction["rejected"] or {}).values())
    interval, jitter = interaction["action_interval_ms"], interaction["action_jitter_ms"]
    level, message = ((Level.WARN, "the default policy acts often") if idle
                      else (Level.OK, "the policy acts"))
    if interaction["none_ticks"]:
        level, message = Level.ERROR, (f"{interaction['none_ticks']} silent tick(s): no command "
                                       "came, the plant applied its safe one")
    return Health("interaction", level, message, {
        "inaction": f"{_number(inaction, 4)} ({interaction['default_ticks']} default, "
                    f"{interaction['none_ticks']} none, {rejected} rejected)",
        "delay": f"{_number(interaction['delay_ticks']['mean'], 2)} ticks, "
                 f"{_number(interaction['delay_ms']['mean'], 1)} ms old when an action acts on it",
        # chunks come when they come; what acts at a tick is a row
        **(_chunks(figures["chunks"]) if figures["chunks"] is not None else {
            "action interval": f"{_number(interval['mean'], 2)} ms, jitter p95 "
                               f"{_number(jitter['p95'], 2)} ms"})})


def _chunks(chunks: ChunkFigures) -> dict[str, str]:
    age, every = chunks["feedback_age_ticks"], chunks["every_ticks"]
    tails = chunks["tail_ticks"]
    return {"feedback": f"{_number(age['mean'], 1)} ticks old, p95 {_number(age['p95'], 0)}; a "
                        f"chunk every {_number(every['mean'], 1)} ticks reaches "
                        f"{_number(chunks['horizon'], 0)}",
            "tails": f"{_number(tails, 0)} of {chunks['ticks']} ticks: an older chunk acted than "
                     "was promised"}


def _inference(figures: RunFigures, schedule: ScheduleRecord | None, version: int) -> Health:
    inference = figures["inference"]
    emulated = inference["emulated"] or "none"
    duration, age = inference["duration_ms"], inference["observation_age_ms"]
    shown = {"inference": f"{_number(duration['mean'], 1)} ms, p99 "
                          f"{_number(duration['p99'], 1)} ms",
             "observation age": f"{_number(age['mean'], 2)} ms when an inference starts, p99 "
                                f"{_number(age['p99'], 2)} ms",
             "policy version": str(version) if version >= 0 else "none yet",
             "exploration": inference["exploration"] or "–",
             "emulated accelerator": emulated}
    if schedule is None:
        return Health("inference", Level.OK, "not scheduled yet", {"workers": "not measured yet",
                                                                  **shown})
    workers, required = len(schedule.active), schedule.required_workers
    problem = _shortage(figures["chunks"], schedule)
    return Health("inference", Level.WARN if problem else Level.OK,
                  problem or "an action every tick", {
        "workers": f"{workers}, required {required}, delay promised "
                   f"{schedule.promised_delay_ticks} ticks", **shown})


def _shortage(chunks: ChunkFigures | None, schedule: ScheduleRecord) -> str:
    """Say why a tick may lack an action: rows of a chunk bridge workers that there are not."""
    if chunks is None:
        fewer = len(schedule.active) < schedule.required_workers
        return "fewer workers than every tick needs" if fewer else ""
    every, reaches = chunks["every_ticks"]["mean"], chunks["horizon"]
    needed = rows_needed(schedule.promised_delay_ticks, math.ceil(every or 1))
    return "chunks are shorter than every tick needs" if (reaches or needed) < needed else ""


def _learning(learning: Learning | None, silent_s: float) -> Health:
    if learning is None:
        return Health("learning", Level.OK, "no learner", {})
    if silent_s > _LEARNER_LIMIT_S:
        return Health("learning", Level.WARN, "the learner is silent, the last policy stays", {
            "learner": f"silent for {silent_s:.0f} s, after {learning.updates} updates"})
    return Health("learning", Level.OK, "learning", {
        "learner": f"{learning.updates} updates, {learning.transitions} transitions, "
                   f"loss {_number(learning.loss if learning.updates else None, 4)}, "
                   f"ε {learning.epsilon:.2f}"})


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
