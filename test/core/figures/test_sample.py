"""Some of many are kept evenly, from the first on."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.figures.sample import Sample


@given(count=st.integers(0, 3000), most=st.integers(2, 20))
def test_what_is_kept_is_even_and_not_too_much(count: int, most: int) -> None:
    sample: Sample[int] = Sample(most)
    for item in range(count):
        wanted = sample.wants
        sample.offer(item)
        assert wanted == (item in list(sample)) or len(sample) <= most // 2 + 1
    kept = list(sample)
    assert len(kept) == len(sample) <= most
    assert len(kept) >= min(count, (most + 1) // 2)
    if kept:
        apart = {after - before for before, after in pairwise(kept)}
        assert kept[0] == 0 and len(apart) <= 1
        assert count - kept[-1] <= (apart or {1}).pop()
