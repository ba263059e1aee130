"""Numbers in texts that are read back."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.observations import number


@given(st.floats(allow_nan=False))
def test_a_number_is_read_back_as_it_was_and_a_zero_has_no_sign(value: float) -> None:
    written = number(value)
    assert float(written) == value
    assert value or not math.copysign(1.0, float(written)) < 0
