"""What can go wrong in learning."""

from __future__ import annotations

from realtime_rl.core.errors import RealtimeRlError


class LearningError(RealtimeRlError):
    """A learner that cannot be built as configured, or whose loss is not finite."""
