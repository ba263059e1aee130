"""What can go wrong in learning."""

from __future__ import annotations

from realtime_rl.core.errors import RealtimeRlError
from realtime_rl.learning.batch import Batch


class LearningError(RealtimeRlError):
    """A learner that cannot be built as configured, or whose loss is not finite."""


class NonFiniteLossError(LearningError):
    """An update whose loss or gradient is not finite; the weights stay those before it."""

    def __init__(self, message: str, batch: Batch | None) -> None:
        """Say what happened; `batch` is what was learned from."""
        super().__init__(message)
        self.batch = batch


class CheckpointError(LearningError):
    """A checkpoint that cannot be written, is damaged, or is of something else."""
