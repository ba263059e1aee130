"""How long messages and wake-ups take, from what the actuator tells of each action."""

from __future__ import annotations

import heapq
import math
from collections import deque

from realtime_rl.core.enumerations import Miss
from realtime_rl.core.messages.records import Inference, Verdict
from realtime_rl.core.schedule.stagger import Schedule

_OUTLIERS = 5
"""Slowest actions of a window that do not count: a single stall makes several late, as at a
start, and is no reason to wait longer for all that follow."""
_SETTLING, _SETTLING_NS = 256, 4_000_000_000
"""First actions that are left out, so many and for so long: processes that start disturb each
other. As many are needed to say anything."""
_TO_PLANT_NS = 1_000_000
"""From the actuator to the plant, which nobody measures."""
_KEPT = 4096


class Handover:
    """Estimates `h`, the allowance in `D = ceil((T + h)/τ_M)`, between two bounds.

    The actuator says how old an action was when it came, by its own clock; what the inference
    took and what the schedule held it for is known. The rest is latency.
    """

    def __init__(self, least_ns: int, most_ns: int, period_ns: int, window: int = 1024) -> None:
        """Begin with `least_ns`; never allow more than `most_ns`."""
        self._least_ns = least_ns
        self._most_ns = max(least_ns, most_ns)
        self._measured: deque[int] = deque(maxlen=window)
        self._settling = max(_SETTLING, _SETTLING_NS // period_ns)
        self._durations: dict[int, tuple[int, bool]] = {}
        """By tick, what an inference took, and whether what it gave is held."""

    def on_inference(self, inference: Inference) -> None:
        """Remember what an action took to compute."""
        if inference.miss is Miss.NONE and math.isfinite(inference.duration_s):
            self._durations[inference.tick] = (round(inference.duration_s * 1e9),
                                               not inference.horizon)
            if len(self._durations) > _KEPT:
                del self._durations[next(iter(self._durations))]

    def on_verdict(self, verdict: Verdict, schedule: Schedule) -> None:
        """Take in how an action arrived that `schedule` dealt."""
        known = self._durations.pop(verdict.observation_tick, None)
        if known is None or not math.isfinite(verdict.age_s):
            return
        if self._settling:
            self._settling -= 1
            return
        duration_ns, held = known
        left_ns = schedule.release_ns(0, duration_ns) if held else duration_ns
        latency_ns = round(verdict.age_s * 1e9) - left_ns
        if latency_ns <= self._most_ns:  # no allowance would help with more, as after a hang
            self._measured.append(latency_ns)

    def restarted(self) -> None:
        """The plant counts its ticks anew."""
        self._durations.clear()

    @property
    def allowance_ns(self) -> int:
        """`h`: what all but a few of the newest actions kept to."""
        if len(self._measured) < _SETTLING:
            return self._least_ns
        measured = heapq.nlargest(_OUTLIERS + 1, self._measured)[-1] + _TO_PLANT_NS
        return min(max(self._least_ns, measured), self._most_ns)
