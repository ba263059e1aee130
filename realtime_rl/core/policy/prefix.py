"""What the actuator has promised to execute: the prefix that a policy trained for it takes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.types import Action

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


def padded(prefix: Prefix, horizon: int, noop: Action) -> NDArray[np.float32]:
    """Return `horizon` rows: those of the prefix, then its last one again; without any the no-op.

    Shape `(horizon, A)`, in the plant's units.
    """
    rows = prefix.rows[:horizon] or (noop,)
    full = (*rows, *(rows[-1],) * (horizon - len(rows)))
    return np.asarray(full, np.float32)
