"""Statistics of values as a LeRobot dataset keeps them, an episode or all of them together.

Each is a dictionary from `min`, `max`, `mean`, `std`, `count` and quantiles to arrays.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Statistics = dict[str, NDArray[np.float64]]
QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
_LEVELS = np.arange(256) / 255.0


def of_values(values: NDArray[np.generic]) -> Statistics:
    """Return those of values `(frames, size)`, one a column."""
    exact = values.astype(np.float64)
    quantiles = np.quantile(exact, list(QUANTILES.values()), axis=0)
    return {"min": exact.min(0), "max": exact.max(0), "mean": exact.mean(0), "std": exact.std(0),
            "count": np.array([float(len(exact))]),
            **dict(zip(QUANTILES, quantiles, strict=True))}


def of_pictures(pictures: Sequence[NDArray[np.uint8]]) -> Statistics:
    """Return those of pictures `(channels, height, width)`, from 0 to 1: `(channels, 1, 1)`."""
    counts: list[NDArray[np.int64]] = []
    for picture in pictures:
        found = [np.bincount(channel.reshape(-1), minlength=_LEVELS.size) for channel in picture]
        counts = [one + more for one, more in zip(counts, found, strict=True)] if counts else found
    each = [_of_counts(channel) for channel in counts]
    return {"count": np.array([float(len(pictures))]),
            **{name: np.array([[[one[name]]] for one in each]) for name in each[0]}}


def _of_counts(counts: NDArray[np.int64]) -> dict[str, float]:
    """Return those of the brightness of so many pixels of each of 256 levels."""
    share = counts / counts.sum()
    mean, present = float(share @ _LEVELS), _LEVELS[counts > 0]
    below = np.cumsum(share)
    return {"min": float(present[0]), "max": float(present[-1]), "mean": mean,
            "std": float(np.sqrt(share @ (_LEVELS - mean) ** 2)),
            **{name: float(_LEVELS[min(int(np.searchsorted(below, part)), _LEVELS.size - 1)])
               for name, part in QUANTILES.items()}}


def merged(one: Statistics, other: Statistics) -> Statistics:
    """Return those of both together; quantiles are means of theirs, as LeRobot takes them."""
    count = one["count"] + other["count"]
    share = other["count"] / count

    def between(name: str) -> NDArray[np.float64]:
        return one[name] + (other[name] - one[name]) * share

    mean = between("mean")
    spread = (one["std"] ** 2 + (one["mean"] - mean) ** 2) * (1.0 - share) + (
        other["std"] ** 2 + (other["mean"] - mean) ** 2) * share
    return {"min": np.minimum(one["min"], other["min"]),
            "max": np.maximum(one["max"], other["max"]), "mean": mean, "std": np.sqrt(spread),
            "count": count, **{name: between(name) for name in QUANTILES}}
