"""An input that takes the newest goal that anybody gave, or the one that it begins with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.errors import PolicyError
from realtime_rl.core.policy.constants import cast
from realtime_rl.core.policy.said import Said
from realtime_rl.core.policy.tensors import Tensor, listed

TOPIC = "goal"
"""Where goals come from in a live run."""


class Goal(NamedTuple):
    """The input, and what it is fed with before anybody gave a goal."""

    input: Tensor
    start: NDArray[Any] | None
    """As fed; `None`: the policy does not act before the first goal."""

    @property
    def size(self) -> int:
        """How many values a goal has."""
        return math.prod(self.input.closed())

    def cast(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return a goal as it is fed; `PolicyError` for another number of values, or bad ones."""
        if values.size != self.size:
            raise PolicyError(f"a goal of {values.size} value(s): its input {self.input} takes "
                              f"{self.size}")
        return cast("goal of", self.input, values.reshape(self.input.closed()))

    def example(self) -> NDArray[Any]:
        """Return the one that it begins with, or zeros, to try a policy with."""
        return (np.zeros(self.input.closed(), self.input.dtype) if self.start is None
                else self.start)


def taken(given: Mapping[str, Tensor], said: Said) -> Goal | None:
    """Return the input that takes the goal, if it is said that one does.

    Raises:
        PolicyError: several do, one is fed otherwise, too, or the first values do not fit.
    """
    if len(said.goals) > 1:
        raise PolicyError(f"{said.source}: {listed(said.goals)} are to take the goal, which one "
                          "input can")
    for name, start in said.goals.items():
        for what, others in (("a constant", said.constants), ("inputs", said.inputs)):
            if name in others:
                raise PolicyError(f"{said.source}: {name!r} is to take the goal and is fed with "
                                  f"{what}, too: leave one of them out")
        goal = Goal(given[name], None)
        return goal._replace(start=goal.cast(start)) if start.size else goal
    return None
