"""What may become experience: what cannot be is refused before anything is made of it.

One reward that is no number would spoil every weight, one action that the plant does not know the
thread that learns from it.
"""

from __future__ import annotations

import numpy as np

from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.observations import Observation, Observations, ObservationSpec, split
from realtime_rl.core.types import ActionSpace

_LARGEST = 1e30
"""Sums and products of what is smaller are still finite in float32, in which it is learned from."""


class Admission:
    """Judges ticks and observations of one plant."""

    def __init__(self, observation: Observations, actions: ActionSpace) -> None:
        """Admit what fits these."""
        self._observation = observation
        self._actions = actions
        self.refused = 0
        """How many ticks and observations were refused."""

    def step(self, step: Timestep) -> str | None:
        """Say what is wrong with the record of a tick; `None`: it may be learned from."""
        return self._judged(self._of_step(step))

    def observation(self, value: Observation) -> str | None:
        """Say what is wrong with an observation; `None`: it may be learned from."""
        return self._judged(self._of_observation(value))

    def _judged(self, problem: str | None) -> str | None:
        self.refused += problem is not None
        return problem

    def _of_step(self, step: Timestep) -> str | None:
        problem = self._actions.problem(step.action)
        if problem is not None:
            return f"action {step.action!r} is {problem}: the space is '{self._actions}'"
        if not abs(step.reward) < _LARGEST:
            return f"reward {step.reward!r} is not a number to learn from"
        if not 0.0 <= step.discount <= 1.0:
            return f"discount {step.discount!r} is outside 0 … 1"
        return None

    def _of_observation(self, value: Observation) -> str | None:
        wanted, given = self._observation.parts, split(value)
        if len(given) != len(wanted):
            return f"{len(given)} parts where the plant has {self._observation}"
        problems = (_of_part(*each) for each in zip(given, wanted, strict=True))
        return next(filter(None, problems), None)


def _of_part(value: Observation, wanted: ObservationSpec) -> str | None:
    if (value.shape, value.dtype) != (wanted.shape, np.dtype(wanted.dtype)):
        return f"{value.dtype}{list(value.shape)} where the plant has {wanted}"
    if value.dtype.kind == "f":
        worst = float(np.abs(value).max())  # NaN where any is
        if not worst < _LARGEST:
            return f"a value of {worst!r} is not a number to learn from"
    return None
