"""The figures of a run, from its records: the live monitor's and the report's (schema 1).

Durations are in ms. What cannot be known from the records is null, never guessed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypedDict

from realtime_rl.core.policy_lag import policy_lags
from realtime_rl.core.records import (
    Fate,
    Inference,
    Learning,
    Miss,
    Reason,
    ScheduleRecord,
    Timestep,
    Verdict,
)
from realtime_rl.core.stagger import HOLDING, promised_delay_ticks
from realtime_rl.core.statistics import (
    Distribution,
    arrivals,
    distribution,
    episodes_of,
    gaps,
    plant_lives,
    startup_length,
)
from realtime_rl.core.types import Cause

SCHEMA = 1
TOPICS = ("timestep", "verdict", "inference", "schedule", "learning", "policy")
_DEFAULT_HANDOVER_NS = 2_000_000


@dataclass(frozen=True, slots=True)
class RunRecords:
    """What was recorded of one plant and its workers, each kind in order of its recording."""

    timesteps: Sequence[Timestep] = ()
    verdicts: Sequence[Verdict] = ()
    inferences: Sequence[Inference] = ()
    schedules: Sequence[ScheduleRecord] = ()
    learnings: Sequence[Learning] = ()
    announced: Sequence[str] = ()
    """URIs of the policies that the learner announced."""
    topics: frozenset[str] = frozenset(TOPICS)
    """Which of `TOPICS` were recorded at all; what the others would tell is not known."""
    duration_s: float | None = None
    """From the first message of the recording to the last."""
    deaths: int | None = None
    """How often a node died, as whoever watched over them says."""


class PlantFigures(TypedDict):
    """How the plant kept its grid."""

    name: str | None
    ticks: int
    period_ms: float | None
    rate_hz: float | None
    interval_ms: Distribution
    missed_ticks: int


class InteractionFigures(TypedDict):
    """Who acted, and when."""

    startup_ticks: int
    policy_ticks: int
    default_ticks: int
    operator_ticks: int
    stop_ticks: int
    none_ticks: int
    inaction_fraction: float | None
    rejected: dict[str, int] | None
    superseded: int | None
    action_interval_ms: Distribution
    action_jitter_ms: Distribution
    delay_ticks: Distribution
    delay_ms: Distribution
    excess_delay_ticks: Distribution


class InferenceFigures(TypedDict):
    """The workers and their schedule."""

    workers: int | None
    processes: int | None
    algorithm: str | None
    dealing: str | None
    required_workers: int | None
    promised_delay_ticks: int | None
    emulated: str | None
    exploration: str | None
    duration_ms: Distribution
    observation_age_ms: Distribution
    generations: int | None


class LearningFigures(TypedDict):
    """The learner, and what its policies cost to swap in."""

    transitions: int | None
    updates: int | None
    policy_versions: int | None
    swap_ms: Distribution
    slots_missed_by_swap: int | None
    policy_lag_versions: Distribution
    policy_lag_s: Distribution


EpisodeFigures = TypedDict("EpisodeFigures", {
    "count": int, "return": Distribution, "reward_per_tick": float | None,
    "unfinished_reward": float | None})
"""Episodes that were seen from first to last, and what came at all the ticks and outside of those.
"""


class RecordingFigures(TypedDict):
    """What the recording holds of the run."""

    gaps: int
    duration_s: float | None
    deaths: int | None
    """Of nodes, during the run; `None` where nobody noted them."""


class Figures(TypedDict):
    """All of it: schema 1 of `realtime-rl report --json`."""

    schema: int
    plant: PlantFigures
    interaction: InteractionFigures
    inference: InferenceFigures
    learning: LearningFigures
    episodes: EpisodeFigures
    recording: RecordingFigures


def account(records: RunRecords, *, started: bool = False) -> Figures:
    """Compute the figures of `records`.

    Args:
        records: a whole run, or a window of one. A window needs the run's schedules, and more of
            the inferences than of the verdicts, as an action follows its inference.
        started: the run's first policy action was applied before these records, so that none of
            their ticks is startup.
    """
    lives = plant_lives(records.timesteps)
    ticks = [step for life in lives for step in life]
    finished = [episode for life in lives for episode in episodes_of(life)]
    return Figures(
        schema=SCHEMA, plant=_plant(lives, ticks),
        interaction=_interaction(records, lives, ticks, started),
        inference=_inference(records), learning=_learning(records, ticks),
        episodes=_episodes(ticks, [episode.reward for episode in finished]),
        recording=RecordingFigures(gaps=sum(len(gap) for gap in gaps(lives)),
                                   duration_s=records.duration_s, deaths=records.deaths))


def settled(records: RunRecords, skip_s: float) -> RunRecords:
    """Leave out the first `skip_s` seconds of a run, in which its schedule is still being found."""
    if not records.timesteps:
        return records
    begin_ns = records.timesteps[0].stamp_ns + round(skip_s * 1e9)
    return replace(
        records,
        timesteps=[step for step in records.timesteps if step.stamp_ns >= begin_ns],
        # a default answers no observation: its stamp is 0, and only its tick counts it
        verdicts=[verdict for verdict in records.verdicts if verdict.stamp_ns >= begin_ns],
        inferences=[inference for inference in records.inferences
                    if inference.stamp_ns >= begin_ns])


def excess_delays(records: RunRecords) -> Iterator[int]:
    """Per applied action, ticks of delay beyond what its schedule or its own duration explains.

    Where actions are held that is the promised delay `D` of the generation in which it was
    inferred; else, and before the first schedule, `ceil((τ_θ + h)/τ_M)` of its own inference.
    Actions whose schedule or inference was not recorded are left out.
    """
    schedules = {schedule.generation: schedule for schedule in records.schedules}
    own_s = {(i.stamp_ns, i.worker): i.duration_s for i in real(records.inferences)}
    handover_ns = (records.schedules[0].handover_ns if records.schedules
                   else _DEFAULT_HANDOVER_NS)
    period_ns = records.timesteps[-1].period_ns if records.timesteps else 0
    for verdict in records.verdicts:
        schedule = schedules.get(verdict.generation)
        if verdict.fate is not Fate.APPLIED or (schedule is None and verdict.generation > 0):
            continue
        if schedule is not None and schedule.algorithm in HOLDING:
            yield verdict.delay_ticks - schedule.promised_delay_ticks
            continue
        duration_s = own_s.get((verdict.stamp_ns, verdict.worker), math.nan)
        if math.isfinite(duration_s) and period_ns:
            allowed = promised_delay_ticks(round(duration_s * 1e9), handover_ns, period_ns)
            yield verdict.delay_ticks - allowed


def real(inferences: Iterable[Inference]) -> Iterator[Inference]:
    """Inferences that gave an action."""
    return (inference for inference in inferences if inference.miss is Miss.NONE)


def _episodes(ticks: Sequence[Timestep], returns: Sequence[float]) -> EpisodeFigures:
    """Rewards that are not finite say nothing, nor do returns of them."""
    rewards = [step.reward for step in ticks if math.isfinite(step.reward)]
    total, whole = math.fsum(rewards), math.fsum(filter(math.isfinite, returns))
    return {"count": len(returns), "return": distribution(returns),
            "reward_per_tick": total / len(rewards) if rewards else None,
            # rounded: sums of floats leave dust
            "unfinished_reward": round(total - whole, 9) + 0.0 if rewards else None}


def _plant(lives: Sequence[Sequence[Timestep]], ticks: Sequence[Timestep]) -> PlantFigures:
    spans = [(life[-1].tick - life[0].tick, life[-1].stamp_ns - life[0].stamp_ns)
             for life in lives]
    steps, elapsed_ns = sum(span[0] for span in spans), sum(span[1] for span in spans)
    last = ticks[-1] if ticks else None
    return PlantFigures(
        name=(last.plant or None) if last else None, ticks=len(ticks),
        period_ms=last.period_ns / 1e6 if last else None,
        rate_hz=steps / (elapsed_ns / 1e9) if elapsed_ns > 0 else None,
        interval_ms=distribution(
            (after.stamp_ns - before.stamp_ns) / 1e6 for life in lives
            for before, after in pairwise(life) if after.tick == before.tick + 1),
        missed_ticks=sum(step.missed for step in ticks))


def _interaction(records: RunRecords, lives: Sequence[Sequence[Timestep]],
                 ticks: Sequence[Timestep], started: bool) -> InteractionFigures:
    startup = 0 if started else startup_length(ticks)
    causes = Counter(step.cause for step in ticks[startup:])
    acting = len(ticks) - startup
    period_s = ticks[-1].period_ns / 1e9 if ticks else math.nan
    fates = Counter(verdict.fate for verdict in records.verdicts)
    reasons = Counter(v.reason for v in records.verdicts if v.fate is Fate.REJECTED)
    intervals_ms = [(after - before) * 1e3 for life in arrivals(records.verdicts, period_s)
                    for before, after in pairwise(life)]
    known = "verdict" in records.topics
    return InteractionFigures(
        startup_ticks=startup, policy_ticks=causes[Cause.POLICY],
        default_ticks=causes[Cause.DEFAULT], operator_ticks=causes[Cause.OPERATOR],
        stop_ticks=causes[Cause.STOP], none_ticks=causes[Cause.NONE],
        inaction_fraction=(sum(step.missing for step in ticks[startup:]) / acting
                           if acting else None),
        rejected=({reason.name.lower(): reasons[reason] for reason in Reason
                   if reason is not Reason.NONE} if known else None),
        superseded=fates[Fate.SUPERSEDED] if known else None,
        action_interval_ms=distribution(intervals_ms),
        action_jitter_ms=distribution(abs(ms - period_s * 1e3) for ms in intervals_ms),
        delay_ticks=distribution(step.tick - step.observation_tick for step in _acted(ticks)),
        delay_ms=distribution(_delays_ms(lives)),
        excess_delay_ticks=distribution(excess_delays(records)))


def _acted(ticks: Iterable[Timestep]) -> Iterator[Timestep]:
    return (step for step in ticks
            if step.cause is Cause.POLICY and step.observation_tick >= 0)


def _delays_ms(lives: Iterable[Sequence[Timestep]]) -> Iterator[float]:
    for life in lives:
        stamps_ns = {step.tick: step.stamp_ns for step in life}
        for step in _acted(life):
            seen_ns = stamps_ns.get(step.observation_tick)
            if seen_ns is not None:
                yield (step.stamp_ns - seen_ns) / 1e6


def _inference(records: RunRecords) -> InferenceFigures:
    inferences = records.inferences
    schedule = records.schedules[-1] if records.schedules else None
    seen = {inference.worker for inference in inferences if inference.worker >= 0}
    emulated = {inference.emulated: None for inference in inferences if inference.emulated}
    exploration = {i.exploration: None for i in inferences if i.exploration}
    return InferenceFigures(
        workers=len(schedule.active) if schedule else len(seen) or None,
        processes=len({inference.node for inference in inferences if inference.node}) or None,
        algorithm=schedule.algorithm.name.lower() if schedule else None,
        dealing=schedule.dealing.name.lower() if schedule else None,
        required_workers=schedule.required_workers if schedule else None,
        promised_delay_ticks=schedule.promised_delay_ticks if schedule else None,
        emulated=" ".join(emulated) or None,
        exploration=" ".join(exploration) or None,
        duration_ms=distribution(i.duration_s * 1e3 for i in real(inferences)),
        observation_age_ms=distribution(i.age_s * 1e3 for i in real(inferences)),
        generations=(len({schedule.generation for schedule in records.schedules})
                     if "schedule" in records.topics else None))


def _learning(records: RunRecords, ticks: Sequence[Timestep]) -> LearningFigures:
    """Policy versions are those announced, each once, whether or not any worker took them up."""
    newest = records.learnings[-1] if records.learnings else None
    known = "inference" in records.topics
    lags = list(policy_lags(records.learnings, ticks))
    return LearningFigures(
        transitions=newest.transitions if newest else None,
        updates=newest.updates if newest else None,
        policy_versions=len(set(records.announced)) if "policy" in records.topics else None,
        swap_ms=distribution(inference.swap_s * 1e3 for inference in records.inferences),
        slots_missed_by_swap=(sum(inference.swapping and inference.miss is not Miss.NONE
                                  for inference in records.inferences) if known else None),
        policy_lag_versions=distribution(lag.versions for lag in lags),
        policy_lag_s=distribution(lag.seconds for lag in lags))
