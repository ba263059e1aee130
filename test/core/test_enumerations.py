"""The numbers of enumerations stand in bags, their words in parameter files: neither may change."""

from __future__ import annotations

import pytest

from realtime_rl.core.enumerations import (
    Algorithm,
    Dealing,
    Fate,
    Miss,
    Named,
    Reason,
    SlotSource,
)
from realtime_rl.core.types import Cause


@pytest.mark.parametrize(("kind", "words"), [
    (Cause, "none policy default operator stop"),
    (Fate, "applied superseded rejected defaulted"),
    (Reason, "none malformed non_finite out_of_range stale late future duplicate unknown_worker"),
    (Miss, "none busy failed repeated lacking"),
    (Algorithm, "max_time exp_time quantile_time sequential unstaggered single_queue"),
    (Dealing, "pooled fixed"), (SlotSource, "tick timer")])
def test_numbers_count_the_words_from_0(kind: type[Named], words: str) -> None:
    assert [int(kind.of(word)) for word in words.split()] == [*range(len(kind))]
    assert kind.words() == tuple(words.split())


def test_a_word_that_is_none_is_not_found() -> None:
    with pytest.raises(KeyError):
        Algorithm.of("fastest")
