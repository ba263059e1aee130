"""What a number in a message may be: the ranges that `records` names and `wire` enforces."""

from __future__ import annotations

import math
from dataclasses import dataclass

EXACT = 2**53
"""float64 holds every integer up to here: no id and no count is larger."""
FLOAT32_MAX = 3.4028234663852886e38
"""What learning computes with holds no more; sums and squares of such values stay finite."""
HOUR_S = 3600.0
MOST_WORKERS = 4096
MOST_GENERATION = 2**31 - 1
"""Of a schedule; what a stranger sets leads no further."""
MOST_DELAY_TICKS = 2**31 - 1
MOST_ITEMS = 4096
"""Values of a list: workers of a schedule, dimensions of an action."""
MOST_ROWS = 1024
"""Of a chunk of actions."""
LATEST_NS = 2**31 * 1_000_000_000 - 1
"""The latest time that a ROS stamp can tell [ns]."""
_ANY_AGE_S = 1e20
"""More than any tick that can be named is ago, and than the clocks of two hosts differ by."""


@dataclass(frozen=True, slots=True)
class Range:
    """From `low` to `high`, both included."""

    low: float
    high: float
    nan: bool = False
    """NaN is allowed, too: it says that the value is not known."""
    infinite: bool = False
    """So are the infinities."""

    def problem(self, value: float) -> str | None:
        """Say why `value` is not allowed, or `None`."""
        if self.low <= value <= self.high:
            return None
        if isinstance(value, float) and math.isnan(value):
            return None if self.nan else "not a number"
        if isinstance(value, float) and math.isinf(value) and self.infinite:
            return None
        return f"outside {self.low:g} … {self.high:g}"


ID = Range(0, EXACT)
ID_OR_NONE = Range(-1, EXACT)
WORKER = Range(0, MOST_WORKERS - 1)
WORKER_OR_NONE = Range(-1, MOST_WORKERS - 1)
STAMP = Range(0, LATEST_NS)
PERIOD_NS = Range(1, HOUR_S * 1e9)
SPAN_NS = Range(0, HOUR_S * 1e9)
SPAN_S = Range(0.0, HOUR_S)
MAYBE_SPAN_S = Range(0.0, HOUR_S, nan=True)
SINCE_S = Range(0.0, LATEST_NS / 1e9, nan=True)
"""A time since something that may be long ago."""
AGE_S = Range(-_ANY_AGE_S, _ANY_AGE_S, nan=True)
"""A difference of two clocks, or the age of a tick that a message only names."""
SHARE = Range(0.0, 1.0)
VALUE = Range(-FLOAT32_MAX, FLOAT32_MAX)
ANY_VALUE = Range(-FLOAT32_MAX, FLOAT32_MAX, nan=True, infinite=True)
"""A plant's reward, a training's loss: that it fails is worth knowing, and control goes on."""
MAYBE_VALUE = Range(-FLOAT32_MAX, FLOAT32_MAX, nan=True)
FLAGS = Range(0, 255)
