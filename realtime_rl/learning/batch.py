"""What one update learns from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.experience.action_history import History
from realtime_rl.core.observations import Observation


class Batch(NamedTuple):
    """Transitions as arrays; B is the batch size."""

    observation: Observation
    """`(B, stack * C, …)`, of the plant's dtype."""
    action: NDArray[np.int64]
    """`(B,)` indices."""
    reward: NDArray[np.float32]
    """`(B,)`."""
    discount: NDArray[np.float32]
    """`(B,)`."""
    next_observation: Observation
    """`(B, stack * C, …)`."""
    slot: NDArray[np.int64]
    """`(B,)` where they lie, for `Replay.set_errors`."""
    weight: NDArray[np.float32]
    """`(B,)` importance weights, the largest 1."""
    history: Sequence[History]
    """B histories of applied actions, one beside each observation."""
    next_history: Sequence[History]
    """The same beside each next observation."""
