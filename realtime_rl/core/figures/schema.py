"""What the figures of a run are: schema 1 of `realtime-rl report --json`.

Durations are in ms. What cannot be known is null, never guessed.
"""

from __future__ import annotations

from typing import TypedDict

from realtime_rl.core.figures.chunk_figures import ChunkFigures
from realtime_rl.core.figures.statistics import Distribution

SCHEMA = 1


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


class ElementFigures(TypedDict):
    """What one element of a robot's commands was sent, in its unit."""

    limited_ticks: int
    """The limits allowed less than was asked for."""
    difference: Distribution
    """How far the command was off the position that was measured at its tick."""
    largest_step: float | None
    """Between two ticks that follow each other."""
    largest_rate: float | None
    """The same a second."""


class SourceFigures(TypedDict):
    """What was heard of a source of a robot."""

    age_ms: Distribution
    """At a tick."""
    unheard_ticks: int
    """Nothing had come yet."""
    most_repeated: int
    """Messages in a row that said what the one before did."""


class RobotFigures(TypedDict):
    """What a robot was sent and why, and what it said."""

    ticks: int
    waiting_ticks: int
    holding_ticks: int
    blending_ticks: int
    acting_ticks: int
    stopped_ticks: int
    ended_ticks: int
    unsent_ticks: int
    stops: int
    stopped_ticks_by: dict[str, int]
    """A tick may have several causes."""
    elements: dict[str, ElementFigures]
    sources: dict[str, SourceFigures]


class RecordingFigures(TypedDict):
    """What the recording holds of the run."""

    gaps: int
    duration_s: float | None
    deaths: int | None
    """Of nodes, during the run; `None` where nobody noted them."""


class RunFigures(TypedDict):
    """All of it: schema 1 of `realtime-rl report --json`."""

    schema: int
    plant: PlantFigures
    interaction: InteractionFigures
    inference: InferenceFigures
    learning: LearningFigures
    episodes: EpisodeFigures
    recording: RecordingFigures
    chunks: ChunkFigures | None
    """`None`: no chunk of actions acted."""
    robot: RobotFigures | None
    """`None`: it was no robot's node, or its records were not recorded."""
