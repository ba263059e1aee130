"""What a plant, a policy and an actuator must agree on: observations, actions, causes."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from realtime_rl.core.enumerations import Named
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.observations import Observation, Observations
from realtime_rl.core.observations import number as _number

Action = tuple[float, ...]
"""One action: `(index,)` in a discrete space, one value a dimension in a continuous one."""

_FLOAT32_ROUNDING = 2.0**-24
"""`Joy` carries float32: an action at its limit comes back rounded by so much of it at most."""


class Cause(Named):
    """What acted on the plant at a tick. Every tick has exactly one cause."""

    NONE = 0
    """The actuator was silent: the plant's own watchdog applied its safe command."""
    POLICY = 1
    """An action that a worker computed."""
    DEFAULT = 2
    """The default policy, because no action arrived in time."""
    OPERATOR = 3
    """A person."""
    STOP = 4
    """The stop service was called: the safe command until it is released. Of a robot also: it was
    stopped otherwise, or is between two episodes."""


@dataclass(frozen=True, slots=True)
class ActionSpace:
    """The actions of a plant: labelled choices, or labelled dimensions with limits."""

    labels: tuple[str, ...]
    noop: Action
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Refuse spaces whose parts do not fit each other."""
        if not self.labels or len(set(self.labels)) != len(self.labels):
            raise ConfigError(f"action labels {self.labels!r} must be present and distinct")
        if not all(re.fullmatch(r"[^\s:=]+", label) for label in self.labels):
            raise ConfigError(f"action labels {self.labels!r}: no spaces, ':' or '=' in them")
        if len(self.low) != len(self.high) or len(self.low) not in (0, len(self.labels)):
            raise ConfigError(f"action limits {self.low!r}, {self.high!r} do not fit the labels")
        if any(not low < high for low, high in zip(self.low, self.high, strict=True)):
            raise ConfigError(f"action limits {self.low!r}, {self.high!r}: a range is empty")
        problem = self.problem(self.noop)
        if problem is not None:
            raise ConfigError(f"no-op action {self.noop!r} is {problem}")

    @property
    def discrete(self) -> bool:
        """Whether an action is one of the labels (else a value for each of them)."""
        return not self.low

    @property
    def size(self) -> int:
        """How many choices (discrete) or dimensions (continuous) there are."""
        return len(self.labels)

    def problem(self, action: Action) -> Literal["malformed", "non_finite", "out_of_range"] | None:
        """Say what is wrong with `action`, or `None` when it is in the space.

        Limits hold to the resolution of float32, in which actions travel.
        """
        if len(action) != (1 if self.discrete else self.size):
            return "malformed"
        if not all(map(math.isfinite, action)):
            return "non_finite"
        if self.discrete:
            if action[0] != int(action[0]):
                return "malformed"
            return None if 0 <= action[0] < self.size else "out_of_range"
        inside = (low - abs(low) * _FLOAT32_ROUNDING <= value
                  <= high + abs(high) * _FLOAT32_ROUNDING
                  for low, value, high in zip(self.low, action, self.high, strict=True))
        return None if all(inside) else "out_of_range"

    def __str__(self) -> str:
        """Write it as `A B NOOP = NOOP` or `vx:-0.5:0.5 wz:-1:1 = 0 0`; `parse` reads it."""
        if self.discrete:
            return f"{' '.join(self.labels)} = {self.labels[int(self.noop[0])]}"
        parts = (f"{label}:{_number(low)}:{_number(high)}"
                 for label, low, high in zip(self.labels, self.low, self.high, strict=True))
        return f"{' '.join(parts)} = {' '.join(_number(value) for value in self.noop)}"

    @staticmethod
    def parse(text: str) -> ActionSpace:
        """Read the form that `str()` writes: labels or limits, `=`, then the no-op action."""
        left, _, right = text.partition("=")
        parts = left.split()
        try:
            if any(":" in part for part in parts):
                fields = [part.split(":") for part in parts]
                labels, low, high = zip(*fields, strict=True)
                return ActionSpace(
                    labels=labels,
                    low=tuple(float(value) for value in low),
                    high=tuple(float(value) for value in high),
                    noop=tuple(float(value) for value in right.split()),
                )
            return ActionSpace(tuple(parts), (float(parts.index(right.strip())),))
        except ValueError as error:
            raise ConfigError(
                f"action space {text!r}: write it like 'A B NOOP = NOOP' or 'vx:-1:1 = 0'"
            ) from error


@dataclass(frozen=True, slots=True)
class PlantSpec:
    """What the rest of the graph must know about a plant before it has seen a tick."""

    name: str
    period_ns: int
    observation: Observations
    actions: ActionSpace
    rate: str = ""
    """How the period comes about, in one line, where that is not plain."""
    warning: str = ""
    """In one line, why nothing can be learned from it; empty: nothing says so."""
    counters: tuple[str, ...] = ()
    """Names of what it counts beside the reward, in the order of `Transition.counters`."""

    def __post_init__(self) -> None:
        """Refuse a plant that would never tick."""
        if self.period_ns < 1:
            raise ConfigError(f"plant {self.name!r}: period_ns {self.period_ns!r} must be positive")


@dataclass(frozen=True, slots=True)
class Transition:
    """What one plant step gave: the observation after it, and what it cost or earned."""

    observation: Observation
    reward: float
    discount: float
    """0.0 when the step ended the episode for good (terminal), else 1.0."""
    first: bool
    """The observation is the first of an episode: the step was a reset, its reward is 0."""
    last: bool
    """The episode ended with this step; the next step resets."""
    counters: tuple[float, ...] = ()
    """What it counts, as it stands in this episode: a value for each of `PlantSpec.counters`."""
