"""Whether a policy gives for several observations in one run what it gives for each alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.errors import PolicyError
from realtime_rl.policies.feeding import Feed

Answer = NDArray[np.float32] | PolicyError
_ALIKE = 0.01
"""Up to so much of the largest value: the kernels differ."""


def problem(run: Callable[[list[Feed]], Sequence[Answer]], feeds: Sequence[Feed],
            alone: Sequence[NDArray[np.float32]], size: int) -> str:
    """Try `size` observations at once; say why a policy cannot take them, or nothing.

    Args:
        run: what answers several.
        feeds: some, in turn.
        alone: what each of these gives alone.
        size: so many.
    """
    places = [number % len(feeds) for number in range(size)]
    try:
        found = run([feeds[place] for place in places])
    except Exception as error:  # ONNX Runtime has no common base class for its errors
        return f"its graph does not run on so many: {' '.join(str(error).split())}"
    if all(_alike(row, alone[place]) for row, place in zip(found, places, strict=True)):
        return ""
    return ("on several observations it gives something else than on each alone, so that its open "
            "axis is none of a batch")


def _alike(one: Answer, other: NDArray[np.float32]) -> bool:
    if isinstance(one, PolicyError) or one.shape != other.shape:
        return False
    known = np.isfinite(other)  # a masked choice is -inf in both
    most = _ALIKE * float(np.abs(other[known]).max(initial=0.0))
    return bool(np.array_equal(known, np.isfinite(one))
                and np.allclose(one[known], other[known], rtol=0.0, atol=most))
