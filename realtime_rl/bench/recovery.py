"""How long one long inference disturbs the actions, from a run's records."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from realtime_rl.core.figures.accounting import RunRecords, real
from realtime_rl.core.figures.statistics import plant_sessions, startup_length

_AGAIN = 60
"""An action at every tick means: at so many in a row."""
_TOLERATED = 0.02
"""Share of ticks without an action before the outlier above which there was nothing to regain."""
_OUTLIER = 2.0
"""Times the median from which on the longest inference is an outlier."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """What the longest inference of a run did."""

    tick: int
    """Of its observation."""
    duration_ms: float
    ticks: int | None
    """From the first tick without an action to the first of many with one; 0: it cost none.

    `None`: no action came at every tick before the outlier, or none did after it.
    """


def recovery(records: RunRecords) -> Recovery | None:
    """Say how the actions recovered from the longest inference; `None` when none stands out."""
    done = list(real(records.inferences))
    sessions = plant_sessions(records.timesteps)
    if not done or len(sessions) != 1:
        return None
    longest = max(done, key=lambda inference: inference.duration_s)
    typical_s = median(inference.duration_s for inference in done)
    if longest.duration_s < _OUTLIER * typical_s:
        return None
    steps = list(sessions[0][startup_length(sessions[0]):])
    idle = [step.tick for step in steps if step.missing]
    before = sum(step.tick <= longest.tick for step in steps)
    lost_before = sum(tick <= longest.tick for tick in idle)
    found = Recovery(longest.tick, longest.duration_s * 1e3, None)
    if not before or lost_before > _TOLERATED * before:
        return found
    # it can cost its own tick, and slots for as long as it lasts
    period_s = steps[-1].period_ns / 1e9
    reach = longest.tick + 2 * round(longest.duration_s / period_s) + _AGAIN
    lost = [tick for tick in idle if longest.tick < tick <= reach]
    return Recovery(found.tick, found.duration_ms, _regained(lost, idle, steps[-1].tick))


def _regained(lost: list[int], idle: list[int], last: int) -> int | None:
    if not lost:
        return 0
    end = lost[0]
    for tick in [*(tick for tick in idle if tick > lost[0]), last + 1]:
        if tick - end > _AGAIN:
            return end + 1 - lost[0]
        end = tick
    return None
