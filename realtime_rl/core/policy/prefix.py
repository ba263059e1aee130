"""What the actuator has promised to execute: the prefix that a policy trained for it takes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.enumerations import MergeRule
from realtime_rl.core.messages.plan import Plan
from realtime_rl.core.types import Action, ActionSpace

CHUNK, DELAY, FINAL = "prev_chunk", "inference_delay", "prefix_final"
"""Names of the inputs: the rows `(1, H, A)`, how many of them act before the new chunk can, and
how many are settled."""
NAMES = (CHUNK, DELAY, FINAL)


class Prefix(NamedTuple):
    """Rows that will act from the tick after the observation on."""

    rows: tuple[Action, ...] = ()
    """Row `i` is for tick `k + 1 + i`, of the observation of tick `k`."""
    promised: int = 0
    """How many ticks pass before the new chunk can act: `D - 1`, promised, not estimated."""
    final: int = 0
    """So many of the rows are settled."""


def of_plan(plan: Plan, tick: int, due_tick: int) -> Prefix:
    """Return what acts while a chunk is computed.

    Args:
        plan: the newest.
        tick: of the observation.
        due_tick: that the chunk may act at; -1: as soon as it can, so that nothing is promised.
    """
    promised, place = max(0, due_tick - tick - 1), tick + 1 - plan.first_tick
    if plan.tick < 0 or place < 0:
        return Prefix(promised=promised)
    rows = plan.rows[place:]
    return Prefix(rows, promised, min(max(0, plan.final_until - tick), len(rows)))


def padded(prefix: Prefix, horizon: int, actions: ActionSpace) -> NDArray[np.float32]:
    """Return `horizon` rows: those of the prefix, then its last one again; without any the no-op.

    Shape `(horizon, actions.size)`: values in the plant's units, of choices one-hot.
    """
    rows = prefix.rows[:horizon] or (actions.noop,)
    full = (*rows, *(rows[-1],) * (horizon - len(rows)))
    if actions.discrete:
        return np.eye(actions.size, dtype=np.float32)[[int(choice) for choice, in full]]
    return np.asarray(full, np.float32)


def problem(rule: MergeRule, *, takes: bool, longest: int = 0, delay: int = 1) -> str:
    """Say why a policy cannot be used with chunks that meet so; empty: it can.

    Args:
        rule: how chunks meet.
        takes: whether the policy is fed with what acts meanwhile.
        longest: prefix that it was trained for; 0: it does not say.
        delay: promised, `D` [ticks].
    """
    if rule is not MergeRule.PREFIX:
        return ""
    if not takes:
        return (f"takes no prefix, and chunk_merge is 'prefix', for policies that have an input "
                f"{CHUNK!r}: take 'newest'")
    return too_long(longest, delay - 1)


def too_long(longest: int, promised: int) -> str:
    """Say that a prefix has more rows than a policy was trained for; empty: it has not."""
    if not longest or promised <= longest:
        return ""
    return (f"takes a prefix of {longest} rows at most (max_prefix), and {promised} act before its "
            "chunk can (D - 1): make inference faster, or train it for so many")
