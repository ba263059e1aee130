"""Whether a run of a policy can answer several observations: along an axis that it leaves open."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from realtime_rl.core.policy.states import State
from realtime_rl.core.policy.tensors import Tensor


class Batchable(NamedTuple):
    """Whether it can."""

    why_not: str = ""
    """Empty: it can, as far as its shapes tell."""
    shared: frozenset[str] = frozenset()
    """Inputs that are the same for all of a batch, and have no axis for it."""


def of(inputs: Iterable[Tensor], output: Tensor, constants: Collection[str],
       states: Collection[State]) -> Batchable:
    """Say whether a graph can answer several observations in a run.

    Args:
        inputs: of the graph.
        output: that acts.
        constants: names of inputs that are fed with the same values whatever is seen.
        states: that are carried from one inference to the next.
    """
    if states:
        return Batchable("it is recurrent: each inference needs the one before")
    shared = set()
    for each in inputs:
        if not _open(each):
            if each.name not in constants:
                return Batchable(f"its input {each} leaves no batch axis open; export it with a "
                                 "dynamic first axis")
            shared.add(each.name)
    if not _open(output):
        return Batchable(f"its output {output} leaves no batch axis open; export it with a dynamic "
                         "first axis")
    return Batchable("", frozenset(shared))


def _open(tensor: Tensor) -> bool:
    return bool(tensor.shape) and not isinstance(tensor.shape[0], int)
