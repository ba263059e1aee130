"""What goes into a policy's graph for one observation, or for several in one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.errors import PolicyError
from realtime_rl.core.experience.action_history import History, encode
from realtime_rl.core.messages.policy_metadata import HISTORY_INPUT
from realtime_rl.core.observations import Observation, split
from realtime_rl.core.policy import prefix
from realtime_rl.core.policy.fitting import Fitted
from realtime_rl.core.policy.prefix import Prefix
from realtime_rl.core.types import ActionSpace

Feed = dict[str, NDArray[Any]]
"""Values by input."""


class Seen(NamedTuple):
    """What one inference answers."""

    observation: Observation
    """As many joined as the policy's stack says."""
    history: History = ()
    """The last applied actions, oldest first, as many as it takes."""
    promised: Prefix | None = None
    """What acts meanwhile, where it takes that."""
    goal: NDArray[Any] | None = None
    """The newest one; `None`: that which it begins with."""


def feed(fitted: Fitted, actions: ActionSpace, seen: Seen) -> Feed:
    """Return what the inputs take.

    Raises:
        PolicyError: an observation has another shape, the history another length, or there is no
            goal, or one that does not fit, or more is promised than `max_prefix`.
    """
    parts, found = split(seen.observation), dict(fitted.constants)
    for each in fitted.inputs:
        if each.place >= len(parts) or parts[each.place].shape != each.shape:
            raise PolicyError(f"{each.name!r} takes {each.shape}, not an observation of shape "
                              f"{', '.join(str(part.shape) for part in parts)}")
        found[each.name] = each.feed(parts[each.place])
    if len(seen.history) != fitted.history:
        raise PolicyError(f"it takes the last {fitted.history} applied actions beside the "
                          f"observation, not {len(seen.history)}")
    return found | _beside(fitted, actions, seen)


def extreme(fitted: Fitted, actions: ActionSpace, end: str) -> Feed:
    """Return what the inputs take where every value of the observation is its `low` or `high`."""
    found = {**fitted.constants,
             **{each.name: each.extreme(getattr(each, end)) for each in fitted.inputs}}
    goal = None if fitted.goal is None else fitted.goal.example()
    return found | _beside(fitted, actions, Seen(
        np.zeros(0), (actions.noop,) * fitted.history, None, goal))


def _beside(fitted: Fitted, actions: ActionSpace, seen: Seen) -> Feed:
    found: Feed = {}
    if fitted.history:
        found[HISTORY_INPUT] = encode([seen.history], actions)
    if fitted.goal is not None:
        goal = fitted.goal.start if seen.goal is None else fitted.goal.cast(seen.goal)
        if goal is None:
            raise PolicyError(f"its input {fitted.goal.input.name!r} takes a goal, and nobody gave "
                              "one")
        found[fitted.goal.input.name] = goal
    if fitted.prefix:
        found |= _promised(fitted, actions, seen.promised or Prefix())
    return found


def _promised(fitted: Fitted, actions: ActionSpace, promised: Prefix) -> Feed:
    """Feed the inputs of a prefix, in the network's units."""
    problem = prefix.too_long(fitted.max_prefix, promised.promised)
    if problem:
        raise PolicyError(problem)
    rows = prefix.padded(promised, max(1, fitted.reading.horizon), actions)
    scaled = fitted.reading.normalization
    values = {prefix.CHUNK: rows if scaled is None else scaled.redo(rows),
              prefix.DELAY: promised.promised, prefix.FINAL: promised.final}
    found: Feed = {}
    for each in fitted.prefix:
        value = np.asarray(values[each.name], each.dtype)
        found[each.name] = (value[None] if each.name == prefix.CHUNK
                            else value.reshape(each.closed()))
    return found


def joined(feeds: Sequence[Mapping[str, NDArray[Any]]], shared: frozenset[str]) -> Feed:
    """Return one feed for several inferences, along the batch axis; `shared` inputs stay one."""
    return {name: value if name in shared else np.concatenate([each[name] for each in feeds])
            for name, value in feeds[0].items()}
