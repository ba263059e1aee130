"""What `realtime-rl policy` says of a policy that is told what acts until its chunk can."""

from __future__ import annotations

from realtime_rl.core.policy import prefix
from realtime_rl.core.schedule.horizon import rows_needed

USES = {prefix.CHUNK: "what is promised to act meanwhile, row i for tick k + 1 + i",
        prefix.DELAY: "how many of its rows act before the chunk can, D - 1",
        prefix.FINAL: "how many of its rows are settled"}
"""What each input is fed with."""


def in_words(delay: int, longest: int) -> str:
    """Say what it takes where `delay` ticks are promised; `longest`: rows, 0: any number."""
    most = f"of {longest} rows at most" if longest else "of any number of rows"
    found = (f"it takes a prefix {most}, here {delay - 1}: with chunk_merge 'prefix' a chunk "
             f"begins every {delay} tick(s), and is to reach {rows_needed(delay, delay)}; more "
             "workers than that takes are spare")
    problem = prefix.too_long(longest, delay - 1)
    return f"{found}; refused, as it {problem}" if problem else found
