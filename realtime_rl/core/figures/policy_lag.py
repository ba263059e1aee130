"""How far behind the learner's newest exported policy the one that acted was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.messages.records import Learning, Timestep
from realtime_rl.core.messages.table import Table
from realtime_rl.core.types import Cause


@dataclass(frozen=True, slots=True)
class Lags:
    """The lags of the ticks at which a policy acted, in order."""

    versions: NDArray[np.int64]
    """Versions that had been exported since the one that acted."""
    seconds: NDArray[np.float64]
    """For how long the first of them had been there [s]; 0 when there was none."""


def policy_lags(learnings: Sequence[Learning], timesteps: Sequence[Timestep]) -> Lags:
    """Return the lags of the ticks at which a policy acted, once the learner has exported one.

    The learner says once a second what it exported when: of versions that follow each other faster
    only some are known by their time, and the others are taken to have come with the next of them.
    """
    exported: dict[int, int] = {}
    for each in learnings:
        if each.lag_s >= 0:  # NaN before the first
            exported.setdefault(each.version, each.stamp_ns - round(each.lag_s * 1e9))
    pairs = sorted((exported_ns, version) for version, exported_ns in exported.items())
    times_ns = np.array([exported_ns for exported_ns, _ in pairs], np.int64)
    newest = np.maximum.accumulate(np.array([version for _, version in pairs], np.int64))
    steps = Table.of(Timestep, timesteps)
    known = np.searchsorted(times_ns, steps.ints("stamp_ns"), side="right")
    counted = steps.equal("cause", Cause.POLICY) & (known > 0)
    stamps_ns, versions = steps.ints("stamp_ns")[counted], steps.ints("version")[counted]
    behind = np.maximum(newest[known[counted] - 1] - versions, 0)
    since = np.searchsorted(newest, versions[behind > 0], side="right")
    seconds = np.zeros(behind.size)
    seconds[behind > 0] = (stamps_ns[behind > 0] - times_ns[since]) / 1e9
    return Lags(behind, seconds)
