"""Draws indices in proportion to their priorities, many at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Numbers = NDArray[np.float64]


class SumTree:
    """A binary tree whose leaves are priorities and whose nodes are the sums of their children.

    Reading and writing B leaves of n takes O(B log n); 16 bytes a leaf, rounded up to a power
    of two.
    """

    def __init__(self, capacity: int) -> None:
        """Start with `capacity` priorities of 0."""
        self._leaves = 1 << max(0, capacity - 1).bit_length()
        self._sums = np.zeros(2 * self._leaves)

    @property
    def total(self) -> float:
        """The sum of all priorities."""
        return float(self._sums[1])

    def priorities(self, indices: Indices) -> Numbers:
        """Return the priorities of leaves, shape `(B,)`."""
        return self._sums[indices + self._leaves]

    def set(self, indices: Indices, priorities: Numbers) -> None:
        """Set the priorities of leaves, both `(B,)`; of an index given twice the last counts."""
        nodes = indices + self._leaves
        self._sums[nodes] = priorities
        while nodes[0] > 1:
            nodes = np.unique(nodes // 2)
            self._sums[nodes] = self._sums[2 * nodes] + self._sums[2 * nodes + 1]

    def find(self, heights: Numbers) -> Indices:
        """Return the leaf at each height `(B,)` in [0, total) of the stacked priorities.

        A leaf of priority 0 is never found, not by rounding either, while `total` is above 0.
        """
        nodes = np.ones(heights.shape, np.int64)
        remaining = heights.copy()
        while nodes[0] < self._leaves:
            left = self._sums[2 * nodes]
            right = (remaining >= left) & (self._sums[2 * nodes + 1] > 0.0)
            remaining -= np.where(right, left, 0.0)
            nodes = 2 * nodes + right
        return nodes - self._leaves
