"""What the arbiter allows, and how long before a tick it may judge of it."""

from __future__ import annotations

from dataclasses import dataclass

from realtime_rl.core.control.chunk_book import Chunking

_HEARD_WITHIN_NS = 2_000_000
"""By then, as a rule, a tick was heard of."""
ONE_BY_ONE = Chunking()


def usable_margin_ns(margin_ns: int, period_ns: int) -> int:
    """Return the most of `margin_ns` that leaves time to hear of the tick before.

    Who fills a tick before knowing what the tick before it latched may fill one whose action is
    under way. Three quarters of a period are allowed, less where 2 ms are not left of it, and a
    quarter always.
    """
    most_ns = max(period_ns // 4, min(period_ns * 3 // 4, period_ns - _HEARD_WITHIN_NS))
    return min(margin_ns, most_ns)


@dataclass(frozen=True, slots=True)
class ArbiterLimits:
    """What the arbiter allows."""

    period_ns: int
    max_delay_ticks: int
    """Actions on observations older than this are stale."""
    margin_ns: int
    """How long before a tick the default policy steps in, as far as `usable_margin_ns` allows."""
    operator_timeout_ns: int
    """A person's last input keeps the policy out for this long."""
    workers: int = 0
    """Actions of workers from this number on are refused; 0: not known."""
    chunking: Chunking = ONE_BY_ONE
    """How the rows of chunks are used."""
