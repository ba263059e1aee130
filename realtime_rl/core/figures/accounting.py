"""The figures of a run, from its records: the live monitor's and the report's (schema 1).

Durations are in ms. What cannot be known from the records is null, never guessed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.enumerations import Algorithm, Dealing, Fate, Miss, Reason
from realtime_rl.core.figures.chunk_figures import chunk_figures
from realtime_rl.core.figures.counters import counter_figures
from realtime_rl.core.figures.policy_lag import policy_lags
from realtime_rl.core.figures.robot_figures import NAMELESS, RobotNames, robot_figures
from realtime_rl.core.figures.schema import (
    SCHEMA,
    EpisodeFigures,
    InferenceFigures,
    InteractionFigures,
    LearningFigures,
    PlantFigures,
    RecordingFigures,
    RunFigures,
)
from realtime_rl.core.figures.seams import SeamSizes
from realtime_rl.core.figures.statistics import (
    Episodes,
    Sessions,
    arrivals,
    distribution,
    episodes_of,
    gaps,
    plant_sessions,
    startup_length,
)
from realtime_rl.core.messages.pairs import last_rows
from realtime_rl.core.messages.records import (
    Inference,
    Learning,
    RobotRecord,
    ScheduleRecord,
    Timestep,
    Verdict,
)
from realtime_rl.core.messages.table import Table
from realtime_rl.core.schedule.stagger import HOLDING
from realtime_rl.core.types import Cause

TOPICS = ("timestep", "verdict", "inference", "schedule", "learning", "policy")
ROBOT_TOPICS = ("robot", "contract")
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
    robots: Sequence[RobotRecord] = ()
    """What a robot's node did, one a tick."""
    robot_names: RobotNames = NAMELESS
    topics: frozenset[str] = frozenset(TOPICS)
    """Which of `TOPICS` were recorded at all; what the others would tell is not known."""
    duration_s: float | None = None
    """From the first message of the recording to the last."""
    deaths: int | None = None
    """How often a node died, as whoever watched over them says."""
    seam_sizes: SeamSizes = field(default_factory=dict)
    """What is known of them."""

    def columns(self) -> Columns:
        """Return the kinds of which there are many in columns."""
        return Columns(Table.of(Timestep, self.timesteps), Table.of(Verdict, self.verdicts),
                       Table.of(Inference, self.inferences))


@dataclass(frozen=True, slots=True)
class Columns:
    """The records of which a run has one or more a tick."""

    timesteps: Table[Timestep]
    verdicts: Table[Verdict]
    inferences: Table[Inference]


def account(records: RunRecords, *, started: bool = False) -> RunFigures:
    """Compute the figures of `records`.

    Args:
        records: a whole run, or a window of one. A window needs the run's schedules, and more of
            the inferences than of the verdicts, as an action follows its inference.
        started: the run's first policy action was applied before these records, so that none of
            their ticks is startup.
    """
    columns = records.columns()
    sessions = plant_sessions(columns.timesteps)
    episodes = episodes_of(sessions)
    return RunFigures(
        schema=SCHEMA, plant=_plant(sessions),
        interaction=_interaction(records, columns, sessions, started),
        inference=_inference(records, columns.inferences),
        learning=_learning(records, columns.inferences, sessions.ticks),
        episodes=_episodes(sessions, episodes),
        recording=RecordingFigures(gaps=sum(len(gap) for gap in gaps(sessions)),
                                   duration_s=records.duration_s, deaths=records.deaths),
        chunks=chunk_figures(sessions, columns.inferences, records.seam_sizes),
        robot=robot_figures(records.robots, records.robot_names,
                            columns.timesteps[-1].period_ns if columns.timesteps else 1))


def settled(records: RunRecords, skip_s: float) -> RunRecords:
    """Leave out the first `skip_s` seconds of a run, in which its schedule is still being found."""
    if not records.timesteps:
        return records
    columns = records.columns()
    begin_ns = columns.timesteps[0].stamp_ns + round(skip_s * 1e9)
    steps, verdicts, inferences = columns.timesteps, columns.verdicts, columns.inferences
    robots = Table.of(RobotRecord, records.robots)
    return replace(
        records, timesteps=steps.where(steps.ints("stamp_ns") >= begin_ns),
        # a default answers no observation: its stamp is 0, and only its tick counts it
        verdicts=verdicts.where(verdicts.ints("stamp_ns") >= begin_ns),
        inferences=inferences.where(inferences.ints("stamp_ns") >= begin_ns),
        robots=robots.where(robots.ints("stamp_ns") >= begin_ns))


def excess_delays(records: RunRecords) -> NDArray[np.int64]:
    """Per applied action, ticks of delay beyond what its schedule or its own duration explains.

    Where actions are held that is the promised delay `D` of the generation in which it was
    inferred; else, and before the first schedule, `ceil((τ_θ + h)/τ_M)` of its own inference.
    Actions whose schedule or inference was not recorded are left out.
    """
    columns = records.columns()
    verdicts = columns.verdicts
    generations, places = np.unique(verdicts.ints("generation"), return_inverse=True)
    schedules = {schedule.generation: schedule for schedule in records.schedules}
    found = [schedules.get(generation) for generation in generations.tolist()]
    promised = np.array([schedule.promised_delay_ticks if schedule else 0 for schedule in found],
                        np.int64)[places]
    held = np.array([schedule is not None and schedule.algorithm in HOLDING for schedule in found],
                    np.bool_)[places]
    known = np.array([schedule is not None for schedule in found], np.bool_) | (generations <= 0)
    applied = verdicts.equal("fate", Fate.APPLIED) & known[places]
    handover_ns = (records.schedules[0].handover_ns if records.schedules
                   else _DEFAULT_HANDOVER_NS)
    own = applied & ~held
    if own.any():
        promised[own] = _own_delays(columns, own, handover_ns)
    counted = applied & (promised >= 0)
    return (verdicts.ints("delay_ticks") - promised)[counted]


def _own_delays(columns: Columns, chosen: NDArray[np.bool_], handover_ns: int
                ) -> NDArray[np.int64]:
    """Return the delays that inferences explain of actions; -1 where that is not known."""
    period_ns = columns.timesteps[-1].period_ns if columns.timesteps else 0
    verdicts = columns.verdicts
    allowed = np.full(int(chosen.sum()), -1)
    rows = np.flatnonzero(gave_action(columns.inferences))
    inferred = last_rows(
        (columns.inferences.ints("stamp_ns")[rows], columns.inferences.ints("worker")[rows]),
        (verdicts.ints("stamp_ns")[chosen], verdicts.ints("worker")[chosen]))
    durations_s = np.append(columns.inferences.floats("duration_s")[rows], math.nan)[inferred]
    finite = np.isfinite(durations_s)
    if period_ns:
        taken_ns = np.rint(durations_s[finite] * 1e9).astype(np.int64) + handover_ns
        allowed[finite] = np.maximum(1, -(-taken_ns // period_ns))
    return allowed


def gave_action(inferences: Table[Inference]) -> NDArray[np.bool_]:
    """Whether each inference gave an action."""
    return inferences.equal("miss", Miss.NONE)


def real(inferences: Iterable[Inference]) -> Iterator[Inference]:
    """Inferences that gave an action."""
    return (inference for inference in inferences if inference.miss is Miss.NONE)


def _episodes(sessions: Sessions, episodes: Episodes) -> EpisodeFigures:
    """Rewards that are not finite say nothing, nor do returns of them."""
    returns = episodes.returns.tolist()
    rewards = sessions.ticks.floats("reward")
    rewards = rewards[np.isfinite(rewards)]
    total, whole = math.fsum(rewards), math.fsum(filter(math.isfinite, returns))
    return {"count": len(returns), "return": distribution(returns),
            "reward_per_tick": total / len(rewards) if len(rewards) else None,
            # rounded: sums of floats leave dust
            "unfinished_reward": round(total - whole, 9) + 0.0 if len(rewards) else None,
            "counters": counter_figures(sessions, episodes)}


def _plant(sessions: Sessions) -> PlantFigures:
    ticks = sessions.ticks
    numbers, stamps_ns = ticks.ints("tick"), ticks.ints("stamp_ns")
    ends, begins = sessions.last_rows, sessions.first_rows
    steps = sum((numbers[ends] - numbers[begins]).tolist())
    elapsed_ns = sum((stamps_ns[ends] - stamps_ns[begins]).tolist())
    last = ticks[-1] if ticks else None
    following = sessions.together() & (np.diff(numbers) == 1)
    return PlantFigures(
        name=(last.plant or None) if last else None, ticks=len(ticks),
        period_ms=last.period_ns / 1e6 if last else None,
        rate_hz=steps / (elapsed_ns / 1e9) if elapsed_ns > 0 else None,
        interval_ms=distribution(np.diff(stamps_ns)[following] / 1e6),
        missed_ticks=int(ticks.flags("missed").sum()))


def _interaction(records: RunRecords, columns: Columns, sessions: Sessions, started: bool
                 ) -> InteractionFigures:
    ticks, verdicts = sessions.ticks, columns.verdicts
    startup = 0 if started else startup_length(ticks)
    causes = {cause: int(ticks[startup:].equal("cause", cause).sum()) for cause in Cause}
    acting = len(ticks) - startup
    period_s = ticks[-1].period_ns / 1e9 if ticks else math.nan
    rejected = verdicts.equal("fate", Fate.REJECTED)
    intervals_ms = np.concatenate([
        np.zeros(0), *(np.diff(session) * 1e3 for session in arrivals(verdicts, period_s))])
    known = "verdict" in records.topics
    return InteractionFigures(
        startup_ticks=startup, policy_ticks=causes[Cause.POLICY],
        default_ticks=causes[Cause.DEFAULT], operator_ticks=causes[Cause.OPERATOR],
        stop_ticks=causes[Cause.STOP], none_ticks=causes[Cause.NONE],
        inaction_fraction=((causes[Cause.DEFAULT] + causes[Cause.NONE]) / acting
                           if acting else None),
        rejected=({reason.word: int((rejected & verdicts.equal("reason", reason)).sum())
                   for reason in Reason if reason is not Reason.NONE} if known else None),
        superseded=int(verdicts.equal("fate", Fate.SUPERSEDED).sum()) if known else None,
        action_interval_ms=distribution(intervals_ms),
        action_jitter_ms=distribution(np.abs(intervals_ms - period_s * 1e3)),
        delay_ticks=distribution(delays_ticks(ticks)),
        delay_ms=distribution(_delays_ms(sessions)),
        excess_delay_ticks=distribution(excess_delays(
            replace(records, timesteps=columns.timesteps, verdicts=verdicts,
                    inferences=columns.inferences))))


def _answered(ticks: Table[Timestep]) -> NDArray[np.bool_]:
    """Where a policy's action was applied, to an observation that is known."""
    return ticks.equal("cause", Cause.POLICY) & (ticks.ints("observation_tick") >= 0)


def delays_ticks(ticks: Table[Timestep]) -> NDArray[np.int64]:
    """Return the delays of the actions that were applied."""
    return (ticks.ints("tick") - ticks.ints("observation_tick"))[_answered(ticks)]


def _delays_ms(sessions: Sessions) -> NDArray[np.float64]:
    ticks = sessions.ticks
    answered, stamps_ns = _answered(ticks), ticks.ints("stamp_ns")
    seen = sessions.find(sessions.of_rows()[answered], ticks.ints("observation_tick")[answered])
    delays_ns = stamps_ns[answered] - stamps_ns[seen]
    return delays_ns[seen >= 0] / 1e6


def _inference(records: RunRecords, inferences: Table[Inference]) -> InferenceFigures:
    schedule = records.schedules[-1] if records.schedules else None
    workers = np.unique(inferences.ints("worker"))
    done = gave_action(inferences)
    dealt = set(np.unique(inferences.ints("generation")).tolist())
    followed = [each for each in records.schedules if each.generation in dealt] or (
        [schedule] if schedule else [])
    return InferenceFigures(
        workers=len(schedule.active) if schedule else int((workers >= 0).sum()) or None,
        processes=len([node for node in inferences.texts("node") if node]) or None,
        algorithm=_names(each.algorithm for each in followed),
        dealing=_names(each.dealing for each in followed),
        required_workers=schedule.required_workers if schedule else None,
        promised_delay_ticks=schedule.promised_delay_ticks if schedule else None,
        emulated=" ".join(text for text in inferences.texts("emulated") if text) or None,
        exploration=" ".join(text for text in inferences.texts("exploration") if text) or None,
        duration_ms=distribution(inferences.floats("duration_s")[done] * 1e3),
        observation_age_ms=distribution(inferences.floats("age_s")[done] * 1e3),
        generations=(len({schedule.generation for schedule in records.schedules})
                     if "schedule" in records.topics else None))


def _names(values: Iterable[Algorithm | Dealing]) -> str | None:
    """Return each of the values once, in order: they can be set during a run."""
    return " ".join(dict.fromkeys(value.word for value in values)) or None


def _learning(records: RunRecords, inferences: Table[Inference], ticks: Table[Timestep]
              ) -> LearningFigures:
    """Policy versions are those announced, each once, whether or not any worker took them up."""
    newest = records.learnings[-1] if records.learnings else None
    known = "inference" in records.topics
    lags = policy_lags(records.learnings, ticks)
    missed = inferences.flags("swapping") & ~gave_action(inferences)
    return LearningFigures(
        transitions=newest.transitions if newest else None,
        updates=newest.updates if newest else None,
        policy_versions=len(set(records.announced)) if "policy" in records.topics else None,
        swap_ms=distribution(inferences.floats("swap_s") * 1e3),
        slots_missed_by_swap=int(missed.sum()) if known else None,
        policy_lag_versions=distribution(lags.versions),
        policy_lag_s=distribution(lags.seconds))
