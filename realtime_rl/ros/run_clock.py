"""The time in stamps: the system clock when the run began, and monotonic time since.

Stamps identify ticks and order a bag, so they rise whatever is done to the system clock. All nodes
of a run on a machine count from one start, those that are started again later, too.

Needs no rclpy.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from realtime_rl.core.errors import ConfigError

CLOCK_VARIABLE = "REALTIME_RL_CLOCK"
"""Environment of a node: by how much the run's clock is ahead of the monotonic one [ns]."""


class RunClock:
    """Nanoseconds since the epoch by the clock of this run."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        """Join the run that `environment` tells of; else begin one now."""
        given = environment.get(CLOCK_VARIABLE, "")
        try:
            self._ahead_ns = int(given) if given else time.time_ns() - time.monotonic_ns()
        except ValueError:
            raise ConfigError(f"{CLOCK_VARIABLE}={given!r} in the environment is no number: "
                              "unset it") from None

    def now_ns(self) -> int:
        """The time now."""
        return self.at_ns(time.monotonic_ns())

    def at_ns(self, monotonic_ns: int) -> int:
        """The time when `time.monotonic_ns` said so."""
        return monotonic_ns + self._ahead_ns

    @property
    def environment(self) -> dict[str, str]:
        """What a node needs in its environment to join this run."""
        return {CLOCK_VARIABLE: str(self._ahead_ns)}
